/** Speaking to people without having been asked, over a real platform and over strangers that are none. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Outreach from "../../../src/layers/channel/Outreach.ts"
import type { OutreachError } from "../../../src/services/channel/Outreach.ts"
import { openSession, register, signIn, start } from "../platform/edge/harness.ts"

const make = (url: string, keys = { app_key: "k", app_secret: "s" }) =>
  Outreach.make({
    url: new URL(url),
    appKey: keys.app_key,
    appSecret: Redacted.make(keys.app_secret)
  }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))

const reasonOf = (self: Effect.Effect<unknown, OutreachError>) => Effect.map(Effect.flip(self), ({ reason }) => reason)

const stranger = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(answer)
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
    }),
    ({ server }) =>
      Effect.promise(async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      })
  )

describe("speaking to people", () => {
  it.live("finds them by conversation, id and name, and speaks once", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const ada = yield* signIn(platform, "Ada")
      const sessionId = yield* openSession(platform, ada.token, keys.claw_id)
      const outreach = yield* make(`${platform.url}/ws/chat`, keys)
      for (const target of [sessionId, ada.user_id, "Ada", " ada "]) {
        assert.strictEqual((yield* outreach.find(target)).session_id, sessionId, target)
      }
      const said = yield* outreach.say({ sessionId, text: "Hello!", key: "k" })
      assert.deepStrictEqual(yield* outreach.say({ sessionId, text: "Hello!", key: "k" }), said)
      const unknown = yield* Effect.flip(outreach.find("Nobody\nat all"))
      assert.match(unknown.message, /Nobody at all.*There are: Ada \(/)
      assert.strictEqual(
        (yield* reasonOf(outreach.say({ sessionId: "sess_x", text: "x", key: "q" })))._tag,
        "UnknownTarget"
      )
      const refused = yield* reasonOf(outreach.say({ sessionId, text: " ", key: "q" }))
      assert.strictEqual(refused._tag, "SayingRefused")
    })
  )

  it.live("finds an older conversation of a person by its id; one of somebody else's is refused", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const ada = yield* signIn(platform, "Ada")
      const older = yield* openSession(platform, ada.token, keys.claw_id)
      const newer = yield* openSession(platform, ada.token, keys.claw_id)
      const outreach = yield* make(`${platform.url}/ws/chat`, keys)
      for (const sessionId of [older, newer]) {
        assert.strictEqual((yield* outreach.find(sessionId)).session_id, sessionId)
        const said = yield* outreach.say({ sessionId, text: "Hello!", key: sessionId })
        assert.strictEqual(said.session_id, sessionId)
      }
      const other = yield* register(platform)
      const elsewhere = yield* openSession(platform, ada.token, other.claw_id)
      const found = yield* outreach.find(elsewhere)
      const refused = yield* reasonOf(outreach.say({ sessionId: found.session_id, text: "x", key: "e" }))
      assert.strictEqual(refused._tag, "UnknownTarget")
    })
  )

  it.live("a platform without it is told as that, whatever it answers", () =>
    Effect.gen(function* () {
      const answers: ReadonlyArray<(response: ServerResponse) => void> = [
        (response) => response.writeHead(404).end("<h1>Not found</h1>"),
        (response) => response.writeHead(405).end(),
        (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
        (response) => response.writeHead(200).end(JSON.stringify({ code: 0, data: {} }))
      ]
      for (const answer of answers) {
        const { url } = yield* stranger((_, response) => answer(response))
        const outreach = yield* make(url)
        const error = yield* Effect.flip(outreach.find("Ada"))
        assert.strictEqual(error.reason._tag, "NotOffered")
        assert.match(error.message, /answers alone/)
      }
    })
  )

  it.live("law once: what got no answer is said again under the same key; law secret: no redirect is followed", () =>
    Effect.gen(function* () {
      const keys: Array<unknown> = []
      const flaky = yield* stranger((request, response) => {
        keys.push(request.headers["idempotency-key"])
        if (keys.length < 3) return response.writeHead(503).end()
        const data = { message_id: "k", response_id: "r", session_id: "s", user_id: "u", created_at: 1 }
        return response.end(JSON.stringify({ code: 0, message: "ok", data }))
      })
      const outreach = yield* make(flaky.url)
      assert.strictEqual((yield* outreach.say({ sessionId: "s", text: "x", key: "k1" })).response_id, "r")
      assert.deepStrictEqual(keys, ["k1", "k1", "k1"])
      let followed = false
      const other = yield* stranger((_, response) => {
        followed = true
        response.end()
      })
      const moved = yield* stranger((_, response) => response.writeHead(307, { location: other.url }).end())
      yield* Effect.flip((yield* make(moved.url)).people)
      assert.isFalse(followed)
    })
  )

  it.live("a platform that is away is told as that, and may be tried again", () =>
    Effect.gen(function* () {
      const { url } = yield* stranger((_, response) => response.destroy())
      const error = yield* Effect.flip((yield* make(url)).people)
      assert.strictEqual(error.reason._tag, "PlatformAway")
      assert.isTrue(error.transient)
    })
  )
})
