/** Whatever two agents and time do in whatever order, their talks are what plain code says (laws one-conversation, turn-order, hands, kickoff-once, online-only). */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Talks } from "../../../../src/services/platform/Talks.ts"
import { endToken, raiseHandModes } from "../../../../src/services/protocol/Worlds.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { agent, as, setOnline, talksOver } from "./talkFixtures.ts"
import { expiry, lastWords, make, Step, timeout } from "./talkModel.ts"

const names = ["ann", "bob"] as const
const key = "pair:ann::bob"
const waits = [1, 1, 500, 2_000, 4_999, 5_000, 5_001, 20_000, 60_000, 100_000] as const

forEachDatabase("Talks against their model", (stores, runs) => {
  it.effect.prop(
    "ask, decide, speak, raise hands, keep silent, come, go and let time pass in any order",
    [
      Schema.Struct({
        mode: Schema.Literals(raiseHandModes),
        maxTurns: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
        steps: Schema.Array(Step).check(Schema.isMinLength(10), Schema.isMaxLength(50))
      })
    ],
    ([{ maxTurns, mode, steps }]) =>
      Effect.gen(function* () {
        const talks = yield* Talks
        for (const name of names) yield* agent(name)
        const model = make(mode, maxTurns)
        const ids: Array<string> = []
        const episodePolicy = { maxTurns, turnTimeoutMs: timeout, raiseHandPolicy: { mode } }
        const start = [
          { op: "Request", who: 0, opening: true, luck: 0 },
          { op: "Accept", who: 1, opening: true, luck: 0 }
        ] as const
        for (const [number, step] of [...start, ...steps].entries()) {
          const at = `step ${number}: ${JSON.stringify(step)}`
          // Talks that begin in one moment could not be told apart by age.
          yield* TestClock.adjust(1)
          const now = yield* Clock.currentTimeMillis
          const { luck, op, opening, who } = step
          const name = names[who]
          switch (op) {
            case "Request": {
              const target = names[who === 0 ? 1 : 0]
              const expected = model.request(who, opening, now)
              const made = yield* Effect.result(
                talks.request(as(name), {
                  agentId: name,
                  targetAgentId: target,
                  episodePolicy,
                  ...(opening ? { openingMessage: "brief" } : {})
                })
              )
              assert.strictEqual(Result.isSuccess(made), expected !== undefined, at)
              if (Result.isFailure(made) || expected === undefined) break
              const index = model.requests.indexOf(expected)
              ids[index] ??= made.success.chatRequest.chatRequestId
              assert.strictEqual(made.success.chatRequest.chatRequestId, ids[index], at)
              break
            }
            case "Accept":
            case "Reject": {
              const index = Math.max(0, ids.length - 1 - (luck % 2))
              const word = op === "Accept" ? "accepted" : "rejected"
              const decided = yield* Effect.result(
                op === "Accept" ? talks.accept(as(name), ids[index] ?? "") : talks.reject(as(name), ids[index] ?? "")
              )
              assert.strictEqual(Result.isSuccess(decided), model.decide(who, index, word, now), at)
              break
            }
            case "Say":
            case "Hand":
            case "Silence": {
              const open = (yield* talks.pending(name)).find(({ metadata }) => metadata.allowReply)
              const expected = model.answer(who, op, now)
              assert.strictEqual(open !== undefined, expected !== undefined, at)
              if (open === undefined) break
              const say = () =>
                op === "Silence"
                  ? talks.keptSilent(name, open.deliveryId, "no_reply_token")
                  : talks.replied(name, open.deliveryId, op === "Hand" ? `words\n${endToken}` : "words")
              assert.strictEqual(Result.isSuccess(yield* Effect.result(say())), expected, at)
              // Once more changes nothing, and is answered as it was.
              assert.strictEqual(Result.isSuccess(yield* Effect.result(say())), expected, at)
              break
            }
            case "Take": {
              const notice = (yield* talks.pending(name)).find(({ metadata }) => !metadata.allowReply)
              model.take(who)
              if (notice !== undefined) yield* talks.accepted(name, notice.deliveryId)
              break
            }
            case "Come":
              yield* setOnline(name, true)
              model.come(who, now)
              yield* talks.came(name)
              break
            case "Go":
              yield* setOnline(name, false)
              model.online[who] = false
              break
            case "Pass":
              yield* TestClock.adjust(waits[luck] ?? 1)
              break
            case "Sweep":
              model.sweep(now)
              yield* talks.sweep
          }
          for (const [i, each] of names.entries()) {
            assert.strictEqual((yield* talks.pending(each)).length, model.waiting(i === 0 ? 0 : 1), `${at}: ${each}`)
          }
          const known = model.current()
          if (known === undefined) continue
          const { conversation, turns } = yield* talks.transcript(as("ann"), key)
          assert.deepStrictEqual(
            {
              status: conversation.status,
              turn: conversation.turn,
              speaker: conversation.speakerAgentId,
              hands: [...conversation.hands].sort(),
              reason: conversation.endReason,
              requester: conversation.requesterAgentId
            },
            {
              status: model.status(known),
              turn: known.turn,
              speaker: known.speaker === undefined ? null : names[known.speaker],
              hands: [...known.hands].map((side) => names[side]).sort(),
              reason: known.reason,
              requester: names[known.requester]
            },
            at
          )
          assert.deepStrictEqual(
            turns.map((turn) => turn.fromAgentId),
            turns.map((_, i) => (i % 2 === 0 ? names[known.requester] : names[known.requester === 0 ? 1 : 0])),
            "law turn-order"
          )
        }
      }).pipe(
        Effect.provide(talksOver(stores(), { expiry, lastWords, requestsPerHour: 1_000, requestsPerPair: 1_000 }))
      ),
    { arbitrary: { runs: runs(60), size: 60 } }
  )
})
