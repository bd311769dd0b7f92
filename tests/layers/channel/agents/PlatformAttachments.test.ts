import { assert, describe, it } from "@effect/vitest"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as PlatformAttachments from "../../../../src/layers/channel/PlatformAttachments.ts"
import { isPublicHost, isPublicIp, publicHttps } from "../../../../src/layers/channel/PublicAddress.ts"
import { type AttachedPart, Attachments } from "../../../../src/services/channel/Attachments.ts"

const file = (part: { fileId?: string; url?: string; filename?: string }): AttachedPart => ({
  type: "input_file",
  fileId: part.fileId,
  url: part.url,
  filename: part.filename
})

/** Answers everything, and tells what was asked with which key. */
const platform = Effect.acquireRelease(
  Effect.promise(async () => {
    const asked: Array<{ readonly path: string; readonly key: unknown; readonly secret: unknown }> = []
    const server = http.createServer((request, response) => {
      asked.push({
        path: request.url ?? "",
        key: request.headers["x-app-key"],
        secret: request.headers["x-app-secret"]
      })
      if (request.url === "/files/moved") return void response.writeHead(302, { location: "/files/a.txt" }).end()
      if (request.url === "/files/none") return void response.writeHead(404).end()
      if (request.url === "/files/down") return void response.writeHead(503).end()
      if (request.url === "/files/huge") {
        // No length told: only counting finds it out.
        response.writeHead(200, { "content-type": "text/plain" })
        response.write("x".repeat(600))
        return void response.end("x".repeat(600))
      }
      response.writeHead(200, {
        "content-type": "Text/Plain; charset=utf-8",
        "content-disposition": "attachment; filename*=UTF-8''%E7%AC%94%E8%AE%B0.txt"
      })
      response.end("content")
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { server, asked, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }),
  ({ server }) =>
    Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        })
    )
)

const withPlatform = <A, E>(
  body: (
    attachments: Attachments["Service"],
    server: {
      readonly origin: string
      readonly asked: ReadonlyArray<{ readonly path: string; readonly key: unknown; readonly secret: unknown }>
    }
  ) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const server = yield* platform
    return yield* Effect.flatMap(Attachments, (attachments) => body(attachments, server)).pipe(
      Effect.provide(
        PlatformAttachments.layer({
          platformUrl: `${server.origin}/some/path`,
          appKey: "key_1",
          appSecret: Redacted.make("secret_1"),
          maxBytes: 1000
        })
      )
    )
  }).pipe(Effect.scoped)

const reasonOf = (attachments: Attachments["Service"], part: AttachedPart) =>
  Effect.map(Effect.flip(attachments.fetch(part)), (error) => error.reason._tag)

describe("PlatformAttachments", () => {
  it.live("opens files of the platform by id or address, with the key's headers", () =>
    withPlatform((attachments, server) =>
      Effect.gen(function* () {
        for (const part of [
          file({ fileId: "a.txt" }),
          file({ url: `${server.origin}/files/a.txt` }),
          file({ url: "/files/a.txt" })
        ]) {
          const fetched = yield* attachments.fetch(part)
          assert.strictEqual(fetched._tag, "Content")
          if (fetched._tag === "Content") {
            assert.strictEqual(Buffer.from(fetched.bytes).toString(), "content")
            assert.strictEqual(fetched.mediaType, "text/plain")
            assert.strictEqual(fetched.filename, "笔记.txt")
          }
        }
        assert.deepStrictEqual(
          server.asked,
          Array.from({ length: 3 }, () => ({ path: "/files/a.txt", key: "key_1", secret: "secret_1" }))
        )
      })
    )
  )

  it.live("law confined: no other address of the platform, no other port, nothing private", () =>
    withPlatform((attachments, server) =>
      Effect.gen(function* () {
        const port = Number(new URL(server.origin).port)
        for (const url of [
          `${server.origin}/bots/tasks`,
          `${server.origin}/files/../bots/tasks`,
          `${server.origin}/files/%2e%2e/bots/tasks`,
          `${server.origin}/files/`,
          `http://127.0.0.1:${port === 65_535 ? 1 : port + 1}/files/a.txt`,
          `http://localhost:${port}/files/a.txt`,
          `http://user:pw@127.0.0.1:${port}/files/a.txt`,
          "http://169.254.169.254/latest/meta-data/",
          "http://example.com/plain-http.txt",
          "https://10.0.0.1/x",
          "https://[::ffff:10.0.0.1]/x",
          "https://printer.local/x",
          "file:///etc/passwd",
          "not an address"
        ]) {
          assert.strictEqual(yield* reasonOf(attachments, file({ url })), "NotAllowed", url)
        }
        for (const fileId of ["..", "../bots/tasks", "a/b", "a?b", ""])
          assert.strictEqual(yield* reasonOf(attachments, file({ fileId })), "NotAllowed", fileId)
        assert.deepStrictEqual(server.asked, [])
      })
    )
  )

  it.live("passes a public https address on, unopened", () =>
    withPlatform((attachments, server) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* attachments.fetch(file({ url: "https://example.com/cat.jpg" })), {
          _tag: "Link",
          url: "https://example.com/cat.jpg",
          filename: undefined
        })
        assert.deepStrictEqual(server.asked, [])
      })
    )
  )

  it.live("follows no redirect, counts bytes, and says what is missing", () =>
    withPlatform((attachments, server) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* reasonOf(attachments, file({ fileId: "moved" })), "Missing")
        assert.strictEqual(yield* reasonOf(attachments, file({ fileId: "none" })), "Missing")
        assert.strictEqual(yield* reasonOf(attachments, file({ fileId: "down" })), "NotReached")
        assert.strictEqual(yield* reasonOf(attachments, file({ fileId: "huge" })), "TooLarge")
        assert.deepStrictEqual(
          server.asked.map((request) => request.path),
          ["/files/moved", "/files/none", "/files/down", "/files/huge"]
        )
      })
    )
  )

  it.live("law secret: no key in clear to another machine", () =>
    Effect.gen(function* () {
      const attachments = yield* Attachments
      assert.strictEqual(yield* reasonOf(attachments, file({ fileId: "a.txt" })), "NotAllowed")
    }).pipe(
      Effect.provide(
        PlatformAttachments.layer({
          platformUrl: "http://platform.example.com",
          appKey: "key_1",
          appSecret: Redacted.make("secret_1")
        })
      )
    )
  )

  it.effect("reads data that travels in the message, within the bound", () =>
    Effect.gen(function* () {
      const attachments = yield* Attachments
      const read = yield* attachments.fetch(
        file({ url: "data:text/plain;charset=utf-8;base64,aGk=", filename: "a.txt" })
      )
      assert.strictEqual(read._tag === "Content" ? Buffer.from(read.bytes).toString() : "", "hi")
      const plain = yield* attachments.fetch(file({ url: "data:,h%20i" }))
      assert.strictEqual(plain._tag === "Content" ? Buffer.from(plain.bytes).toString() : "", "h i")
      assert.strictEqual(yield* reasonOf(attachments, file({ url: "data:text/plain;base64,###" })), "NotAllowed")
      const huge = `data:text/plain;base64,${"QUFB".repeat(4 * 1024 * 1024)}`
      assert.strictEqual(yield* reasonOf(attachments, file({ url: huge })), "TooLarge")
    }).pipe(Effect.provide(PlatformAttachments.layerWithoutPlatform))
  )
})

describe("PublicAddress", () => {
  it("tells public hosts from all others", () => {
    for (const address of ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"]) assert.isTrue(isPublicIp(address), address)
    for (const address of [
      "127.0.0.1",
      "10.1.2.3",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
      "255.255.255.255",
      "224.0.0.1",
      "::1",
      "::",
      "fe80::1",
      "fc00::1",
      "::ffff:8.8.8.8",
      "64:ff9b::a00:1",
      "2002:0a00:0001::",
      "2001:db8::1",
      "ff02::1",
      "example.com",
      ""
    ])
      assert.isFalse(isPublicIp(address), address)
    assert.isTrue(isPublicHost("example.com"))
    for (const host of ["localhost", "a.localhost", "intranet", "db.internal", "printer.local.", "[::1]"])
      assert.isFalse(isPublicHost(host), host)
  })

  it("sees through odd spellings of addresses", () => {
    for (const url of [
      "https://0x7f.1/",
      "https://2130706433/",
      "https://127.1/",
      "https://①②⑦.0.0.1/",
      "https://u@example.com/"
    ])
      assert.isUndefined(publicHttps(url), url)
  })
})
