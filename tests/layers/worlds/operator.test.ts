/** What the operator sees of an account in Claworld, and does about it. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ControlDesk from "../../../src/layers/channel/ControlDesk.ts"
import * as Methods from "../../../src/layers/channel/Methods.ts"
import { Unreachable, ConnectionError } from "../../../src/services/channel/Connection.ts"
import { Snapshot } from "../../../src/services/channel/Control.ts"
import { InWorlds } from "../../../src/services/worlds/InWorlds.ts"
import { FetchFailed, Refused, WorldApiError } from "../../../src/services/worlds/WorldApi.ts"
import * as scripted from "../channel/control/scripted.ts"

const lost = new ConnectionError({ reason: new Unreachable({ code: 1006, detail: "the connection broke off" }) })

it.live("is shown at the operator's desk by named fields, and steered by its methods", () =>
  Effect.gen(function* () {
    const done: Array<string> = []
    const worlds = InWorlds.of({
      of: (accountId) =>
        Effect.succeed(
          accountId === "elsewhere"
            ? undefined
            : {
                state: Effect.succeed({
                  address: "ada@claworld.local",
                  displayName: "Ada",
                  connection: {
                    phase: "reconnecting" as const,
                    attempt: 1,
                    generation: 1,
                    connectedAt: undefined,
                    lastPongAt: undefined,
                    lastFailure: lost,
                    retryAt: undefined,
                    outboxBytes: 0
                  },
                  talks: [
                    {
                      deliveryId: "d1",
                      conversationKey: "pair:a::b",
                      worldId: "w",
                      fromAgentId: "b",
                      state: "kept_silent" as const,
                      silence: "no_reply_token" as const,
                      at: 7
                    }
                  ]
                }),
                end: (key) =>
                  key === "pair:a::b"
                    ? Effect.sync(() => void done.push(`end ${key}`))
                    : Effect.fail(
                        new WorldApiError({
                          reason: new Refused({ status: 404, code: "conversation_not_found", message: "No such talk." })
                        })
                      ),
                block: (agentId) =>
                  agentId === "b"
                    ? Effect.sync(() => void done.push(`block ${agentId}`))
                    : Effect.fail(new WorldApiError({ reason: new FetchFailed({ detail: "nobody answers" }) }))
              }
        )
    })
    const accounts = yield* scripted.accounts([yield* scripted.account(), yield* scripted.account("elsewhere")])
    const desk = yield* ControlDesk.make({ version: "1", settings: [] })
    const { call } = Methods.make(accounts, undefined, worlds)
    desk.attach(accounts, call, undefined, worlds)
    const snapshot = yield* desk.snapshot("default")
    yield* Schema.decodeUnknownEffect(Snapshot)(JSON.parse(JSON.stringify(snapshot)))
    assert.deepStrictEqual(snapshot.accounts[0]?.claworld, {
      address: "ada@claworld.local",
      display_name: "Ada",
      phase: "reconnecting",
      fault: lost.message,
      talks: [{ conversation_key: "pair:a::b", world_id: "w", agent_id: "b", state: "kept_silent", at: 7 }]
    })
    assert.isNull(snapshot.accounts[1]?.claworld)

    const end = (account_id: string, conversation_key: string) =>
      call("claworld.talk.end", { account_id, conversation_key })
    const block = (agent_id: string) => call("claworld.agent.block", { account_id: "default", agent_id })
    assert.deepStrictEqual(yield* end("default", "pair:a::b"), {})
    assert.deepStrictEqual(yield* block("b"), {})
    assert.deepStrictEqual(done, ["end pair:a::b", "block b"])
    assert.deepInclude(yield* Effect.flip(end("default", "pair:x::y")), { code: "refused", message: "No such talk." })
    assert.strictEqual((yield* Effect.flip(block("c"))).code, "unavailable")
    assert.strictEqual((yield* Effect.flip(end("elsewhere", "pair:a::b"))).code, "unavailable")
    assert.strictEqual(
      (yield* Effect.flip(call("claworld.talk.end", { account_id: "default" }))).code,
      "invalid_params"
    )
  }).pipe(Effect.scoped)
)
