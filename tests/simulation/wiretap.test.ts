/** What may be said twice on the wire, as the wiretap tells it: exactly as often as somebody asked for it. */
import { assert, describe, it } from "@effect/vitest"
import { Engine } from "../../src/layers/simulation/Engine.ts"
import { Laws } from "../../src/programs/simulation/Laws.ts"
import * as Plan from "../../src/programs/simulation/Plan.ts"
import { idle } from "../../src/programs/simulation/Profiles.ts"
import { Stage } from "../../src/programs/simulation/Stage.ts"
import { Wiretap } from "../../src/programs/simulation/Wiretap.ts"

const responseId = "resp_1"

const tapped = () => {
  const engine = new Engine({ seed: 1 })
  const laws = new Laws(() => engine.now)
  const stage = new Stage(engine, laws, Plan.make(1, idle), false)
  const tap = new Wiretap(stage, "agent", {
    frame: () => undefined,
    deliveries: () => 1,
    knows: () => undefined,
    written: () => undefined
  })
  const say = (frame: object): void => tap.frame(JSON.stringify(frame), false)
  const delta = (sequence: number, text: string): void =>
    say({ type: "response.output_text.delta", response_id: responseId, delta: text, sequence_number: sequence })
  const rest = (): void => {
    delta(4, "one ")
    delta(5, "two")
    say({ type: "response.output_text.done", response_id: responseId, text: "one two", sequence_number: 6 })
    say({
      type: "response.completed",
      response: { id: responseId, object: "response", status: "completed", output: [], metadata: {} },
      sequence_number: 9
    })
  }
  const begin = (): void =>
    say({
      type: "response.created",
      response: { id: responseId, object: "response", status: "in_progress", metadata: { message_id: "m1" } },
      sequence_number: 0
    })
  const ask = (): void => say({ type: "response.resume", response_id: responseId, from: 0 })
  return { tap, begin, rest, ask, broken: () => laws.broken.map(({ law }) => law) }
}

describe("what an agent says twice", () => {
  it("law stream: nobody has asked for it", () => {
    const { begin, broken, rest } = tapped()
    begin()
    rest()
    assert.deepStrictEqual(broken(), [])
    rest()
    assert.include(broken(), "one-terminal")
  })

  it("law stream: a gap is filled once for each time the platform tells of it, and not once more", () => {
    const { begin, broken, rest, tap } = tapped()
    begin()
    rest()
    tap.missing(responseId, 4)
    tap.missing(responseId, 4)
    rest()
    rest()
    assert.deepStrictEqual(broken(), [])
    rest()
    assert.include(broken(), "one-terminal")
  })

  it("law stream: a question that was put twice and answered twice is gone by once", () => {
    const { begin, broken, rest, tap } = tapped()
    begin()
    rest()
    const answer = { responseId, sequence: 3, status: "open" } as const
    tap.acknowledged(answer)
    tap.acknowledged(answer)
    rest()
    assert.deepStrictEqual(broken(), [])
    rest()
    assert.include(broken(), "one-terminal")
  })

  it("law stream: a gap answers no open question, which may be gone by as well, once", () => {
    const { ask, begin, broken, rest, tap } = tapped()
    begin()
    rest()
    tap.acknowledged({ responseId, sequence: 3, status: undefined })
    ask()
    tap.missing(responseId, 4)
    rest()
    rest()
    assert.deepStrictEqual(broken(), [])
    rest()
    assert.include(broken(), "one-terminal")
  })

  it("law stream: what has ended at the platform needs no end, and is said from its beginning where it comes again", () => {
    const { begin, broken, rest, tap } = tapped()
    begin()
    tap.acknowledged({ responseId, sequence: -1, status: "ended" })
    // The message came once: begun a second time is once too often, but not out of turn.
    begin()
    assert.deepStrictEqual(broken(), ["one-terminal"])
    rest()
    assert.deepStrictEqual(broken(), ["one-terminal"])
  })

  it("law stream: what has ended nowhere is not begun again", () => {
    const { begin, broken } = tapped()
    begin()
    begin()
    assert.include(broken(), "stream")
  })
})
