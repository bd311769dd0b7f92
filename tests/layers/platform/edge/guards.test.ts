import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpGuards from "../../../../src/layers/http/HttpGuards.ts"

const options = (host: string, more: Partial<HttpGuards.Options> = {}): HttpGuards.Options => ({
  host,
  allowedHosts: [],
  allowedOrigins: [],
  ...more
})

describe("Host", () => {
  const table: ReadonlyArray<readonly [listening: HttpGuards.Options, header: string | undefined, allowed: boolean]> = [
    [options("127.0.0.1"), "127.0.0.1:80", true],
    [options("127.0.0.1"), "LOCALHOST:8080", true],
    [options("127.0.0.1"), "[::1]:8080", true],
    [options("127.0.0.1"), undefined, false],
    [options("127.0.0.1"), "", false],
    [options("127.0.0.1"), "192.168.1.4", false],
    [options("127.0.0.1"), "evil.example", false],
    [options("127.0.0.1"), "localhost.evil.example", false],
    [options("127.0.0.1"), "localhost@evil.example", false],
    [options("127.0.0.1"), "localhost:80:80", false],
    [options("0.0.0.0"), "192.168.1.4:8080", true],
    [options("0.0.0.0"), "[fd00::1]:8080", true],
    [options("0.0.0.0"), "evil.example", false],
    [options("0.0.0.0", { allowedHosts: ["Chat.example.org"] }), "chat.example.org:443", true],
    [options("192.168.1.4"), "192.168.1.4", true],
    [options("192.168.1.4"), "192.168.1.5", false]
  ]
  for (const [listening, header, allowed] of table) {
    it.effect(`${listening.host} ${allowed ? "answers to" : "does not answer to"} ${header ?? "no name"}`, () =>
      Effect.sync(() => assert.strictEqual(HttpGuards.isAllowedHost(listening, header), allowed))
    )
  }
})

describe("Origin", () => {
  const here = options("127.0.0.1", { allowedOrigins: ["https://chat.example.org"] })
  const table: ReadonlyArray<readonly [origin: string | undefined, host: string, allowed: boolean]> = [
    [undefined, "localhost:80", true],
    ["http://localhost:80", "localhost:80", true],
    ["https://localhost:80", "localhost:80", true],
    ["http://localhost:81", "localhost:80", false],
    ["http://127.0.0.1:80", "localhost:80", false],
    ["null", "localhost:80", false],
    ["", "localhost:80", false],
    ["https://chat.example.org", "localhost:80", true],
    ["https://chat.example.org.evil.example", "localhost:80", false]
  ]
  for (const [origin, host, allowed] of table) {
    it.effect(`${origin ?? "no origin"} at ${host}: ${allowed ? "may call" : "may not call"}`, () =>
      Effect.sync(() => assert.strictEqual(HttpGuards.isAllowedOrigin(here, origin, host), allowed))
    )
  }
})

describe("loopback", () => {
  it.effect("names and addresses of this machine, and no others", () =>
    Effect.sync(() => {
      for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
        assert.isTrue(HttpGuards.isLoopback(host), host)
      for (const host of ["0.0.0.0", "10.0.0.1", "128.0.0.1", "localhost.example", "127.0.0.1.example"]) {
        assert.isFalse(HttpGuards.isLoopback(host), host)
      }
    })
  )
})
