/** What the task pool over HTTP does with addresses, keys and broken platforms. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as HttpTaskApi from "../../../../src/layers/channel/HttpTaskApi.ts"
import * as MemoryTaskApi from "../../../../src/layers/channel/MemoryTaskApi.ts"
import * as PlatformAddress from "../../../../src/layers/channel/PlatformAddress.ts"
import type { TaskApiError } from "../../../../src/services/channel/TaskApi.ts"
import * as fakePlatform from "./fakePlatform.ts"

type Request = HttpClientRequest.HttpClientRequest
type Answer = (request: Request, count: number) => Effect.Effect<Response, HttpClientError.HttpClientError>

const make = Effect.fnUntraced(function* (answer: Answer, options: Partial<HttpTaskApi.Options> = {}) {
  const requests: Array<Request> = []
  const client = HttpClient.make((request) => {
    requests.push(request)
    return Effect.map(answer(request, requests.length), (response) => HttpClientResponse.fromWeb(request, response))
  })
  const api = yield* HttpTaskApi.make({
    baseUrl: new URL("https://claw.example/pool"),
    artifactUrl: new URL("https://claw.example/artifact/upload-and-bind"),
    appKey: "ak_1",
    appSecret: Redacted.make("hush"),
    issuer: "https://claw.example",
    ...options
  }).pipe(Effect.provideService(HttpClient.HttpClient, client), Effect.provide(NodeFileSystem.layer))
  return { api, requests }
})

const json = (status: number, body: unknown) => Effect.succeed(Response.json(body, { status }))
const unreachable = (request: Request) =>
  Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request }) }))

const failed = (effect: Effect.Effect<unknown, TaskApiError>) =>
  Effect.flatMap(Effect.exit(effect), (exit) =>
    exit._tag === "Failure" && exit.cause.reasons[0]?._tag === "Fail"
      ? Effect.succeed(exit.cause.reasons[0].error)
      : Effect.die("it went well")
  )

/** Runs it while the clock goes on. */
const inTime = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let at = 0; at < 40; at++) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

const empty = { items: [], total: 0, page: 1, page_size: 20, total_pages: 0 }

describe("keys", () => {
  it.effect("travel in their headers to the platform that issued them", () =>
    Effect.gen(function* () {
      const { api, requests } = yield* make(() => json(200, { code: 0, message: "ok", data: empty }))
      yield* api.list({})
      assert.strictEqual(requests[0]?.url, "https://claw.example/pool/bots/tasks/available")
      assert.deepInclude(requests[0]?.headers, { "x-api-key": "ak_1", "x-api-secret": "hush" })
    })
  )

  for (const [words, options, why] of [
    ["in clear", { baseUrl: new URL("http://claw.example"), issuer: "http://claw.example" }, "clear"],
    ["another platform", { issuer: "https://other.example" }, "foreign"]
  ] as const) {
    it.effect(`law secret: they are not sent: ${words}`, () =>
      Effect.gen(function* () {
        const { api, requests } = yield* make(() => json(200, empty), options)
        for (const call of [api.list({}), api.get("t1"), api.grab({ taskId: "t1", attempt: "a" })]) {
          assert.deepInclude((yield* failed(call)).reason, { _tag: "AddressRefused", why })
        }
        assert.strictEqual(requests.length, 0)
      })
    )
  }

  it.effect("law secret: a task's file at another address is not asked for", () =>
    Effect.gen(function* () {
      const { api, requests } = yield* make(() => json(200, {}), { issuer: undefined })
      const file = { fileId: "f", filename: "f", size: 1, sha256: undefined, url: "https://evil.example/f" }
      const error = yield* failed(api.download({ file, path: "/tmp/never" }))
      assert.strictEqual(error.reason._tag, "AddressRefused")
      assert.strictEqual(requests.length, 0)
    })
  )

  it.effect("a refusal says nothing of them", () =>
    Effect.gen(function* () {
      const { api } = yield* make(() => json(401, { code: 40101, message: "invalid credentials" }))
      const error = yield* failed(api.list({}))
      assert.deepInclude(error.reason, { _tag: "NotAllowed", code: 40101 })
      assert.notInclude(JSON.stringify(error), "hush")
    })
  )
})

describe("answers", () => {
  const cases = [
    [409, { code: 40001, message: "taken" }, "AlreadyGrabbed"],
    [200, { code: 40002, message: "gone" }, "NotAvailable"],
    [404, { code: 40003, message: "?" }, "TaskUnknown"],
    [404, "<html>", "TaskUnknown"],
    [403, { code: 40103, message: "not approved" }, "NotAllowed"],
    [422, { error: { message: "no", param: "task_id" } }, "InvalidParameter"],
    [200, { code: 0, message: "ok", data: { lease: { fencing: "x" } } }, "PlatformFailed"],
    [302, {}, "PlatformFailed"],
    [200, "<html>", "PlatformFailed"]
  ] as const
  for (const [status, body, tag] of cases) {
    it.effect(`${status} ${JSON.stringify(body)} is ${tag}`, () =>
      Effect.gen(function* () {
        const answer = () =>
          typeof body === "string" ? Effect.succeed(new Response(body, { status })) : json(status, body)
        const { api } = yield* make(answer, { retries: 0 })
        const error = yield* failed(api.grab({ taskId: "t1", attempt: "a" }))
        assert.strictEqual(error.reason._tag, tag)
        assert.isNotEmpty(error.message)
      })
    )
  }

  it.effect("times are milliseconds, whether they come as text, seconds or without a zone", () =>
    Effect.gen(function* () {
      const items = ["2026-04-09T12:00:00Z", "2026-04-09T12:00:00", 1_775_736_000, 1_775_736_000_000, null].map(
        (deadline, id) => ({ id, title: "t", category: 7001, bounty: 3.5, deadline, created_at: deadline })
      )
      const { api } = yield* make(() => json(200, { ...empty, items }))
      const list = yield* api.list({})
      const at = 1_775_736_000_000
      assert.deepStrictEqual(
        list.items.map(({ deadline }) => deadline),
        [at, at, at, at, undefined]
      )
      assert.deepInclude(list.items[0], { id: "0", category: "7001", bounty: "3.5" })
    })
  )
})

describe("a platform that fails", () => {
  it.effect("is asked again where that is safe, under the same key", () =>
    Effect.gen(function* () {
      const { api, requests } = yield* make((request, count) =>
        count < 3 ? unreachable(request) : json(200, { code: 0, message: "", data: { task_id: "t1", grab_time: "x" } })
      )
      assert.deepStrictEqual(yield* inTime(api.grab({ taskId: "t1", attempt: "once" })), {
        taskId: "t1",
        lease: undefined
      })
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["idempotency-key"]),
        ["once", "once", "once"]
      )
    })
  )

  it.effect("is not asked again for what has no key", () =>
    Effect.gen(function* () {
      const { api, requests } = yield* make(unreachable)
      for (const call of [
        api.release({ taskId: "t1", fencing: 1, reason: "" }),
        api.keep({ taskId: "t1", fencing: 1 }),
        api.setStatus({ taskId: "t1", status: "in_progress" })
      ]) {
        assert.strictEqual((yield* inTime(failed(call))).reason._tag, "PlatformFailed")
      }
      assert.strictEqual(requests.length, 3)
    })
  )

  it.effect("is left alone after a while, and asked again after a while", () =>
    Effect.gen(function* () {
      const { api, requests } = yield* make(unreachable, { failuresToOpen: 4, openFor: "5 minutes" })
      assert.strictEqual((yield* inTime(failed(api.list({})))).reason._tag, "PlatformFailed")
      assert.strictEqual((yield* failed(api.list({}))).reason._tag, "CircuitOpen")
      assert.strictEqual(requests.length, 4)
      yield* TestClock.adjust("5 minutes")
      yield* inTime(failed(api.list({})))
      assert.isAbove(requests.length, 4)
    })
  )

  it.effect("does not answer: the call ends all the same", () =>
    Effect.gen(function* () {
      const { api } = yield* make(() => Effect.never, { retries: 0 })
      const error = yield* inTime(failed(api.list({})))
      assert.include(error.message, "did not answer in time")
    })
  )

  it.live("is gone for good in the middle of an upload: said in words, and it can be asked again later", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const path = `${folder}/big.bin`
        yield* fs.writeFile(path, new Uint8Array(3_000_000))
        const market = new MemoryTaskApi.MemoryMarket()
        market.post({ id: "t1", title: "t" })
        const server = yield* Effect.promise(() => fakePlatform.start(market, "claw_1"))
        const { artifactUrl, taskApiBaseUrl } = PlatformAddress.derive(server.url)
        const api = yield* HttpTaskApi.make({
          baseUrl: taskApiBaseUrl,
          artifactUrl,
          appKey: "ak",
          appSecret: Redacted.make("sk"),
          issuer: server.url.origin,
          retries: 1
        }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
        yield* api.grab({ taskId: "t1", attempt: "a" })
        let stopped: Promise<void> | undefined
        server.hooks.instead = (request) => {
          request.once("data", () => {
            request.destroy()
            stopped ??= server.stop()
          })
          return true
        }
        const error = yield* failed(api.upload({ path, to: { taskId: "t1" }, attempt: "u" }))
        yield* Effect.promise(() => stopped ?? Promise.reject(new Error("nothing came")))
        assert.deepInclude(error, { _tag: "TaskApiError", transient: true })
        assert.match(error.message, /^The platform did not do it: .*Try again in a moment\.$/)
        assert.strictEqual(market.artifacts.length, 0)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.live("hangs up in the middle of an upload: it is sent again, whole", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const path = `${folder}/big.bin`
        yield* fs.writeFile(path, new Uint8Array(3_000_000))
        const market = new MemoryTaskApi.MemoryMarket()
        market.post({ id: "t1", title: "t" })
        const server = yield* Effect.acquireRelease(
          Effect.promise(() => fakePlatform.start(market, "claw_1")),
          ({ stop }) => Effect.promise(stop)
        )
        const { artifactUrl, taskApiBaseUrl } = PlatformAddress.derive(server.url)
        const api = yield* HttpTaskApi.make({
          baseUrl: taskApiBaseUrl,
          artifactUrl,
          appKey: "ak",
          appSecret: Redacted.make("sk"),
          issuer: server.url.origin
        }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
        yield* api.grab({ taskId: "t1", attempt: "a" })
        let dropped = 0
        server.hooks.instead = (request) => {
          if (dropped++ > 0) return false
          request.once("data", () => request.destroy())
          return true
        }
        const artifact = yield* api.upload({ path, to: { taskId: "t1" }, attempt: "u" })
        assert.strictEqual(artifact.size, 3_000_000)
        assert.strictEqual(market.artifacts.length, 1)
        assert.strictEqual(dropped, 2)
      })
    ).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
