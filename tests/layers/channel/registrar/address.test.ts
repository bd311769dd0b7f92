import { assert, describe, it } from "@effect/vitest"
import * as PlatformAddress from "../../../../src/layers/channel/PlatformAddress.ts"

const derived = (text: string) => {
  const url = PlatformAddress.parse(text)
  if (url === undefined) return undefined
  const { artifactUrl, profileCreateUrl, taskApiBaseUrl, wsUrl } = PlatformAddress.derive(url)
  return [wsUrl.href, profileCreateUrl.href, taskApiBaseUrl.href, artifactUrl.href]
}

describe("addresses of a platform", () => {
  for (const [written, root, socket] of [
    ["https://claw.example", "https://claw.example/", "wss://claw.example/ws/chat"],
    ["claw.example", "https://claw.example/", "wss://claw.example/ws/chat"],
    ["wss://claw.example/ws/chat", "https://claw.example/", "wss://claw.example/ws/chat"],
    ["https://host.example/claw/", "https://host.example/claw/", "wss://host.example/claw/ws/chat"],
    ["127.0.0.1:8787", "http://127.0.0.1:8787/", "ws://127.0.0.1:8787/ws/chat"],
    ["localhost:1", "http://localhost:1/", "ws://localhost:1/ws/chat"],
    ["http://user:word@[::1]:9/?token=x#y", "http://[::1]:9/", "ws://[::1]:9/ws/chat"]
  ] as const) {
    it(`${written} gives all four`, () => {
      assert.deepStrictEqual(derived(written), [
        socket,
        `${root}profiles/create`,
        root,
        `${root}artifact/upload-and-bind`
      ])
    })
  }

  for (const written of ["", "ftp://claw.example", "file:///etc/passwd", "javascript:alert(1)", "not an address"]) {
    it(`"${written}" is none`, () => assert.isUndefined(PlatformAddress.parse(written)))
  }

  it("a socket and the pages of one platform have the same origin", () => {
    assert.strictEqual(PlatformAddress.originOf(new URL("wss://claw.example/ws/chat")), "https://claw.example")
    assert.strictEqual(PlatformAddress.originOf(new URL("ws://127.0.0.1:8787/ws/chat")), "http://127.0.0.1:8787")
  })

  for (const [one, other, same] of [
    ["https://claw.example", "https://claw.example", true],
    ["http://localhost:8787", "http://127.0.0.1:8787", true],
    ["http://localhost:8787", "http://127.0.0.1:8788", false],
    ["https://claw.example", "http://claw.example", false],
    ["https://claw.example", "https://claw.example.evil.example", false],
    ["http://localhost", "http://localhost.evil.example", false]
  ] as const) {
    it(`law secret: ${one} and ${other} are ${same ? "one place" : "two places"}`, () =>
      assert.strictEqual(PlatformAddress.sameOrigin(one, other), same))
  }

  for (const [address, may] of [
    ["wss://claw.example", true],
    ["ws://claw.example", false],
    ["http://10.0.0.1", false],
    ["http://127.9.9.9", true],
    ["ws://localhost.claw.example", false]
  ] as const) {
    it(`law secret: a key ${may ? "may" : "never"} travels to ${address}`, () =>
      assert.strictEqual(PlatformAddress.mayCarryKeys(new URL(address)), may))
  }
})
