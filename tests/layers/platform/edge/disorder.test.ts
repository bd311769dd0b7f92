/**
 * Laws one-terminal, once, one-socket and drain under disorder: agents come and go, answer, half answer, repeat
 * themselves and speak after the end, people ask and cancel, in an order drawn from a seed. When the disorder ends,
 * every message must have ended exactly once, and what readers saw must be what is stored.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as TestClock from "effect/testing/TestClock"
import * as LiveBroker from "../../../../src/layers/platform/LiveBroker.ts"
import * as Stores from "../../../../src/layers/platform/Stores.ts"
import * as Broker from "../../../../src/services/platform/Broker.ts"
import * as Identities from "../../../../src/services/platform/Identities.ts"
import * as People from "../../../../src/services/platform/People.ts"
import * as Sessions from "../../../../src/services/platform/Sessions.ts"

/** An agent's socket with somebody at the other end who reads what is written and answers as the dice say. */
class FakeLine {
  readonly got: Array<{ readonly messageId: string; readonly sessionId: string }> = []
  closed: number | undefined
  greeted = false
  send(frames: ReadonlyArray<string>): boolean {
    if (this.closed !== undefined) return false
    for (const frame of frames) {
      const value = JSON.parse(frame)
      if (value.type === "session.auto_bound") this.greeted = true
      else if (value.input !== undefined) {
        assert.isTrue(this.greeted, "nothing is written before the greeting")
        this.got.push({ messageId: value.metadata.message_id, sessionId: value.metadata.session_id })
      }
    }
    return true
  }
}

/** Lets what was set off in callbacks run: microtasks, then the fibers they woke. */
const settle = Effect.repeat(
  Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
  { times: 3 }
)

const world = (seed: number) =>
  Effect.gen(function* () {
    const broker = yield* Broker.Broker
    const identities = yield* Identities.Identities
    const people = yield* People.People
    const sessions = yield* Sessions.Sessions
    const { identity } = yield* identities.create({
      ownerId: undefined,
      name: "Ada",
      description: "",
      avatar: "",
      hourlyRate: 0,
      sceneTags: [],
      customTags: [],
      instanceType: 0
    })
    const { person } = yield* people.signIn("Ann")
    const session = yield* sessions.create(person.userId, identity.clawId)
    const asked = new Map<string, string>()
    const deltas = new Map<string, string>()
    const terminals = new Map<string, Array<{ readonly text: string; readonly code: string | undefined }>>()
    const stop = broker.watch(person.userId, (item) => {
      if (item._tag !== "Step") return
      const id = item.exchange.responseId
      assert.isUndefined(terminals.get(id), "nothing comes after a terminal (law one-terminal)")
      if (item.step._tag === "Deltas") deltas.set(id, (deltas.get(id) ?? "") + item.step.deltas.join(""))
      if (item.step._tag === "Completed" || item.step._tag === "Failed") {
        const code = item.step._tag === "Failed" ? item.step.failure.code : undefined
        terminals.set(id, [...(terminals.get(id) ?? []), { text: item.step.text, code }])
      }
    })
    let line: FakeLine | undefined
    let seat: Broker.AgentSeat | undefined
    let scope: Scope.Closeable | undefined
    let count = 0
    /** One process holds one link at a time: coming and going follow each other. */
    const turn = yield* Semaphore.make(1)
    const running: Array<Fiber.Fiber<void, unknown>> = []

    const come = Effect.gen(function* () {
      const next = new FakeLine()
      const nextScope = yield* Scope.make()
      const older = { line, scope }
      seat = yield* broker
        .attach({
          identity,
          dialect: "gateway",
          origin: "http://localhost",
          send: (frames) => next.send(frames),
          close: (code) => {
            next.closed = code
          }
        })
        .pipe(Scope.provide(nextScope))
      if (older.line !== undefined && older.line.closed === undefined) assert.fail("the older link was left open")
      line = next
      scope = nextScope
      if (older.scope !== undefined) yield* Scope.close(older.scope, Exit.void)
    })

    const go = Effect.suspend(() => {
      if (line === undefined || scope === undefined) return Effect.void
      line.closed ??= 1006
      const left = scope
      line = undefined
      seat = undefined
      scope = undefined
      return Scope.close(left, Exit.void)
    })

    const ask = Effect.gen(function* () {
      // Now and then the same message once more.
      const id = (yield* Random.nextIntBetween(0, 5)) === 0 && count > 0 ? `m${count - 1}` : `m${count++}`
      const { exchange } = yield* broker.submit({
        sessionId: session.sessionId,
        userId: person.userId,
        messageId: id,
        previousResponseId: undefined,
        parts: [{ type: "input_text", text: id }],
        stream: true,
        metadata: {}
      })
      const known = asked.get(id)
      if (known !== undefined) assert.strictEqual(exchange.responseId, known, "law once")
      asked.set(id, exchange.responseId)
    })

    const speak = Effect.gen(function* () {
      const said = line
      const seated = seat
      if (said === undefined || seated === undefined || said.got.length === 0) return
      const got = said.got[yield* Random.nextIntBetween(0, said.got.length)]
      if (got === undefined) return
      const ref = { ...got, responseId: `run_${got.messageId}` }
      const dice = yield* Random.nextIntBetween(0, 10)
      if (dice < 3) seated.update({ _tag: "Opened", ref })
      else if (dice < 8) seated.update({ _tag: "Delta", ref, delta: `piece ${dice} ` })
      else if (dice === 8) {
        // Twice, and text after the end, before anything could be stored.
        seated.update({ _tag: "Completed", ref, text: undefined })
        seated.update({ _tag: "Delta", ref, delta: "after the end" })
        seated.update({ _tag: "Completed", ref, text: undefined })
      } else seated.update({ _tag: "Failed", ref, text: undefined, failure: { code: "SDK_ERROR", message: "no" } })
    })

    const cancel = Effect.gen(function* () {
      const all = [...asked.values()]
      const id = all[yield* Random.nextIntBetween(0, all.length + 1)]
      if (id !== undefined) yield* broker.cancel(person.userId, id)
    })

    const wait = TestClock.adjust("700 millis")

    const act = Effect.gen(function* () {
      const dice = yield* Random.nextIntBetween(0, 100)
      const one = dice < 30 ? ask : dice < 70 ? speak : dice < 78 ? come : dice < 85 ? go : dice < 90 ? cancel : wait
      // Half of them while the one before is still at work.
      if (dice % 2 === 0) yield* one === come || one === go ? turn.withPermit(one) : one
      else running.push(yield* Effect.forkChild(one === come || one === go ? turn.withPermit(one) : one))
      if (dice % 3 === 0) yield* settle
    })
    yield* Effect.repeat(act, { times: 120 })
    yield* Fiber.joinAll(running)
    yield* settle

    // The disorder is over: an agent comes that answers everything, and time passes.
    yield* go
    yield* come
    for (let round = 0; round < 40; round++) {
      const present = line
      const seated = seat
      if (present === undefined || seated === undefined) break
      for (const got of present.got.splice(0)) {
        const ref = { ...got, responseId: `run_${got.messageId}` }
        seated.update({ _tag: "Delta", ref, delta: "at last" })
        seated.update({ _tag: "Completed", ref, text: undefined })
      }
      yield* settle
      yield* TestClock.adjust("2 seconds")
      yield* settle
    }
    stop()
    for (const [messageId, responseId] of asked) {
      const exchange = yield* sessions.findExchange(responseId)
      const seen = terminals.get(responseId) ?? []
      assert.lengthOf(seen, 1, `${messageId} of seed ${seed}: ${exchange.status}`)
      assert.strictEqual(exchange.replyText, seen[0]?.text)
      assert.strictEqual(exchange.failure?.code, seen[0]?.code)
      assert.strictEqual(deltas.get(responseId) ?? "", seen[0]?.text, "law stream: deltas joined = final text")
    }
    const counts = yield* broker.counts
    assert.strictEqual(counts.repliesUnderWay, 0)
    assert.strictEqual(counts.repliesCompleted + counts.repliesFailed, asked.size)
    yield* go
    assert.strictEqual((yield* broker.counts).agentsOnLine, 0)
  })

describe("disorder", () => {
  it.effect.prop(
    "every message ends exactly once",
    { seed: Schema.Int },
    ({ seed }) =>
      world(seed).pipe(
        Random.withSeed(seed),
        // Fibers give way after few steps, so that they meet in the middle of things.
        Effect.provideService(Scheduler.MaxOpsBeforeYield, 3 + (Math.abs(seed) % 60)),
        Effect.provide(
          LiveBroker.layer({ grace: "5 seconds", window: 4 }).pipe(Layer.provideMerge(Stores.layerTest()))
        ),
        Effect.scoped
      ),
    { arbitrary: { runs: 60 } }
  )
})
