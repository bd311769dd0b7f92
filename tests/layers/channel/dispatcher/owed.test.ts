/** Law drain: an end that an earlier process wrote down, and perhaps said to a link that was dying, gets through. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import { decodeInbound } from "../../../../src/services/protocol/Inbound.ts"
import { encodeResponseAck } from "../../../../src/services/protocol/Control.ts"
import { encodeAutoBound } from "../../../../src/services/protocol/PlatformFrame.ts"
import { assertLaws, make, request, seen, settle, text } from "./harness.ts"

const greeting = decodeInbound(
  encodeAutoBound({ sessions: [], senderType: "assistant", senderId: "claw", features: ["ack", "resume"], epoch: 1 })
)

const resumed = (frames: ReadonlyArray<string>): ReadonlyArray<string> =>
  frames
    .map((frame): { readonly type?: string; readonly response_id?: string } => JSON.parse(frame))
    .flatMap(({ response_id, type }) => (type === "response.resume" && response_id !== undefined ? [response_id] : []))

/** A process that answered m1 and is gone; and the next one over the same journal. */
const afterAnswer = Effect.gen(function* () {
  const journal = yield* MemoryJournal.make()
  const first = yield* make({ journal })
  yield* first.dispatcher.handle(request({ messageId: "m1" }))
  yield* settle
  first.stage.of("m1").say(text("said once"))
  first.stage.of("m1").end()
  yield* settle
  const [entry] = yield* journal.recent("acc", 1)
  assert.strictEqual(entry?.outcome?._tag, "Completed")
  const second = yield* make({ journal })
  yield* second.dispatcher.recover
  yield* settle
  return { second, responseId: entry?.responseId ?? "" }
})

describe("an end of an earlier process", () => {
  it.effect("is asked about after a greeting, and told from the journal where the platform waits for it", () =>
    Effect.gen(function* () {
      const { responseId, second } = yield* afterAnswer
      assert.deepStrictEqual(second.wire.frames, [])
      yield* second.dispatcher.handle(greeting)
      yield* settle
      assert.deepStrictEqual(resumed(second.wire.frames), [responseId])
      const before = second.wire.frames.length
      yield* second.dispatcher.handle(decodeInbound(encodeResponseAck({ responseId, sequence: -1, status: "open" })))
      yield* settle
      const told = second.wire.frames.slice(before)
      assertLaws(told)
      const [reply] = seen(told)
      assert.deepInclude(reply, { responseId, text: "said once", end: "completed" })
      assert.strictEqual(second.stage.turns.length, 0, "law once")
    })
  )

  it.effect("is asked about again after the next greeting, until the platform says that it has ended", () =>
    Effect.gen(function* () {
      const { responseId, second } = yield* afterAnswer
      yield* second.dispatcher.handle(greeting)
      yield* second.dispatcher.handle(greeting)
      yield* settle
      assert.deepStrictEqual(resumed(second.wire.frames), [responseId, responseId])
      yield* second.dispatcher.handle(decodeInbound(encodeResponseAck({ responseId, sequence: 7, status: "ended" })))
      yield* second.dispatcher.handle(greeting)
      yield* settle
      assert.strictEqual(resumed(second.wire.frames).length, 2)
      assert.deepStrictEqual(seen(second.wire.frames.filter((frame) => !frame.includes("response.resume"))), [])
    })
  )
})
