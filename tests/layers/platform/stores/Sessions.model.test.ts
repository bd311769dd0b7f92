/** Whatever is asked in whatever order, the store of conversations says what a few lines of plain code say. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { type ExchangeStatus, Sessions } from "../../../../src/services/platform/Sessions.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

const maxWaiting = 3
const lifetime = 10_000

const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 }))
const Command = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Accept"), of: Which }),
  Schema.Struct({ _tag: Schema.tag("Advance"), of: Which, to: Schema.Literals(["delivered", "answering"]) }),
  Schema.Struct({ _tag: Schema.tag("End"), of: Which, fails: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.tag("Requeue") }),
  Schema.Struct({ _tag: Schema.tag("Pass"), seconds: Schema.Literals([2, 5]) }),
  Schema.Struct({ _tag: Schema.tag("Remove") })
])
type Command = typeof Command.Type

interface Known {
  readonly messageId: string
  readonly createdAt: number
  status: ExchangeStatus
  text: string
}

/** The model: messages in the order of their acceptance. */
const makeModel = () => {
  const known: Array<Known> = []
  const find = (of: number) => known.find((entry) => entry.messageId === `m${of}`)
  const live = (status: ExchangeStatus) => known.filter((entry) => entry.status === status)
  return {
    known,
    expire: (now: number) => {
      for (const entry of live("waiting")) if (entry.createdAt + lifetime <= now) entry.status = "failed"
    },
    accept: (of: number, now: number): "fresh" | "known" | "full" => {
      if (find(of) !== undefined) return "known"
      if (live("waiting").length >= maxWaiting) return "full"
      known.push({ messageId: `m${of}`, createdAt: now, status: "waiting", text: "" })
      return "fresh"
    },
    advance: (of: number, to: "delivered" | "answering") => {
      const entry = find(of)
      if (entry?.status === "waiting" || (entry?.status === "delivered" && to === "answering")) entry.status = to
    },
    end: (of: number, status: "completed" | "failed", text: string): boolean => {
      const entry = find(of)
      if (entry === undefined || entry.status === "completed" || entry.status === "failed") return false
      Object.assign(entry, { status, text })
      return true
    },
    requeue: (): number => {
      const moved = live("delivered")
      for (const entry of moved) entry.status = "waiting"
      return moved.length
    },
    clear: () => known.splice(0)
  }
}

forEachDatabase("Sessions against its model", (stores, runs) => {
  it.effect.prop(
    "accept, advance, end, requeue, expire and remove in any order",
    [Schema.Array(Command)],
    ([commands]) =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const model = makeModel()
        const responses = new Map<string, string>()
        let session = yield* conversation("ann")
        let now = 0
        let ends = 0
        const idOf = (of: number) => responses.get(`m${of}`) ?? "resp_unknown"
        const run = Effect.fnUntraced(function* (command: Command) {
          switch (command._tag) {
            case "Accept": {
              const expected = model.accept(command.of, now)
              const result = yield* Effect.result(sessions.accept(message(session, `m${command.of}`)))
              if (result._tag === "Failure") {
                assert.strictEqual(expected, "full")
                return assert.strictEqual(result.failure._tag, "LimitReached")
              }
              const { exchange, fresh } = result.success
              assert.strictEqual(expected, fresh ? "fresh" : "known")
              if (fresh) responses.set(exchange.messageId, exchange.responseId)
              return assert.strictEqual(exchange.responseId, idOf(command.of))
            }
            case "Advance":
              model.advance(command.of, command.to)
              return yield* sessions.advance(idOf(command.of), command.to)
            case "End": {
              ends += 1
              const text = `end ${ends}`
              const failure = command.fails ? ({ code: "SDK_ERROR", message: "No." } as const) : undefined
              const expected = model.end(command.of, command.fails ? "failed" : "completed", text)
              return assert.strictEqual(yield* sessions.end(idOf(command.of), { text, failure }), expected)
            }
            case "Requeue":
              return assert.strictEqual(yield* sessions.requeue(session.clawId), model.requeue())
            case "Pass":
              now += command.seconds * 1_000
              return yield* TestClock.adjust(command.seconds * 1_000)
            case "Remove":
              yield* sessions.remove("ann", session.sessionId)
              session = yield* sessions.create("ann", session.clawId)
              responses.clear()
              return model.clear()
          }
        })
        for (const command of commands) {
          // The store ends what has waited too long when it is looked at; the broker looks from time to time.
          yield* sessions.expire
          model.expire(now)
          yield* run(command)
        }
        yield* sessions.expire
        model.expire(now)
        const { items } = yield* sessions.history(session.sessionId, { limit: 100 })
        assert.deepStrictEqual(
          items.map(({ messageId, replyText, status }) => ({ messageId, status, text: replyText })),
          model.known.map(({ messageId, status, text }) => ({ messageId, status, text })).reverse()
        )
        const names = (list: ReadonlyArray<{ readonly messageId: string }>) => list.map((entry) => entry.messageId)
        const waiting = model.known.filter((entry) => entry.status === "waiting")
        const open = model.known.filter((entry) => entry.status !== "completed" && entry.status !== "failed")
        assert.deepStrictEqual(names(yield* sessions.waiting(session.clawId, 100)), names(waiting))
        assert.deepStrictEqual(names(yield* sessions.open(session.clawId)), names(open))
        assert.strictEqual(yield* sessions.countWaiting(session.clawId), waiting.length)
      }).pipe(Effect.provide(stores({ sessions: { maxWaiting, waitingLifetime: lifetime } })), Effect.scoped),
    { arbitrary: { runs: runs(60), size: 60 } }
  )
})
