import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { events } from "../../../src/services/protocol/ReplyLog.ts"
import type { OutputMessage, ResponseEvent } from "../../../src/services/protocol/ResponseEvent.ts"
import { check, Checker } from "../../../src/services/protocol/StreamLaws.ts"
import { failure, reply, stepsOf } from "./samples.ts"

const head = { responseId: "r", itemId: "i", createdAt: 1, model: "m", metadata: { session_id: "s" } }
const good = (): ReadonlyArray<ResponseEvent> =>
  stepsOf({ head, pushes: [["zebra "], ["okapi"]], failure: undefined }).flatMap((step) => events(head, step))

/** Numbers 0, +1 again, so that only the content can give a fault away. */
const renumbered = (all: ReadonlyArray<ResponseEvent>): ReadonlyArray<ResponseEvent> =>
  all.map((event, sequence_number) => ({ ...event, sequence_number }))

const otherItem = (item: OutputMessage): OutputMessage => ({ ...item, id: `${item.id}'` })

const otherId = (event: ResponseEvent): ResponseEvent => {
  if ("item_id" in event) return { ...event, item_id: `${event.item_id}'` }
  if ("item" in event) return { ...event, item: otherItem(event.item) }
  return { ...event, response: { ...event.response, id: `${event.response.id}'` } }
}

const otherText = (event: ResponseEvent): ResponseEvent | undefined => {
  const longer = (item: OutputMessage): OutputMessage => ({
    ...item,
    content: item.content.map((part) => ({ ...part, text: `${part.text}!` }))
  })
  switch (event.type) {
    case "response.output_text.delta":
      return { ...event, delta: `${event.delta}!` }
    case "response.output_text.done":
      return { ...event, text: `${event.text}!` }
    case "response.content_part.added":
    case "response.content_part.done":
      return { ...event, part: { ...event.part, text: `${event.part.text}!` } }
    case "response.output_item.done":
      return { ...event, item: longer(event.item) }
    case "response.completed":
    case "response.failed":
    case "response.incomplete":
      return { ...event, response: { ...event.response, output: event.response.output.map(longer) } }
    default:
      return undefined
  }
}

const otherHead = (event: ResponseEvent): ResponseEvent | undefined =>
  "response" in event
    ? { ...event, response: { ...event.response, metadata: { ...event.response.metadata, extra: "x" } } }
    : undefined

const otherEnd = (event: ResponseEvent): ResponseEvent | undefined => {
  switch (event.type) {
    case "response.completed":
      return { ...event, type: "response.failed" }
    case "response.failed":
      return { ...event, type: "response.completed" }
    default:
      return undefined
  }
}

const replaced = (
  all: ReadonlyArray<ResponseEvent>,
  at: number,
  change: (event: ResponseEvent) => ResponseEvent | undefined
): ReadonlyArray<ResponseEvent> => {
  const changed = change(all[at]!)
  return changed === undefined ? all : all.with(at, changed)
}

/** Each takes a good stream and two places in it. The same stream back = this fault cannot be made there. */
const mutations: Record<
  string,
  (all: ReadonlyArray<ResponseEvent>, at: number, to: number) => ReadonlyArray<ResponseEvent>
> = {
  lost: (all, at) => all.toSpliced(at, 1),
  "lost and renumbered": (all, at) => renumbered(all.toSpliced(at, 1)),
  "end lost": (all, at) => all.slice(0, at),
  doubled: (all, at) => all.toSpliced(at, 0, all[at]!),
  "doubled and renumbered": (all, at) => renumbered(all.toSpliced(at, 0, all[at]!)),
  "doubled later": (all, at, to) => all.toSpliced(to, 0, all[at]!),
  reordered: (all, at, to) => all.with(at, all[to]!).with(to, all[at]!),
  "reordered and renumbered": (all, at, to) => {
    const [one, other] = [all[at]!, all[to]!]
    const same =
      one.type === other.type &&
      (one.type !== "response.output_text.delta" || other.type !== "response.output_text.delta" || joins(all, at, to))
    return same ? all : renumbered(all.with(at, other).with(to, one))
  },
  renumbered: (all, at, to) =>
    replaced(all, at, (event) => ({ ...event, sequence_number: event.sequence_number + to + 1 })),
  "numbered from elsewhere": (all, _at, to) =>
    all.map((event) => ({ ...event, sequence_number: event.sequence_number + to + 1 })),
  "second terminal": (all, at) => renumbered([...all, all[at]!, all.at(-1)!]),
  "changed id": (all, at) => replaced(all, at, otherId),
  "changed text": (all, at) => replaced(all, at, otherText),
  "changed metadata": (all, at) => replaced(all, at, otherHead),
  "changed end": (all, at) => replaced(all, at, otherEnd)
}

/** Whether two deltas changing places leaves the joined text as it was. */
const joins = (all: ReadonlyArray<ResponseEvent>, at: number, to: number): boolean => {
  const text = (list: ReadonlyArray<ResponseEvent>): string =>
    list.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("")
  return text(all) === text(all.with(at, all[to]!).with(to, all[at]!))
}

const place = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })))

describe("StreamLaws", () => {
  it("a good stream breaks nothing, whole or event by event", () => {
    assert.deepStrictEqual(check(good()), [])
    const checker = new Checker()
    for (const event of good()) assert.deepStrictEqual(checker.push(event), [])
    assert.deepStrictEqual(checker.end(), [])
  })

  it("names the law, the place and the fault", () => {
    const all = good()
    assert.deepStrictEqual(check([]), [
      { law: "one-terminal", message: "the stream ended without a terminal event", index: 0 }
    ])
    assert.deepStrictEqual(check(all.slice(0, 5)), [
      { law: "one-terminal", message: "the stream ended without a terminal event", index: 5 }
    ])
    assert.deepStrictEqual(check([...all, { ...all.at(-1)!, sequence_number: all.length }]), [
      { law: "one-terminal", message: "a second terminal (response.completed)", index: all.length }
    ])
    assert.deepStrictEqual(
      check([...all, { ...all[4]!, sequence_number: all.length }]).map(({ law }) => law),
      ["one-terminal"]
    )
    assert.deepStrictEqual(check(all.toSpliced(4, 1))[0], {
      law: "stream",
      message: "sequence number 5 where 4 was due",
      index: 4
    })
    assert.deepStrictEqual(
      check(all.with(4, { ...all[4]!, sequence_number: 7 })).map(({ message }) => message),
      ["sequence number 7 where 4 was due", "sequence number 5 where 8 was due"]
    )
  })

  it("never repeats what was said", () => {
    const all = good().filter((event) => event.type !== "response.output_text.done")
    const said = check(all.map((event) => otherText(event) ?? event))
      .map(({ message }) => message)
      .join("\n")
    assert.include(said, "is not the deltas joined")
    assert.notInclude(said, "zebra")
    assert.notInclude(said, "okapi")
  })

  it.prop("every reply and every failure keeps the laws", { reply, failure }, ({ reply, failure }) => {
    for (const each of [reply, { ...reply, failure }, { ...reply, failure: undefined }]) {
      assert.deepStrictEqual(check(stepsOf(each).flatMap((step) => events(each.head, step))), [])
    }
  })

  for (const [name, mutate] of Object.entries(mutations)) {
    it.prop(
      `catches every stream with a fault: ${name}`,
      {
        bad: Arbitrary.filterMap(Arbitrary.all({ reply, at: place, to: place }), ({ at, reply, to }) => {
          const all = stepsOf(reply).flatMap((step) => events(reply.head, step))
          const bad = mutate(all, at % all.length, to % all.length)
          return JSON.stringify(bad) === JSON.stringify(all) ? Result.fail(all) : Result.succeed(bad)
        })
      },
      ({ bad }) => {
        assert.isAbove(check(bad).length, 0)
      },
      { arbitrary: { runs: 200, maxDiscards: 20_000 } }
    )
  }
})
