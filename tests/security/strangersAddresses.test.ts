/**
 * Law confined: an address that a stranger names is never opened by us. What is public goes on to the model as a link;
 * nothing is asked of any name server, and no spelling of a private address passes for a public one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as dns from "node:dns"
import * as PlatformAttachments from "../../src/layers/channel/PlatformAttachments.ts"
import { isPublicIp, publicHttps } from "../../src/layers/channel/PublicAddress.ts"

/** A client that opens nothing and tells what it was to open. */
const recording = () => {
  const asked: Array<string> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      asked.push(url.href)
      return HttpClientResponse.fromWeb(
        request,
        new Response(null, { status: 302, headers: { location: "http://169.254.169.254/latest/meta-data" } })
      )
    })
  )
  return { asked, client }
}

const part = (url: string) => ({ type: "input_image" as const, fileId: undefined, url, filename: undefined })

const spellings = [
  "https://127.0.0.1/",
  "https://127.1/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0x7f.0.0.1/",
  "https://0177.0.0.1/",
  "https://017700000001/",
  "https://0/",
  "https://0.0.0.0/",
  "https://10.1/",
  "https://0xa9fea9fe/",
  "https://169.254.169.254/",
  "https://169.254.43518/",
  "https://①⑥⑨.254.169.254/",
  "https://１２７.0.0.1/",
  "https://[::]/",
  "https://[::1]/",
  "https://[0:0:0:0:0:0:0:1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[0:0:0:0:0:ffff:10.0.0.1]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::127.0.0.1]/",
  "https://[64:ff9b:1::a00:1]/",
  "https://[2002:7f00:1::]/",
  "https://[2001:0:0:0:0:0:0:1]/",
  "https://[fe80::1]/",
  "https://[fd00::1]/",
  "https://[fec0::1]/",
  "https://[ff02::1]/",
  "https://[100::1]/",
  "https://localhost/",
  "https://localhost./",
  "https://LOCALHOST/",
  "https://x.localhost/",
  "https://metadata.google.internal/",
  "https://router.lan/",
  "https://printer/",
  "https://user@example.com/",
  "https://example.com@127.0.0.1/",
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "gopher://127.0.0.1:6379/_FLUSHALL",
  "javascript:1",
  "//127.0.0.1/",
  "https:\\\\127.0.0.1\\",
  " https://127.0.0.1/",
  "https://127.0.0.1\t/"
]

describe("an address that a stranger names", () => {
  for (const url of spellings) {
    it.effect(`${JSON.stringify(url)} is neither opened nor passed on`, () =>
      Effect.gen(function* () {
        assert.isUndefined(publicHttps(url))
        const { asked, client } = recording()
        const attachments = yield* PlatformAttachments.make({
          platformUrl: "http://127.0.0.1:8787",
          appKey: "ak",
          appSecret: Redacted.make("secret")
        }).pipe(Effect.provideService(HttpClient.HttpClient, client))
        const error = yield* Effect.flip(attachments.fetch(part(url)))
        assert.strictEqual(error.reason._tag, "NotAllowed")
        assert.deepStrictEqual(asked, [])
      })
    )
  }

  it.effect("a public one is passed on unopened and unresolved: what its name leads to is nothing to us", () =>
    Effect.gen(function* () {
      const { asked, client } = recording()
      const lookups: Array<unknown> = []
      const original = dns.promises.lookup
      Object.assign(dns.promises, { lookup: (name: unknown) => (lookups.push(name), Promise.reject(new Error("no"))) })
      const attachments = yield* PlatformAttachments.make({
        platformUrl: "https://platform.example",
        appKey: "ak",
        appSecret: Redacted.make("secret")
      }).pipe(Effect.provideService(HttpClient.HttpClient, client))
      const link = yield* attachments.fetch(part("https://rebinding.example/cat.png"))
      Object.assign(dns.promises, { lookup: original })
      assert.strictEqual(link._tag, "Link")
      assert.deepStrictEqual(asked, [])
      assert.deepStrictEqual(lookups, [])
    })
  )

  it.effect("a redirect of our own platform leads nowhere: the key is not carried on", () =>
    Effect.gen(function* () {
      const { asked, client } = recording()
      const attachments = yield* PlatformAttachments.make({
        platformUrl: "https://platform.example",
        appKey: "ak",
        appSecret: Redacted.make("secret")
      }).pipe(Effect.provideService(HttpClient.HttpClient, client))
      const error = yield* Effect.flip(attachments.fetch(part("https://platform.example/files/file_1")))
      assert.strictEqual(error.reason._tag, "Missing")
      assert.deepStrictEqual(asked, ["https://platform.example/files/file_1"])
    })
  )

  it("what a name may resolve to is public or nothing", () => {
    for (const address of [
      "127.0.0.1",
      "10.0.0.1",
      "::ffff:10.0.0.1",
      "::ffff:a00:1",
      "fd00::1",
      "0.0.0.0",
      "100.64.0.1"
    ])
      assert.isFalse(isPublicIp(address), address)
    for (const address of ["93.184.216.34", "2606:2800:220:1::1"]) assert.isTrue(isPublicIp(address), address)
  })
})
