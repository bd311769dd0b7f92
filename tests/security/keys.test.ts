/** Keys are changed and ended, and what was open under them ends with them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenAccess from "../../src/layers/platform/OpenAccess.ts"
import {
  agent,
  ask,
  call,
  dial,
  isMessage,
  type Json,
  type Keys,
  message,
  openSession,
  pen,
  person,
  type Platform,
  register,
  signIn,
  start
} from "../layers/platform/edge/harness.ts"

const rotate = (platform: Platform, token: string, keys: Keys, body: Json = {}) =>
  call(platform, "POST", `/api/agents/${keys.claw_id}/keys`, { token, body })

const revoke = (platform: Platform, token: string, keys: Keys) =>
  call(platform, "DELETE", `/api/agents/${keys.claw_id}/keys`, { token })

const isRefused = (platform: Platform, keys: Keys) =>
  Effect.flatMap(dial(platform, { "x-app-key": keys.app_key, "x-app-secret": keys.app_secret }), (line) =>
    Effect.map(line.refusal, ({ status }) => status === 401)
  )

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform)
  const { token } = yield* signIn(platform)
  return { platform, keys, token }
})

describe("the secret of an agent", () => {
  it.live("is changed by its person: the socket under the old one ends with 1008, the new one connects", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const { body, status } = yield* rotate(platform, token, keys)
      assert.strictEqual(status, 200)
      assert.strictEqual((yield* worker.end).code, 1008)
      assert.isTrue(yield* isRefused(platform, keys))
      const fresh: Keys = body["data"]
      assert.notStrictEqual(fresh.app_secret, keys.app_secret)
      yield* agent(platform, fresh)
    })
  )

  it.live("is changed by the agent itself, with its present keys", () =>
    Effect.gen(function* () {
      const { keys, platform } = yield* setUp
      const headers = { "x-app-key": keys.app_key, "x-app-secret": keys.app_secret }
      const { body, status } = yield* call(platform, "POST", "/profiles/rotate", { headers, body: {} })
      assert.strictEqual(status, 200)
      yield* agent(platform, body["data"])
      const again = yield* call(platform, "POST", "/profiles/rotate", { headers, body: {} })
      assert.strictEqual(again.status, 401)
    })
  )

  it.live("with a grace the old socket stays; changing it once more ends the one before the one before", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const first = yield* agent(platform, keys, "gateway")
      const second: Keys = (yield* rotate(platform, token, keys, { grace_seconds: 3_600 })).body["data"]
      yield* call(platform, "GET", "/api/me", { token })
      assert.isUndefined(first.ended)
      yield* rotate(platform, token, keys, { grace_seconds: 3_600 })
      assert.strictEqual((yield* first.end).code, 1008)
      yield* agent(platform, second)
      assert.isTrue(yield* isRefused(platform, keys))
    })
  )

  it.live("revoked: closed at once, and nothing that it still writes is heard", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const line = yield* person(platform, token)
      const worker = yield* agent(platform, keys, "gateway")
      ask(line, sessionId, "m1")
      const write = pen(worker, "gateway", yield* message(worker), "r1")
      write.begin()
      yield* line.type("response.created")
      // It neither reads nor hangs up: the platform does.
      worker.ws.pause()
      assert.strictEqual((yield* revoke(platform, token, keys)).status, 200)
      write.complete("stolen")
      const away = yield* line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === false)
      assert.strictEqual(away["claw_id"], keys.claw_id)
      assert.notInclude(JSON.stringify(line.frames), "stolen")
      worker.ws.resume()
      assert.strictEqual((yield* worker.end).code, 1008)
      assert.isTrue(yield* isRefused(platform, keys))
    })
  )

  it.live("is nobody else's to change: not another person's, not through a proxy where nobody owns it", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const owned: Keys = (yield* call(platform, "POST", "/profiles/create", { token, body: { name: "Mine" } })).body[
        "data"
      ]
      const bob = yield* signIn(platform, "Bob")
      assert.strictEqual((yield* rotate(platform, bob.token, owned)).status, 403)
      assert.strictEqual((yield* revoke(platform, bob.token, owned)).status, 403)
      assert.strictEqual((yield* rotate(platform, token, owned)).status, 200)
      const nobodys = yield* register(platform, "Nobody's")
      const through = yield* call(platform, "DELETE", `/api/agents/${nobodys.claw_id}/keys`, {
        token: bob.token,
        headers: { "x-forwarded-for": "198.51.100.1" }
      })
      assert.strictEqual(through.status, 403)
      assert.strictEqual((yield* rotate(platform, bob.token, { ...owned, claw_id: "claw_none" })).status, 404)
      const unsigned = yield* call(platform, "DELETE", `/api/agents/${owned.claw_id}/keys`)
      assert.strictEqual(unsigned.status, 401)
    })
  )

  it.live("unknown, wrong, revoked and old keys get the same answer, to the letter", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const gone = yield* register(platform, "Gone")
      yield* revoke(platform, token, gone)
      const old = yield* register(platform, "Old")
      yield* rotate(platform, token, old)
      const answers = new Set<string>()
      for (const [appKey, secret] of [
        ["ak_nobody", "x"],
        [keys.app_key, "wrong"],
        [keys.app_key, ""],
        [gone.app_key, gone.app_secret],
        [old.app_key, old.app_secret]
      ] as const) {
        const line = yield* dial(platform, { "x-app-key": appKey, "x-app-secret": secret })
        answers.add(JSON.stringify(yield* line.refusal))
      }
      assert.strictEqual(answers.size, 1)
    })
  )
})

describe("a person's key", () => {
  const keyOf = (platform: Platform, token: string) =>
    Effect.map(
      call(platform, "POST", "/api/keys", { token, body: { name: "laptop" } }),
      ({ body }): { readonly key: string; readonly key_id: string } => body["data"]
    )

  it.live("revoked: sockets opened with it, by header and by ticket, end with 1008; others stay", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const { key, key_id } = yield* keyOf(platform, token)
      const other = yield* keyOf(platform, token)
      const byHeader = yield* person(platform, key)
      const { body } = yield* call(platform, "POST", "/api/ticket", { token: key })
      const byTicket = yield* dial(platform, {}, `/ws/chat?ticket=${body["data"]["ticket"]}`)
      yield* byTicket.type("session.auto_bound")
      const unused = (yield* call(platform, "POST", "/api/ticket", { token: key })).body["data"]["ticket"]
      const own = yield* person(platform, token)
      const second = yield* person(platform, other.key)
      assert.strictEqual((yield* call(platform, "DELETE", `/api/keys/${key_id}`, { token })).status, 200)
      assert.strictEqual((yield* byHeader.end).code, 1008)
      assert.strictEqual((yield* byTicket.end).code, 1008)
      const late = yield* dial(platform, {}, `/ws/chat?ticket=${unused}`)
      assert.strictEqual((yield* late.refusal).status, 401)
      assert.strictEqual((yield* call(platform, "GET", "/api/me", { token: key })).status, 401)
      assert.strictEqual((yield* call(platform, "GET", "/api/me", { token })).status, 200)
      assert.isUndefined(own.ended)
      assert.isUndefined(second.ended)
    })
  )

  it.live("revoked: a reply streamed under /v1 breaks off, and the agent is told to stop", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const { key, key_id } = yield* keyOf(platform, token)
      const worker = yield* agent(platform, keys, "gateway")
      const response = yield* Effect.promise(() =>
        fetch(`${platform.url}/v1/responses`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ model: keys.claw_id, input: "hi", stream: true })
        })
      )
      const got = yield* message(worker)
      const write = pen(worker, "gateway", got, "r1")
      write.begin()
      write.delta("first words ")
      const reader = response.body?.getReader()
      yield* Effect.promise(async () => {
        let text = ""
        while (!text.includes("first words")) text += new TextDecoder().decode((await reader?.read())?.value)
      })
      yield* call(platform, "DELETE", `/api/keys/${key_id}`, { token })
      const broken = yield* Effect.promise(async () => {
        try {
          while ((await reader?.read())?.done !== true);
          return "ended well"
        } catch {
          return "broke off"
        }
      })
      assert.strictEqual(broken, "broke off")
      const cancel = yield* worker.next((frame) => !isMessage(frame) && JSON.stringify(frame).includes("cancel"))
      assert.isDefined(cancel)
    })
  )

  it.live("makes no other keys", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const { key } = yield* keyOf(platform, token)
      const answer = yield* call(platform, "POST", "/api/keys", { token: key, body: { name: "child" } })
      assert.strictEqual(answer.status, 403)
      assert.include(JSON.stringify(answer.body), "Sign in")
    })
  )

  it.live("may revoke itself, and is told that it did", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const { key, key_id } = yield* keyOf(platform, token)
      assert.strictEqual((yield* call(platform, "DELETE", `/api/keys/${key_id}`, { token: key })).status, 200)
      assert.strictEqual((yield* call(platform, "DELETE", `/api/keys/${key_id}`, { token: key })).status, 401)
    })
  )
})

describe("OpenAccess", () => {
  it("what comes in between the check of a key and its end is ended too", () => {
    const access = OpenAccess.make()
    const shown = { holder: "h", hash: "s1", isTicket: false }
    let cuts = 0
    const close = access.open(shown, () => cuts++)
    assert.strictEqual(access.count("h"), 1)
    access.end("h", ["s2"])
    assert.strictEqual(cuts, 1)
    close()
    access.open(shown, () => cuts++)
    assert.strictEqual(cuts, 2)
    access.open({ ...shown, hash: "s2" }, () => cuts++)
    assert.strictEqual(cuts, 2)
    assert.strictEqual(access.count("h"), 1)
  })

  it("a ticket ends with the key that it was got with", () => {
    const access = OpenAccess.make()
    access.ticket("t", { holder: "h", hash: "h", isTicket: false })
    let isCut = false
    access.open({ holder: "t", hash: "t", isTicket: true }, () => (isCut = true))
    access.end("h")
    assert.isTrue(isCut)
  })
})
