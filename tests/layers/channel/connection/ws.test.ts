import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as WsConnection from "../../../../src/layers/channel/WsConnection.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { awaitPhase, awaitState, quiet } from "./harness.ts"
import * as Server from "./server.ts"

const credentials = { appKey: "key-of-the-agent", appSecret: Redacted.make("secret-of-the-agent") }

/** Connects to the server given and runs the program; everything is gone afterwards. */
const to =
  (url: string, options: Partial<WsConnection.WsConnectionOptions> = {}) =>
  <A, E>(program: Effect.Effect<A, E, Connection>): Effect.Effect<A, E> =>
    Effect.provide(program, WsConnection.layer({ url, credentials, backoffBase: 5, backoffJitter: 5, ...options }))

/** A TCP server that takes connections and says nothing. */
const silent = Effect.acquireRelease(
  Effect.promise(async () => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return { server, sockets, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/chat` }
  }),
  ({ server, sockets }) =>
    Effect.sync(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
)

const live = (title: string, program: Effect.Effect<void, unknown, import("effect/Scope").Scope>) =>
  it.live(title, () => quiet(Effect.scoped(program)))

describe("upgrade", () => {
  live(
    "carries the key, the secret and the extra headers, and no query",
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.gen(function* () {
        const link = yield* server.next
        assert.strictEqual(link.headers["x-app-key"], "key-of-the-agent")
        assert.strictEqual(link.headers["x-app-secret"], "secret-of-the-agent")
        assert.strictEqual(link.headers["x-claw-dialect"], "gateway")
        assert.isUndefined(link.headers["sec-websocket-extensions"])
      }).pipe(to(server.url, { headers: { "x-claw-dialect": "gateway" } }))
    })
  )

  live(
    "reads the credentials anew for each dial",
    Effect.gen(function* () {
      const server = yield* Server.make()
      let dials = 0
      const changing = Effect.sync(() => ({ ...credentials, appKey: `key-${++dials}` }))
      yield* Effect.gen(function* () {
        const first = yield* server.next
        yield* first.drop
        const second = yield* server.next
        assert.deepStrictEqual([first.headers["x-app-key"], second.headers["x-app-key"]], ["key-1", "key-2"])
      }).pipe(to(server.url, { credentials: changing }))
    })
  )

  for (const status of [401, 403]) {
    live(
      `refused with ${status} blocks`,
      Effect.gen(function* () {
        const server = yield* Server.make()
        server.refuse(status)
        yield* Effect.gen(function* () {
          const connection = yield* Connection
          const blocked = yield* awaitPhase("blocked")
          assert.deepInclude(blocked.lastFailure?.reason, { _tag: "CredentialsRefused", code: status })
          assert.strictEqual(server.upgrades(), 1)
          server.refuse(undefined)
          yield* connection.unblock
          yield* awaitPhase("connected")
        }).pipe(to(server.url))
      })
    )
  }

  for (const [body, reason] of [
    ['{"code":40102,"message":"x"}', { _tag: "NotAdmitted", why: "inactive" }],
    ['{"code":40103,"message":"x"}', { _tag: "NotAdmitted", why: "pending" }],
    ['{"code":40300,"message":"x"}', { _tag: "CredentialsRefused", code: 403 }],
    ["<html>no</html>", { _tag: "CredentialsRefused", code: 403 }],
    ["", { _tag: "CredentialsRefused", code: 403 }],
    [`{"code":40102,"message":"${"x".repeat(100_000)}"}`, { _tag: "CredentialsRefused", code: 403 }]
  ] as const) {
    live(
      `403 with ${body.slice(0, 16)} (${body.length}) blocks as ${reason._tag}, in our own words`,
      Effect.gen(function* () {
        const server = yield* Server.make()
        server.refuse(403, body)
        yield* Effect.gen(function* () {
          const blocked = yield* awaitPhase("blocked")
          assert.deepInclude(blocked.lastFailure?.reason, reason)
          assert.strictEqual(blocked.lastFailure?.transient, false)
          assert.notInclude(blocked.lastFailure?.message ?? "", 'x"')
          assert.strictEqual(server.upgrades(), 1)
        }).pipe(to(server.url))
      })
    )
  }

  for (const status of [302, 404, 503]) {
    live(
      `answered with ${status} is tried again, at the same address`,
      Effect.gen(function* () {
        const server = yield* Server.make()
        server.refuse(status)
        yield* Effect.gen(function* () {
          const waiting = yield* awaitState((state) => state.attempt >= 2)
          assert.deepInclude(waiting.lastFailure?.reason, { _tag: "Unreachable", code: status })
          server.refuse(undefined)
          yield* awaitPhase("connected")
        }).pipe(to(server.url))
      })
    )
  }

  live(
    "the first pong greets where the platform sends nothing",
    Effect.gen(function* () {
      const server = yield* Server.make({ greets: false })
      yield* Effect.gen(function* () {
        yield* server.next
        const now = yield* awaitPhase("connected")
        assert.isDefined(now.lastPongAt)
      }).pipe(to(server.url))
    })
  )
})

describe("addresses that keys may go to", () => {
  it.each([
    ["wss://claw.int-os.com/ws/chat", true],
    ["ws://127.0.0.1:8080/ws/chat", true],
    ["ws://127.8.9.1/ws/chat", true],
    ["ws://localhost/ws/chat", true],
    ["ws://[::1]:9/ws/chat", true],
    ["ws://claw.int-os.com/ws/chat", false],
    ["ws://localhost.example.com/ws/chat", false],
    ["ws://127.0.0.1.example.com/", false],
    ["ws://127.0.0.1@example.com/", false],
    ["ws://10.0.0.1/ws/chat", false],
    ["http://127.0.0.1/ws/chat", false],
    ["https://claw.int-os.com/", false],
    ["not an address", false]
  ])("%s: %s", (address, safe) => {
    assert.strictEqual(WsConnection.isSafeAddress(address), safe)
  })

  it("a flag opens ws:// to other hosts, and nothing but ws://", () => {
    assert.isTrue(WsConnection.isSafeAddress("ws://10.0.0.1/", true))
    assert.isFalse(WsConnection.isSafeAddress("http://10.0.0.1/", true))
  })

  live(
    "an address in clear is blocked before anything is dialed, and what is shown of it holds no password",
    Effect.gen(function* () {
      const blocked = yield* awaitPhase("blocked").pipe(to("ws://user:hidden@192.0.2.1/ws/chat?token=hidden"))
      assert.strictEqual(blocked.lastFailure?.reason._tag, "InsecureAddress")
      assert.notInclude(JSON.stringify(blocked), "hidden")
      assert.include(blocked.lastFailure?.message, "wss://")
    })
  )
})

describe("trouble", () => {
  live(
    "nobody listening is told in words and tried again",
    Effect.gen(function* () {
      const { server, url } = yield* silent
      yield* Effect.promise(async () => {
        server.close()
        await once(server, "close")
      })
      const waiting = yield* awaitState((state) => state.attempt >= 2).pipe(to(url))
      assert.include(waiting.lastFailure?.message, "nobody listens")
    })
  )

  live(
    "a peer that takes the connection and says nothing is given up after the open timeout",
    Effect.gen(function* () {
      const { url } = yield* silent
      const waiting = yield* awaitState((state) => state.attempt === 1).pipe(to(url, { openTimeout: 50 }))
      assert.include(waiting.lastFailure?.message, "no answer within")
    })
  )

  live(
    "closing while still dialing neither throws nor leaves a socket (close on a CONNECTING socket)",
    Effect.gen(function* () {
      const { server, url } = yield* silent
      const dialed = Effect.promise(() => once(server, "connection") as Promise<[Socket]>)
      const [socket] = yield* dialed.pipe(to(url))
      yield* Effect.promise(() => (socket.closed ? Promise.resolve([]) : once(socket.resume(), "close")))
    })
  )

  live(
    "close says 1000 to the platform",
    Effect.gen(function* () {
      const server = yield* Server.make()
      const link = yield* Effect.gen(function* () {
        const link = yield* server.next
        yield* awaitPhase("connected")
        return link
      }).pipe(to(server.url))
      assert.strictEqual(yield* link.ended, 1000)
    })
  )

  live(
    "a frame above the limit closes with 1009, and the connection comes back",
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.gen(function* () {
        const link = yield* server.next
        yield* link.push("x".repeat(3000))
        assert.strictEqual(yield* link.ended, 1009)
        yield* server.next
        yield* awaitState((state) => state.phase === "connected" && state.generation === 2)
      }).pipe(to(server.url, { maxFrameBytes: 2000 }))
    })
  )

  live(
    "an address or a header that cannot be is told in words and does not throw",
    Effect.gen(function* () {
      const odd = { appKey: "a\r\nb", appSecret: Redacted.make("s") }
      const waiting = yield* awaitState((state) => state.attempt >= 1).pipe(
        to("ws://127.0.0.1:1/#fragment", { credentials: odd })
      )
      assert.include(waiting.lastFailure?.message, "address or a header")
    })
  )

  live(
    "a link that answers no ping is terminated and replaced",
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.gen(function* () {
        const first = yield* server.next
        yield* awaitPhase("connected")
        yield* first.reading(false)
        yield* server.next
        const now = yield* awaitState((state) => state.generation === 2 && state.phase === "connected")
        assert.deepInclude(now.lastFailure?.reason, { _tag: "HeartbeatLost", missed: 3 })
      }).pipe(to(server.url, { heartbeatInterval: 30, timeoutThreshold: 60 }))
    })
  )

  live(
    "an event loop that is busy for many heartbeats does not lose a healthy link",
    Effect.gen(function* () {
      const server = yield* Server.make()
      yield* Effect.gen(function* () {
        yield* server.next
        const before = yield* awaitState((state) => state.phase === "connected" && state.lastPongAt !== undefined)
        yield* Effect.sync(() => {
          const end = performance.now() + 300
          while (performance.now() < end);
        })
        const after = yield* awaitState((state) => state.lastPongAt! > before.lastPongAt! + 300)
        assert.strictEqual(after.generation, 1)
        assert.isUndefined(after.lastFailure)
      }).pipe(to(server.url, { heartbeatInterval: 20, timeoutThreshold: 40 }))
    })
  )
})

describe("log", () => {
  it.live("has one line for each change of state, and never a key or a secret", () => {
    const lines: Array<string> = []
    const capture = Logger.layer([Logger.map(Logger.formatJson, (line) => void lines.push(line))])
    return Effect.scoped(
      Effect.gen(function* () {
        const server = yield* Server.make()
        yield* Effect.gen(function* () {
          const first = yield* server.next
          yield* awaitPhase("connected")
          yield* first.drop
          const second = yield* server.next
          yield* awaitState((state) => state.phase === "connected" && state.generation === 2)
          yield* second.close(1008)
          yield* awaitPhase("blocked")
        }).pipe(to(server.url))
      })
    ).pipe(
      Effect.provide(capture),
      Effect.andThen(
        Effect.sync(() => {
          const phases = lines.map((line) => JSON.parse(line).annotations.phase)
          assert.deepStrictEqual(phases, [
            "connecting",
            "connected",
            "reconnecting",
            "reconnecting",
            "connected",
            "blocked",
            "disconnected"
          ])
          assert.notMatch(lines.join("\n"), /key-of-the-agent|secret-of-the-agent/)
        })
      )
    )
  })
})
