/** Law bounded, for those who ask: how often, how much, how many at once, how slowly. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import { connect } from "node:net"
import * as Limits from "../../src/layers/platform/Limits.ts"
import * as limitStore from "../../src/layers/platform/limitStore.ts"
import {
  agent,
  ask,
  call,
  dial,
  openSession,
  person,
  register,
  signIn,
  start
} from "../layers/platform/edge/harness.ts"

const away = (address: string, key?: string): Limits.Asker => ({ address, key })

const granted = (limits: Limits.Limits, door: Limits.Door, asker: Limits.Asker, most: number) =>
  Effect.gen(function* () {
    for (let count = 0; count < most; count++) {
      if (Exit.isFailure(yield* Effect.exit(limits.take(door, asker)))) return count
    }
    return most
  })

describe("Limits", () => {
  it.effect("a bucket holds a minute's worth, fills evenly, and says how long to wait", () =>
    Effect.gen(function* () {
      const limits = yield* Limits.make({ rates: { messages: 6 } })
      assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.1", "k"), 100), 6)
      const refused = yield* Effect.flip(limits.take("messages", away("198.51.100.1", "k")))
      assert.strictEqual(refused.retryAfter, 10)
      assert.include(refused.message, "10 seconds")
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.1", "k"), 100), 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.1", "k"), 100), 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.1", "k"), 100), 6)
    })
  )

  it.effect("keys do not share, doors do not share, but made-up keys share their address", () =>
    Effect.gen(function* () {
      const limits = yield* Limits.make({ rates: { messages: 4, calls: 4 } })
      assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.1", "a"), 9), 4)
      assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.2", "b"), 9), 4)
      assert.strictEqual(yield* granted(limits, "calls", away("198.51.100.1", "a"), 9), 4)
      let count = 0
      for (let index = 0; index < 100; index++) {
        count += yield* granted(limits, "messages", away("198.51.100.3", `made up ${index}`), 1)
      }
      assert.strictEqual(count, 20)
    })
  )

  it.effect("signing in counts by address, whatever key is shown", () =>
    Effect.gen(function* () {
      const limits = yield* Limits.make({ rates: { signIn: 3 } })
      let count = 0
      for (let index = 0; index < 20; index++) {
        count += yield* granted(limits, "signIn", away("198.51.100.1", `k${index}`), 1)
      }
      assert.strictEqual(count, 3)
      // The whole /64 of an IPv6 customer is one.
      assert.strictEqual(yield* granted(limits, "signIn", away("2001:db8::1"), 9), 3)
      assert.strictEqual(yield* granted(limits, "signIn", away("2001:db8::2"), 9), 0)
    })
  )

  it.effect("after too many unknown keys no key is looked up from that address, for a while", () =>
    Effect.gen(function* () {
      const limits = yield* Limits.make({ rates: { refusals: 5 } })
      for (let index = 0; index < 5; index++) {
        yield* limits.take("calls", away("198.51.100.1", `guess ${index}`))
        yield* limits.refused(away("198.51.100.1", `guess ${index}`))
      }
      const refused = yield* Effect.flip(limits.take("calls", away("198.51.100.1", "the right one")))
      assert.strictEqual(refused.door, "refusals")
      yield* limits.take("calls", away("198.51.100.1"))
      yield* limits.take("calls", away("198.51.100.2", "the right one"))
      yield* TestClock.adjust("1 minute")
      yield* limits.take("calls", away("198.51.100.1", "the right one"))
    })
  )

  it.effect("this machine itself is not limited unless that is wanted", () =>
    Effect.gen(function* () {
      const free = yield* Limits.make({ rates: { calls: 2 } })
      assert.strictEqual(yield* granted(free, "calls", away("127.0.0.1", "a"), 50), 50)
      const strict = yield* Limits.make({ rates: { calls: 2 }, loopback: true })
      assert.strictEqual(yield* granted(strict, "calls", away("127.0.0.1", "a"), 50), 2)
    })
  )

  it.effect(
    "law bounded: strangers' addresses do not fill the memory; a known bucket outlives the flood it is used in",
    () =>
      Effect.gen(function* () {
        const limiter = yield* RateLimiter.make
        const take = (key: string) =>
          Effect.exit(
            limiter.consume({ algorithm: "token-bucket", window: "1 minute", limit: 2, key, onExceeded: "fail" })
          )
        yield* take("busy")
        yield* take("busy")
        for (let index = 0; index < 1_000; index++) {
          yield* take(`stranger ${index}`)
          assert.isTrue(Exit.isFailure(yield* take("busy")))
        }
        // The first of them was forgotten and starts anew; the last was not.
        assert.isTrue(Exit.isSuccess(yield* take("stranger 0")))
        assert.isTrue(Exit.isSuccess(yield* take("stranger 0")))
        yield* take("stranger 999")
        assert.isTrue(Exit.isFailure(yield* take("stranger 999")))
      }).pipe(Effect.provide(limitStore.layer(20)))
  )

  it.effect("the default leaves one busy person alone", () =>
    Effect.gen(function* () {
      const limits = yield* Limits.make()
      for (let minute = 0; minute < 3; minute++) {
        assert.strictEqual(yield* granted(limits, "messages", away("198.51.100.1", "k"), 60), 60)
        assert.strictEqual(yield* granted(limits, "calls", away("198.51.100.1", "k"), 600), 600)
        assert.strictEqual(yield* granted(limits, "sockets", away("198.51.100.1", "k"), 30), 30)
        yield* TestClock.adjust(Duration.minutes(1))
      }
    })
  )
})

describe("too often, at the doors", () => {
  const strict = (rates: Partial<Limits.Rates>, more: object = {}) =>
    start({ limits: { rates, loopback: true }, ...more })

  it.live("a call is answered 429 with Retry-After and a sentence; probes go on", () =>
    Effect.gen(function* () {
      const platform = yield* strict({ calls: 1 })
      const { token } = yield* signIn(platform)
      assert.strictEqual((yield* call(platform, "GET", "/api/me", { token })).status, 200)
      const refused = yield* call(platform, "GET", "/api/me", { token })
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.body["code"], 42900)
      assert.isNull(refused.body["data"])
      assert.match(refused.body["message"], /Wait \d+ seconds and try again/)
      assert.isAtLeast(Number(refused.headers.get("retry-after")), 1)
      assert.strictEqual(refused.headers.get("x-content-type-options"), "nosniff")
      for (let index = 0; index < 10; index++) {
        assert.strictEqual((yield* call(platform, "GET", "/healthz")).status, 200)
        assert.strictEqual((yield* call(platform, "GET", "/readyz")).status, 200)
      }
    })
  )

  it.live("sign-ins and registrations count by address", () =>
    Effect.gen(function* () {
      const platform = yield* strict({ signIn: 2, register: 1 })
      yield* signIn(platform, "Ann")
      yield* signIn(platform, "Bob")
      assert.strictEqual((yield* call(platform, "POST", "/api/sign-in", { body: { name: "Cid" } })).status, 429)
      yield* register(platform)
      assert.strictEqual((yield* call(platform, "POST", "/profiles/create", { body: { name: "x" } })).status, 429)
    })
  )

  it.live("under /v1 it is said as OpenAI says it", () =>
    Effect.gen(function* () {
      const platform = yield* strict({ messages: 1 })
      const { token } = yield* signIn(platform)
      yield* call(platform, "POST", "/v1/responses", { token, body: { model: "x", input: "hi" } })
      const { body, headers, status } = yield* call(platform, "POST", "/v1/responses", {
        token,
        body: { model: "x", input: "hi" }
      })
      assert.strictEqual(status, 429)
      assert.deepInclude(body["error"], { type: "rate_limit_error", code: "rate_limit_exceeded", param: null })
      assert.isNotNull(headers.get("retry-after"))
    })
  )

  it.live("an upgrade is refused with 429 in words; a frame with rate_limited, and the socket stays", () =>
    Effect.gen(function* () {
      const platform = yield* strict({ sockets: 1, messages: 2 })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const line = yield* person(platform, token)
      for (const id of ["a", "b", "c"]) ask(line, sessionId, id)
      const { error } = yield* line.error()
      assert.strictEqual(error.code, "rate_limited")
      assert.match(error.message, /Wait \d+ seconds/)
      const taken = line.frames.filter((frame) => frame["type"] === "message.accepted")
      assert.deepStrictEqual(
        taken.map((frame) => frame["message_id"]),
        ["a", "b"]
      )
      assert.isUndefined(line.ended)
      const { body, status } = yield* (yield* dial(platform, { authorization: `Bearer ${token}` })).refusal
      assert.strictEqual(status, 429)
      assert.strictEqual(body["code"], 42900)
    })
  )

  it.live("what an agent answers is not rationed", () =>
    Effect.gen(function* () {
      const platform = yield* strict({ messages: 1, sockets: 5 })
      const keys = yield* register(platform)
      const worker = yield* agent(platform, keys, "gateway")
      for (let index = 0; index < 20; index++) worker.send({ type: "session.bind", session_id: `none ${index}` })
      for (let index = 0; index < 20; index++) {
        assert.strictEqual((yield* worker.error())["error"]["code"], "session_not_found")
      }
    })
  )

  it.live("sockets open at once under one key are bounded; closing one makes room", () =>
    Effect.gen(function* () {
      const platform = yield* start({ maxSocketsPerKey: 2 })
      const { token } = yield* signIn(platform)
      const first = yield* person(platform, token)
      yield* person(platform, token)
      const third = yield* dial(platform, { authorization: `Bearer ${token}` })
      assert.strictEqual((yield* third.refusal).status, 429)
      // Tickets count for whoever asked for them.
      const { body } = yield* call(platform, "POST", "/api/ticket", { token })
      const ticketed = yield* dial(platform, {}, `/ws/chat?ticket=${body["data"]["ticket"]}`)
      assert.strictEqual((yield* ticketed.refusal).status, 429)
      const other = yield* signIn(platform, "Bob")
      yield* person(platform, other.token)
      first.ws.close()
      yield* first.end
      yield* person(platform, token)
    })
  )

  it.live("X-Forwarded-For counts behind a proxy of ours only, from the right", () =>
    Effect.gen(function* () {
      const signInAs = (platform: Parameters<typeof call>[0], forwarded: string) =>
        Effect.map(
          call(platform, "POST", "/api/sign-in", { body: { name: "Ann" }, headers: { "x-forwarded-for": forwarded } }),
          ({ status }) => status
        )
      const behind = yield* start({ openSignIn: true, behindProxy: 1, limits: { rates: { signIn: 1 } } })
      assert.strictEqual(yield* signInAs(behind, "6.6.6.1, 198.51.100.1"), 200)
      // Another made-up part on the left is the same client still.
      assert.strictEqual(yield* signInAs(behind, "6.6.6.2, 198.51.100.1"), 429)
      assert.strictEqual(yield* signInAs(behind, "127.0.0.1, 198.51.100.1"), 429)
      assert.strictEqual(yield* signInAs(behind, "198.51.100.2"), 200)
      const direct = yield* start({ openSignIn: true, limits: { rates: { signIn: 1 }, loopback: true } })
      assert.strictEqual(yield* signInAs(direct, "198.51.100.1"), 200)
      assert.strictEqual(yield* signInAs(direct, "198.51.100.2"), 429)
    })
  )
})

describe("too much, too slow", () => {
  interface Said {
    readonly status: number
    readonly body: string
  }

  /** A body of a length that is not told. By hand: Node's client drops the answer where it could not write it all. */
  const chunked = (port: number, path: string, bytes: number, token: string) =>
    Effect.promise(
      () =>
        new Promise<Said>((resolve) => {
          const socket = connect(port, "127.0.0.1")
          let said = ""
          socket.on("data", (chunk) => {
            said += String(chunk)
            if (said.includes("larger")) socket.destroy()
          })
          socket.on("error", () => {})
          socket.on("close", () => resolve({ status: Number(said.split(" ", 2)[1]), body: said }))
          socket.write(
            `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
          )
          const piece = "x".repeat(65_536)
          for (let sent = 0; sent < bytes; sent += piece.length) socket.write(`10000\r\n${piece}\r\n`)
          socket.write("0\r\n\r\n")
        })
    )

  it.live("a body past the bound is refused with 413, its length told or not, also under /v1", () =>
    Effect.gen(function* () {
      const platform = yield* start({ maxBodyBytes: 100_000 })
      const { token } = yield* signIn(platform)
      const name = "x".repeat(100_001)
      const told = yield* call(platform, "POST", "/api/sign-in", { body: { name } })
      assert.strictEqual(told.status, 413)
      assert.strictEqual(told.body["code"], 41300)
      const v1 = yield* call(platform, "POST", "/v1/responses", { token, body: { model: "x", input: name } })
      assert.strictEqual(v1.status, 413)
      assert.strictEqual(v1.body["error"]["code"], "request_too_large")
      for (const path of ["/api/sign-in", "/v1/responses"]) {
        const { body, status } = yield* chunked(platform.port, path, 1_000_000, token)
        assert.strictEqual(status, 413, path)
        assert.include(body, "larger")
      }
    })
  )

  const hungUp = (port: number, feed: (write: (text: string) => void) => void) =>
    Effect.promise(
      () =>
        new Promise<string>((resolve) => {
          const socket = connect(port, "127.0.0.1")
          let said = ""
          socket.on("data", (bytes) => (said += String(bytes)))
          socket.on("error", () => {})
          socket.on("close", () => resolve(said))
          socket.on("connect", () => feed((text) => void socket.write(text)))
        })
    )

  it.live("a connection that says nothing, or never ends its headers, is hung up on", () =>
    Effect.gen(function* () {
      const platform = yield* start({ connections: { handshakeTimeout: 200 } })
      yield* hungUp(platform.port, () => {})
      const said = yield* hungUp(platform.port, (write) => write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "))
      assert.match(said, /^(HTTP\/1\.1 408|$)/)
      yield* hungUp(platform.port, (write) =>
        write("GET /ws/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
      )
      assert.strictEqual((yield* call(platform, "GET", "/healthz")).status, 200)
    })
  )

  it.live("a body that never ends is hung up on", () =>
    Effect.gen(function* () {
      const platform = yield* start({ connections: { handshakeTimeout: 200, requestTimeout: 300 } })
      const said = yield* hungUp(platform.port, (write) =>
        write(
          "POST /api/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
      )
      assert.match(said, /^(HTTP\/1\.1 408|$)/)
    })
  )

  it.live("headers past the bound are refused", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const said = yield* hungUp(platform.port, (write) =>
        write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`)
      )
      assert.match(said, /^HTTP\/1\.1 431/)
    })
  )
})
