/** An agent speaks by itself over the wire, and its person reads it: on a socket, in the history, under /v1. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as postgres from "../../../postgres/postgres.ts"
import { call, type Keys, openSession, person, type Platform, register, signIn, start } from "./harness.ts"

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform)
  const { token, user_id } = yield* signIn(platform)
  const sessionId = yield* openSession(platform, token, keys.claw_id)
  return { platform, keys, token, userId: user_id, sessionId }
})

const say = (platform: Platform, keys: Keys, body: unknown, key?: string) =>
  call(platform, "POST", "/bots/messages", {
    body,
    headers: {
      "x-api-key": keys.app_key,
      "x-api-secret": keys.app_secret,
      ...(key === undefined ? {} : { "idempotency-key": key })
    }
  })

describe("an agent speaks by itself", () => {
  it.live("its person is told at once, and finds it in the history; law once holds", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token, userId } = yield* setUp
      const line = yield* person(platform, token)
      const said = yield* say(platform, keys, { session_id: sessionId, text: "Your tea is ready." }, "k1")
      assert.strictEqual(said.status, 200, JSON.stringify(said.body))
      assert.deepInclude(said.body["data"], { session_id: sessionId, user_id: userId, message_id: "k1" })
      const accepted = yield* line.type("message.accepted")
      assert.deepInclude(accepted["message"], { input: [], status: "completed", reply_text: "Your tea is ready." })
      const end = yield* line.type("response.completed")
      assert.strictEqual(end["response"]["output_text"], "Your tea is ready.")
      assert.deepInclude(end["response"]["metadata"], { session_id: sessionId, origin: "agent" })

      const again = yield* say(platform, keys, { user_id: userId, text: "Your tea is ready." }, "k1")
      assert.strictEqual(again.body["data"]["response_id"], said.body["data"]["response_id"])
      const history = yield* call(platform, "GET", `/api/session/${sessionId}/messages`, { token })
      assert.strictEqual(history.body["data"]["items"].length, 1)
      assert.deepInclude(history.body["data"]["items"][0], { input: [], reply_text: "Your tea is ready." })
      assert.strictEqual(line.frames.filter(({ type }) => type === "message.accepted").length, 1)
    })
  )

  it.live("the person answers it: the conversation goes on from there under /v1", () =>
    Effect.gen(function* () {
      const { keys, platform, token, userId } = yield* setUp
      const said = yield* say(platform, keys, { user_id: userId, text: "Shall I?" })
      const id = said.body["data"]["response_id"]
      const read = yield* call(platform, "GET", `/v1/responses/${id}`, { token })
      assert.strictEqual(read.status, 200, JSON.stringify(read.body))
      assert.strictEqual(read.body["status"], "completed")
    })
  )

  it.live("whom it may speak to: people with whom it has a conversation, named one way", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, userId } = yield* setUp
      const other = yield* register(platform)
      const refused = [
        [other, { session_id: sessionId, text: "x" }, 404, "session_id"],
        [other, { user_id: userId, text: "x" }, 404, "user_id"],
        [keys, { text: "x" }, 400, "session_id"],
        [keys, { session_id: sessionId, user_id: userId, text: "x" }, 400, "session_id"],
        [keys, { session_id: sessionId, text: "" }, 400, "text"]
      ] as const
      for (const [who, body, status, param] of refused) {
        const answer = yield* say(platform, who, body)
        assert.strictEqual(answer.status, status, JSON.stringify(answer.body))
        assert.strictEqual(answer.body["param"], param)
        assert.isString(answer.body["message"])
      }
      const nobody = yield* say(platform, { ...keys, app_secret: "wrong" }, { session_id: sessionId, text: "x" })
      assert.strictEqual(nobody.status, 401)
      const people = yield* call(platform, "GET", "/bots/people", {
        headers: { "x-api-key": keys.app_key, "x-api-secret": keys.app_secret }
      })
      assert.deepInclude(people.body["data"]["items"][0], { user_id: userId, session_id: sessionId })
      assert.isAbove(String(people.body["data"]["items"][0]["name"]).length, 0)
    })
  )
})

describe.skipIf(postgres.missing !== undefined)("two platforms over one Postgres", () => {
  it.live("a person at the other one is told as well", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const url = Redacted.make(yield* postgres.database)
      const options = { data: yield* fs.makeTempDirectoryScoped(), postgres: { url, maxConnections: 3 } }
      const first = yield* start(options)
      const second = yield* start(options)
      const keys = yield* register(first)
      const { token, user_id } = yield* signIn(first)
      yield* openSession(first, token, keys.claw_id)
      const there = yield* person(second, token)
      yield* say(first, keys, { user_id, text: "Here I am." })
      const accepted = yield* there.type("message.accepted")
      assert.deepInclude(accepted["message"], { input: [], reply_text: "Here I am." })
      yield* there.type("response.completed")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
