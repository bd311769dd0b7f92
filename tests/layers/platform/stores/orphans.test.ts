/** What a platform process that is gone left open: ended once nobody looks after it, and not before. */
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as LiveBroker from "../../../../src/layers/platform/LiveBroker.ts"
import { Broker, type AgentLink, type FeedItem } from "../../../../src/services/platform/Broker.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

const link = Effect.fnUntraced(function* (clawId: string, features: AgentLink["features"] = undefined) {
  const identity = yield* (yield* Identities).find(clawId)
  const sent: Array<string> = []
  const made: AgentLink = {
    identity,
    dialect: "gateway",
    features,
    origin: "http://127.0.0.1:1",
    send: (frames) => {
      sent.push(...frames)
      return true
    },
    close: () => undefined
  }
  return { link: made, sent }
})

const broker = Effect.map(Layer.build(Layer.fresh(LiveBroker.layer())), (context) => Context.get(context, Broker))

const until = (responseId: string, status: string) =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    while ((yield* sessions.findExchange(responseId)).status !== status) yield* Effect.yieldNow
  })

/** A process that had begun one reply and delivered another message, and is gone without a word. */
const crashed = Effect.gen(function* () {
  const session = yield* conversation("ann")
  const scope = yield* Scope.make()
  const before = yield* Scope.provide(broker, scope)
  const worker = yield* link(session.clawId)
  const seat = yield* before.attach(worker.link)
  const begun = (yield* before.submit(message(session, "begun"))).exchange
  const delivered = (yield* before.submit(message(session, "delivered"))).exchange
  seat.update({ _tag: "Delta", ref: { messageId: "begun", sessionId: session.sessionId }, delta: "Half " })
  yield* until(begun.responseId, "answering")
  yield* Scope.close(scope, Exit.void)
  return { session, begun, delivered }
})

forEachDatabase("What a process left open", (stores) => {
  it.effect("ends as interrupted, and goes back into the mailbox, when no agent comes for it", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { begun, delivered, session } = yield* crashed
      const after = yield* broker
      const told: Array<FeedItem> = []
      after.watch(session.userId, (item) => void told.push(item))
      assert.strictEqual((yield* sessions.findExchange(begun.responseId)).status, "answering")
      let seconds = 0
      for (; (yield* sessions.findExchange(begun.responseId)).status === "answering"; seconds++) {
        yield* TestClock.adjust("1 second")
      }
      assert.isAtLeast(seconds, 59)
      assert.strictEqual((yield* sessions.findExchange(begun.responseId)).failure?.code, "INTERRUPTED")
      while ((yield* sessions.findExchange(delivered.responseId)).status !== "waiting") {
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(
        told.flatMap((item) => (item._tag === "Step" ? [item.step._tag] : [])),
        ["Opened", "Failed"]
      )
    }).pipe(Effect.scoped, Effect.provide(stores()))
  )

  it.effect("goes on with an agent that can resume, from nothing", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { begun, session } = yield* crashed
      const after = yield* broker
      const worker = yield* link(session.clawId, new Set(["ack", "resume"] as const))
      const seat = yield* after.attach(worker.link)
      const ref = { responseId: "r", messageId: "begun", sessionId: session.sessionId }
      seat.resume({ ...ref, from: 0 })
      assert.isTrue(worker.sent.some((frame) => frame.includes('"sequence_number":-1,"status":"open"')))
      seat.update({ _tag: "Opened", ref, sequence: 0 })
      seat.update({ _tag: "Delta", ref, sequence: 4, delta: "Half " })
      seat.update({ _tag: "Delta", ref, sequence: 5, delta: "and half." })
      seat.update({ _tag: "Completed", ref, sequence: 9, text: "Half and half." })
      yield* after.drain
      const { replyText, status } = yield* sessions.findExchange(begun.responseId)
      assert.deepStrictEqual({ replyText, status }, { replyText: "Half and half.", status: "completed" })
    }).pipe(Effect.scoped, Effect.provide(stores()))
  )
})
