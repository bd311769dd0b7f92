import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import { Journal, JournalError } from "../../../../src/services/channel/Journal.ts"
import { encodeResponseAck } from "../../../../src/services/protocol/Control.ts"
import { assertLaws, codeOf, make, request, settle, text } from "./harness.ts"

const broken = new JournalError({ detail: "disk full at /var/lib/secret", transient: false })

describe("law once", () => {
  it.effect("C 1: the same message while its reply is under way starts nothing and says nothing", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, of } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      const before = wire.frames.length
      yield* dispatcher.handle(request())
      yield* settle
      assert.strictEqual(wire.frames.length, before)
      stage.of("m1").say(text("once"))
      stage.of("m1").end()
      yield* settle
      assert.strictEqual(stage.turns.length, 1)
      assert.strictEqual(of("m1").text, "once")
      assert.strictEqual((yield* dispatcher.stats).repeated, 1)
      assertLaws(wire.frames)
    })
  )

  it.effect("the same message after the end gets the whole reply again: same id, no run, in the dialect asked", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, seen } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      stage.of("m1").say(text("the answer ".repeat(20)))
      stage.of("m1").end()
      yield* settle
      const first = seen()
      for (const dialect of ["envelope", "gateway"] as const) {
        wire.frames.length = 0
        yield* dispatcher.handle(request({ dialect }))
        yield* settle
        assert.deepStrictEqual(seen(), first)
        assertLaws(wire.frames)
      }
      assert.strictEqual(stage.turns.length, 1)
    })
  )

  it.effect("a failure is repeated as it was", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, seen } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      stage.of("m1").say(text("half"))
      yield* settle
      yield* dispatcher.cancel({ messageId: "m1" })
      yield* settle
      const first = seen()
      wire.frames.length = 0
      yield* dispatcher.handle(request())
      yield* settle
      assert.deepStrictEqual(seen(), first)
      assert.strictEqual(stage.turns.length, 1)
      assertLaws(wire.frames)
    })
  )

  it.effect("the same id in another session is another message, and so is each one without an id", () =>
    Effect.gen(function* () {
      const { dispatcher, stage } = yield* make()
      yield* dispatcher.handle(request({ sessionId: "s1" }))
      yield* dispatcher.handle(request({ sessionId: "s2" }))
      yield* dispatcher.handle(request({ sessionId: "s3", messageId: undefined }))
      yield* dispatcher.handle(request({ sessionId: "s4", messageId: undefined }))
      yield* settle
      assert.strictEqual(new Set(stage.turns.map(({ turn }) => turn.responseId)).size, 4)
    })
  )

  it.effect("also after a restart with the same journal", () =>
    Effect.gen(function* () {
      const first = yield* make()
      yield* first.dispatcher.handle(request())
      yield* settle
      first.stage.of("m1").say(text("before"))
      first.stage.of("m1").end()
      yield* settle
      yield* first.close
      const second = yield* make({ journal: first.journal })
      assert.strictEqual(yield* second.dispatcher.recover, 0)
      yield* second.dispatcher.handle(request())
      yield* settle
      assert.deepStrictEqual(second.seen(), first.seen())
      assert.strictEqual(second.stage.turns.length, 0)
    })
  )
})

describe("law one-terminal, after a crash", () => {
  const left = Effect.gen(function* () {
    const journal = yield* MemoryJournal.make()
    yield* journal.accept(
      { accountId: "acc", sessionId: "s1", messageId: "m1" },
      { responseId: "resp_old", itemId: "msg_old", dialect: "gateway" }
    )
    return journal
  })

  it.effect("what was left unfinished ends as INTERRUPTED, once, and a repeat gets the same", () =>
    Effect.gen(function* () {
      const journal = yield* left
      const { dispatcher, stage, wire, seen } = yield* make({ journal })
      assert.strictEqual(yield* dispatcher.recover, 1)
      assert.strictEqual(yield* dispatcher.recover, 0)
      const said = seen()
      assert.deepStrictEqual(
        said.map((reply) => [reply.responseId, reply.messageId, codeOf(reply)]),
        [["resp_old", "m1", "INTERRUPTED"]]
      )
      assertLaws(wire.frames)
      wire.frames.length = 0
      yield* dispatcher.handle(request({ dialect: "gateway" }))
      yield* settle
      assert.deepStrictEqual(seen(), said)
      assert.strictEqual(stage.turns.length, 0)
    })
  )

  it.effect("a repeat that comes first ends it just so, and never runs it blindly again", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, seen } = yield* make({ journal: yield* left })
      yield* dispatcher.handle(request({ dialect: "gateway" }))
      yield* settle
      assert.deepStrictEqual(seen().map(codeOf), ["INTERRUPTED"])
      assert.strictEqual(yield* dispatcher.recover, 0)
      assert.strictEqual(stage.turns.length, 0)
    })
  )

  it.effect("it goes on after what the platform has confirmed", () =>
    Effect.gen(function* () {
      const journal = yield* left
      const { dispatcher, wire } = yield* make({ journal })
      const frame = JSON.parse(encodeResponseAck({ responseId: "resp_old", sequence: 41 }))
      yield* dispatcher.handle({ _tag: "Control", type: "response.ack", frame })
      assert.strictEqual((yield* journal.find("resp_old"))?.confirmedSequence, 41)
      yield* dispatcher.recover
      assert.deepStrictEqual(
        wire.frames.map((frame) => JSON.parse(frame).sequence_number),
        [42, 45]
      )
    })
  )
})

describe("a journal that fails", () => {
  const failing = (methods: Partial<Journal["Service"]>) =>
    Effect.map(MemoryJournal.make(), (journal) => Journal.of({ ...journal, ...methods }))

  it.effect("on accept: the person is told and nothing runs", () =>
    Effect.gen(function* () {
      const journal = yield* failing({ accept: () => Effect.fail(broken) })
      const { dispatcher, stage, wire, of } = yield* make({ journal })
      yield* dispatcher.handle(request())
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "SDK_ERROR")
      assert.strictEqual(stage.turns.length, 0)
      assert.notInclude(wire.frames.join(""), "secret")
      assert.strictEqual((yield* dispatcher.stats).refused, 1)
      assertLaws(wire.frames)
    })
  )

  it.effect("on end: the person gets the end all the same, and the place is free again", () =>
    Effect.gen(function* () {
      const journal = yield* failing({ end: () => Effect.fail(broken) })
      const { dispatcher, stage, wire, of } = yield* make({ journal, maxConcurrent: 1 })
      for (const id of ["m1", "m2"]) {
        yield* dispatcher.handle(request({ messageId: id }))
        yield* settle
        stage.of(id).end()
        yield* settle
        assert.strictEqual(codeOf(of(id)), "completed")
      }
      assertLaws(wire.frames)
    })
  )

  it.effect("with a defect on accept: the person is told too", () =>
    Effect.gen(function* () {
      const journal = yield* failing({ accept: () => Effect.die("bug") })
      const { dispatcher, stage, of } = yield* make({ journal })
      yield* dispatcher.handle(request())
      assert.strictEqual(codeOf(of("m1")), "SDK_ERROR")
      assert.strictEqual(stage.turns.length, 0)
    })
  )

  it.effect("with a defect on end: the person gets the end all the same", () =>
    Effect.gen(function* () {
      const journal = yield* failing({ end: () => Effect.die("bug") })
      const { dispatcher, stage, of } = yield* make({ journal })
      yield* dispatcher.handle(request())
      yield* settle
      stage.of("m1").end()
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "completed")
    })
  )

  it.effect("the first outcome stays: what was ended elsewhere gets no second terminal", () =>
    Effect.gen(function* () {
      const { dispatcher, journal, stage, wire, of } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      const { responseId } = stage.of("m1").turn
      yield* journal.end(responseId, { _tag: "Completed", text: "by another" })
      const before = wire.frames.length
      stage.of("m1").end()
      yield* settle
      assert.strictEqual(wire.frames.length, before)
      assert.isUndefined(of("m1").end)
      assert.deepStrictEqual(yield* dispatcher.inFlight, [])
    })
  )

  it.effect("the outcome is written before the terminal is sent", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const memory = yield* MemoryJournal.make()
      const journal = Journal.of({
        ...memory,
        end: (id, outcome) => {
          order.push("journal")
          return memory.end(id, outcome)
        }
      })
      const { dispatcher, stage, wire } = yield* make({ journal })
      yield* dispatcher.handle(request())
      yield* settle
      wire.refuse = (frames) => {
        if (frames.some((frame) => frame.includes("response.completed"))) order.push("terminal")
        return undefined
      }
      stage.of("m1").end()
      yield* settle
      assert.deepStrictEqual(order, ["journal", "terminal"])
    })
  )
})
