/** Requests that are no call of the platform's: each is answered in words. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { readFileSync } from "node:fs"
import { call, type Platform, start } from "./harness.ts"

/** What comes back for these bytes, until the connection ends. */
const raw = (platform: Platform, bytes: string): Effect.Effect<string> =>
  Effect.promise(
    () =>
      new Promise((resolve) => {
        const socket = connect(platform.port, "127.0.0.1", () => socket.write(bytes))
        let text = ""
        socket.on("data", (chunk) => (text += String(chunk)))
        socket.on("error", () => undefined)
        socket.on("close", () => resolve(text))
      })
  )

describe("what is no call", () => {
  const cases = [
    ["headers that are too large", `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`, 431],
    ["no HTTP", "GARBAGE\r\n\r\n", 400],
    ["no Host", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 421]
  ] as const
  for (const [name, bytes, status] of cases) {
    it.live(`${name}: ${status}, with a sentence as JSON`, () =>
      Effect.gen(function* () {
        const answer = yield* raw(yield* start(), bytes)
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
        const body: { readonly code: number; readonly message: string } = JSON.parse(
          answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)
        )
        assert.strictEqual(body.code, status * 100)
        assert.match(body.message, /^[A-Z].*\.$/)
      })
    )
  }

  it.live("a method that a path does not take: 405, with those that it takes", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      for (const [method, path, allow] of [
        ["PUT", "/healthz", "GET"],
        ["DELETE", "/v1/responses", "POST, GET"],
        ["PUT", "/api/ticket", "POST"],
        ["POST", "/openapi.json", "GET"]
      ] as const) {
        const answer = yield* call(platform, method, path)
        assert.strictEqual(answer.status, 405, path)
        assert.strictEqual(answer.headers.get("allow"), allow)
      }
      const error = (yield* call(platform, "DELETE", "/v1/responses")).body["error"]
      assert.strictEqual(error["code"], "method_not_allowed")
      assert.strictEqual((yield* call(platform, "PUT", "/api/nothing")).status, 404)
    })
  )

  it.live("the description of the calls says the version of the package", () =>
    Effect.gen(function* () {
      const { body } = yield* call(yield* start(), "GET", "/openapi.json")
      const manifest = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"))
      assert.strictEqual(body["info"]["version"], manifest.version)
    })
  )
})
