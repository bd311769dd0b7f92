import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { events, ReplyLog, type Step, stepsAfter, wholeResponse } from "../../../src/services/protocol/ReplyLog.ts"
import { isTerminal } from "../../../src/services/protocol/ResponseEvent.ts"
import { check } from "../../../src/services/protocol/StreamLaws.ts"
import { deltasOf, endedAt, failure, pieces, reply, shard, stepsOf, text, textOf, usage } from "./samples.ts"

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Where a text may not be cut: inside a grapheme that fits into a piece. */
const forbiddenCuts = (text: string, max: number): ReadonlySet<number> => {
  const forbidden = new Set<number>()
  for (const { index, segment } of segmenter.segment(text)) {
    if (segment.length > max) continue
    for (let at = index + 1; at < index + segment.length; at++) forbidden.add(at)
  }
  return forbidden
}

const cutsOf = (deltas: ReadonlyArray<string>): ReadonlyArray<number> => {
  let at = 0
  return deltas.slice(0, -1).map((delta) => (at += delta.length))
}

const isInsidePair = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at))

const maxDelta = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 80 })))

const head = {
  responseId: "resp_1",
  itemId: "msg_1",
  createdAt: 1_700_000_000,
  model: "offline",
  metadata: { session_id: "s1" }
}

const single = (text: string, max?: number): ReadonlyArray<string> => {
  const log = new ReplyLog({ maxDelta: max })
  log.open()
  return deltasOf([log.push(text), ...log.complete(1)].filter((step) => step !== undefined))
}

describe("ReplyLog", () => {
  it("numbers steps by their events", () => {
    const log = new ReplyLog()
    assert.deepStrictEqual(log.open(), { _tag: "Opened", sequence: 0 })
    assert.deepStrictEqual(log.push("one"), { _tag: "Deltas", sequence: 4, deltas: ["one"] })
    assert.deepStrictEqual(log.push(["t", "w", "o"]), { _tag: "Deltas", sequence: 5, deltas: ["two"] })
    assert.strictEqual(log.push(""), undefined)
    assert.strictEqual(log.text, "onetwo")
    assert.deepStrictEqual(log.complete(9, usage), [
      { _tag: "Completed", sequence: 6, text: "onetwo", completedAt: 9, usage }
    ])
    assert.isTrue(log.ended)
  })

  it("gathers full deltas and keeps the rest for the flush", () => {
    const log = new ReplyLog({ maxDelta: 5 })
    log.open()
    assert.strictEqual(log.gather("abcde"), undefined)
    assert.deepStrictEqual(log.gather("fghijk"), { _tag: "Deltas", sequence: 4, deltas: ["abcde", "fghij"] })
    assert.strictEqual(log.text, "abcdefghijk")
    assert.deepStrictEqual(log.flush(), { _tag: "Deltas", sequence: 6, deltas: ["k"] })
    assert.strictEqual(log.flush(), undefined)
    assert.strictEqual(log.gather("l"), undefined)
    assert.deepStrictEqual(
      log.complete(9).map((step) => step._tag),
      ["Deltas", "Completed"]
    )
    assert.strictEqual(log.gather("late"), undefined)
  })

  it.prop("gathering loses nothing and cuts no grapheme, however text arrives", { pieces, maxDelta }, (given) => {
    const log = new ReplyLog({ maxDelta: given.maxDelta })
    log.open()
    const deltas = deltasOf(
      [...given.pieces.map((piece) => log.gather(piece)), ...log.complete(1)].filter((step) => step !== undefined)
    )
    const whole = given.pieces.join("")
    assert.strictEqual(deltas.join(""), whole)
    assert.strictEqual(log.text, whole)
    const forbidden = forbiddenCuts(whole, given.maxDelta)
    for (const cut of cutsOf(deltas)) assert.isFalse(forbidden.has(cut), `cut inside a grapheme at ${cut}`)
    for (const delta of deltas) assert.isAtMost(delta.length, given.maxDelta)
  })

  it("opens before it fails", () => {
    const log = new ReplyLog()
    assert.isFalse(log.opened)
    const failure = { code: "RATE_LIMIT", message: "Too many at once." } as const
    assert.deepStrictEqual(log.fail(9, failure), [
      { _tag: "Opened", sequence: 0 },
      { _tag: "Failed", sequence: 4, text: "", completedAt: 9, failure }
    ])
    assert.isTrue(log.opened)
  })

  it("keeps what is pushed before it is open", () => {
    const log = new ReplyLog()
    assert.strictEqual(log.push("early "), undefined)
    log.open()
    assert.deepStrictEqual(log.push("bird"), { _tag: "Deltas", sequence: 4, deltas: ["early bird"] })
  })

  it("one-terminal: nothing comes after the end", () => {
    const log = new ReplyLog()
    log.open()
    log.push("done")
    assert.strictEqual(log.complete(1).length, 1)
    assert.deepStrictEqual(log.complete(2), [])
    assert.deepStrictEqual(log.fail(2, { code: "TIMEOUT", message: "Too late." }), [])
    assert.strictEqual(log.push("more"), undefined)
    assert.strictEqual(log.text, "done")
  })

  it("holds half a code point until the other half comes", () => {
    const log = new ReplyLog()
    log.open()
    assert.deepStrictEqual(log.push("a\ud83d"), { _tag: "Deltas", sequence: 4, deltas: ["a"] })
    assert.deepStrictEqual(log.push("\ude00b"), { _tag: "Deltas", sequence: 5, deltas: ["😀b"] })
  })

  it("holds a grapheme that ends with a joiner, and flushes it at the end", () => {
    const log = new ReplyLog()
    log.open()
    assert.deepStrictEqual(log.push("hi 👨\u200d"), { _tag: "Deltas", sequence: 4, deltas: ["hi "] })
    assert.strictEqual(log.push("👩\u200d"), undefined)
    assert.strictEqual(log.text, "hi 👨\u200d👩\u200d")
    assert.deepStrictEqual(log.complete(1), [
      { _tag: "Deltas", sequence: 5, deltas: ["👨\u200d👩\u200d"] },
      { _tag: "Completed", sequence: 6, text: "hi 👨\u200d👩\u200d", completedAt: 1, usage: undefined }
    ])
  })

  it("cuts at 50, and before an emoji that does not fit", () => {
    assert.deepStrictEqual(
      single("x".repeat(120)).map((delta) => delta.length),
      [50, 50, 20]
    )
    assert.deepStrictEqual(
      single("漢".repeat(101)).map((delta) => delta.length),
      [50, 50, 1]
    )
    const family = "👨‍👩‍👧‍👦"
    assert.deepStrictEqual(single("x".repeat(45) + family + "y"), ["x".repeat(45), `${family}y`])
    assert.deepStrictEqual(single("x".repeat(49) + "\r\n"), ["x".repeat(49), "\r\n"])
    assert.deepStrictEqual(single("🇩🇪🇯🇵🇨🇳", 9), ["🇩🇪🇯🇵", "🇨🇳"])
  })

  it("cuts a grapheme that is longer than a piece between code points", () => {
    assert.deepStrictEqual(single("👨‍👩‍👧‍👦", 3), ["👨\u200d", "👩\u200d", "👧\u200d", "👦"])
  })

  it("spells a whole response out in all its 31 fields", () => {
    const log = new ReplyLog()
    log.open()
    log.push("hi")
    const step = log.complete(1_700_000_009, usage)[0]!
    assert.strictEqual(step._tag, "Completed")
    if (step._tag !== "Completed") return
    const whole = wholeResponse({ ...head, previousResponseId: "resp_0" }, step)
    assert.deepStrictEqual(whole, {
      id: "resp_1",
      object: "response",
      created_at: 1_700_000_000,
      completed_at: 1_700_000_009,
      status: "completed",
      incomplete_details: null,
      model: "offline",
      previous_response_id: "resp_0",
      instructions: null,
      output: [
        {
          type: "message",
          id: "msg_1",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text: "hi", annotations: [], logprobs: [] }]
        }
      ],
      error: null,
      tools: [],
      tool_choice: "auto",
      truncation: "disabled",
      parallel_tool_calls: true,
      text: { format: { type: "text" } },
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_logprobs: 0,
      temperature: 1,
      reasoning: null,
      usage,
      max_output_tokens: null,
      max_tool_calls: null,
      store: true,
      background: false,
      service_tier: "default",
      metadata: { session_id: "s1" },
      safety_identifier: null,
      prompt_cache_key: null
    })
    assert.strictEqual(Object.keys(whole).length, 31)
  })

  it("spells a failed reply out in canonical order", () => {
    const steps = stepsOf({ head, pushes: [["half"]], failure: { code: "TIMEOUT", message: "No answer." } })
    const all = steps.flatMap((step) => events(head, step))
    assert.deepStrictEqual(
      all.map((event) => [event.sequence_number, event.type]),
      [
        [0, "response.created"],
        [1, "response.in_progress"],
        [2, "response.output_item.added"],
        [3, "response.content_part.added"],
        [4, "response.output_text.delta"],
        [5, "response.output_text.done"],
        [6, "response.content_part.done"],
        [7, "response.output_item.done"],
        [8, "response.failed"]
      ]
    )
    const last = all.at(-1)!
    assert.isTrue(isTerminal(last) && "response" in last)
    if (!("response" in last)) return
    assert.strictEqual(last.response.status, "failed")
    assert.deepStrictEqual(last.response.error, { code: "TIMEOUT", message: "No answer." })
    assert.strictEqual(last.response.output[0]!.status, "incomplete")
    assert.strictEqual(last.response.completed_at, endedAt)
  })

  it.prop("stream and one-terminal hold for every reply", { reply }, ({ reply }) => {
    assert.deepStrictEqual(check(stepsOf(reply).flatMap((step) => events(reply.head, step))), [])
  })

  it.prop(
    "no order of calls breaks a law",
    {
      calls: Arbitrary.array(
        Arbitrary.all([Arbitrary.schema(Schema.Literals(["open", "push", "push", "complete", "fail"])), pieces]),
        { maxLength: 8 }
      ),
      failure
    },
    ({ calls, failure }) => {
      const log = new ReplyLog()
      const steps: Array<Step> = []
      let given = ""
      for (const [call, texts] of calls) {
        if (call === "push" && !log.ended) given += texts.join("")
        if (call === "open" && !log.opened) steps.push(log.open())
        const made =
          call === "push"
            ? [log.push(texts)]
            : call === "complete"
              ? log.complete(endedAt)
              : call === "fail"
                ? log.fail(endedAt, failure)
                : []
        steps.push(...made.filter((step) => step !== undefined))
        assert.strictEqual(log.text, given)
      }
      steps.push(...log.complete(endedAt))
      assert.deepStrictEqual(check(steps.flatMap((step) => events(head, step))), [])
      assert.strictEqual(deltasOf(steps).join(""), given)
    }
  )

  it.prop("how text is divided into pushes does not change it", { reply, maxDelta }, ({ reply, maxDelta }) => {
    const deltas = deltasOf(stepsOf(reply, maxDelta))
    assert.strictEqual(deltas.join(""), textOf(reply))
    assert.isTrue(deltas.every((delta) => delta !== "" && delta.length <= maxDelta && [...delta].length <= maxDelta))
  })

  it.prop("pieces of one push are as one piece", { pieces, maxDelta }, ({ pieces, maxDelta }) => {
    const joined = new ReplyLog({ maxDelta })
    const apart = new ReplyLog({ maxDelta })
    joined.open()
    apart.open()
    assert.deepStrictEqual(joined.push(pieces.join("")), apart.push(pieces))
  })

  it.prop(
    "no piece cuts a code point or a grapheme that fits",
    { text, maxDelta },
    ({ text, maxDelta }) => {
      const cuts = cutsOf(single(text, maxDelta))
      const forbidden = forbiddenCuts(text, maxDelta)
      for (const cut of cuts) {
        assert.isFalse(isInsidePair(text, cut), `inside a code point at ${cut}`)
        assert.isFalse(forbidden.has(cut), `inside a grapheme at ${cut}`)
      }
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "pieces are as few as the graphemes allow",
    { text, maxDelta },
    ({ text, maxDelta }) => {
      const graphemes = [...segmenter.segment(text)]
      if (graphemes.some(({ segment }) => segment.length > maxDelta)) return
      const log = new ReplyLog({ maxDelta })
      log.open()
      const deltas = deltasOf([log.push(text)].filter((step) => step !== undefined))
      const sent = deltas.join("").length
      assert.isTrue(sent === text.length || /[\ud800-\udbff\u200d]$/.test(text), "held back without cause")
      const expected: Array<string> = []
      for (const { index, segment } of graphemes) {
        if (index >= sent) break
        const last = expected.at(-1)
        if (last !== undefined && last.length + segment.length <= maxDelta)
          expected[expected.length - 1] = last + segment
        else expected.push(segment)
      }
      assert.deepStrictEqual(deltas, expected)
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop("what a push holds back is bounded", { texts: Arbitrary.array(shard, { maxLength: 60 }) }, ({ texts }) => {
    const log = new ReplyLog()
    log.open()
    let sent = 0
    for (const text of texts) {
      const step = log.push(text)
      sent += step === undefined ? 0 : deltasOf([step]).join("").length
      assert.isAtMost(log.text.length - sent, 257)
      if (/^[ -~]$/.test(text.slice(-1))) assert.strictEqual(log.text.length, sent)
    }
  })

  it.prop(
    "a reader that goes on after any number lacks nothing",
    {
      reply,
      after: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -1, maximum: 60 })))
    },
    ({ after, reply }) => {
      const steps = stepsOf(reply)
      const spell = (some: ReadonlyArray<Step>) => some.flatMap((step) => events(reply.head, step))
      const rest = spell(stepsAfter(steps, after))
      assert.deepStrictEqual(
        rest.filter((event) => event.sequence_number > after),
        spell(steps).filter((event) => event.sequence_number > after)
      )
      assert.isTrue(rest.every((event) => event.sequence_number > after || event.type !== "response.output_text.delta"))
    }
  )
})
