/** Two platform processes over one database, here two brokers: the newest connection of an agent is the one that answers. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Scope from "effect/Scope"
import { Broker, type AgentLink } from "../../../../src/services/platform/Broker.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import * as LiveBroker from "../../../../src/layers/platform/LiveBroker.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

/** A link that writes down what it is sent. */
const link = Effect.fnUntraced(function* (clawId: string) {
  const identity = yield* (yield* Identities).find(clawId)
  const sent: Array<string> = []
  const closed: Array<number> = []
  const made: AgentLink = {
    identity,
    dialect: "envelope",
    origin: "http://127.0.0.1:1",
    send: (frames) => {
      sent.push(...frames)
      return true
    },
    close: (code) => void closed.push(code)
  }
  return { link: made, sent, closed }
})

const broker = Effect.map(Layer.build(Layer.fresh(LiveBroker.layer())), (context) => Context.get(context, Broker))
const ref = (messageId: string) => ({ messageId, responseId: undefined, sessionId: undefined })

forEachDatabase("Two brokers over one database", (stores) => {
  it.effect("a message goes on to the newest connection with the same id, and only that one ends it", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const first = yield* broker
      const second = yield* broker
      const older = yield* link(session.clawId)
      const newer = yield* link(session.clawId)
      const { exchange } = yield* first.submit(message(session, "m"))
      const seatOfOlder = yield* Scope.provide(first.attach(older.link), yield* Effect.scope)
      assert.isTrue(older.sent.some((frame) => frame.includes('"m"')))

      const seatOfNewer = yield* Scope.provide(second.attach(newer.link), yield* Effect.scope)
      assert.isTrue(newer.sent.some((frame) => frame.includes('"m"')))

      // The older one answers first, and too late.
      seatOfOlder.update({ _tag: "Completed", ref: ref("m"), text: "Of the older." })
      yield* first.drain
      assert.deepStrictEqual(older.closed.slice(0, 1), [4001])
      assert.strictEqual((yield* sessions.findExchange(exchange.responseId)).status, "delivered")

      seatOfNewer.update({ _tag: "Completed", ref: ref("m"), text: "Of the newer." })
      yield* second.drain
      const { replyText, status } = yield* sessions.findExchange(exchange.responseId)
      assert.deepStrictEqual({ replyText, status }, { replyText: "Of the newer.", status: "completed" })
    }).pipe(Effect.scoped, Effect.provide(stores()))
  )

  it.effect("what the older one had begun ends once, as interrupted (law one-terminal)", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const first = yield* broker
      const second = yield* broker
      const older = yield* link(session.clawId)
      const newer = yield* link(session.clawId)
      const { exchange } = yield* first.submit(message(session, "m"))
      const seat = yield* first.attach(older.link)
      seat.update({ _tag: "Delta", ref: ref("m"), delta: "Half " })
      while ((yield* sessions.findExchange(exchange.responseId)).status !== "answering") yield* Effect.yieldNow
      yield* second.attach(newer.link)
      assert.isFalse(newer.sent.some((frame) => frame.includes('"m"')))
      seat.update({ _tag: "Completed", ref: ref("m"), text: "Half an answer." })
      yield* first.drain
      const { failure, replyText } = yield* sessions.findExchange(exchange.responseId)
      assert.strictEqual(failure?.code, "INTERRUPTED")
      assert.strictEqual(replyText, "")
    }).pipe(Effect.scoped, Effect.provide(stores()))
  )
})
