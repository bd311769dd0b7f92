/** The agent's own client against the platform's own doors: what one says the other understands. */
import { assert, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpTaskApi from "../../../../src/layers/channel/HttpTaskApi.ts"
import { call, register, signIn, start } from "../edge/harness.ts"
import { good } from "./zips.ts"

it.live("look, grab, keep, upload, hand in, read what came back", () =>
  Effect.gen(function* () {
    const platform = yield* start()
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const keys = yield* register(platform)
    const { token } = yield* signIn(platform)
    const body = { title: "Count", description: "Words.", category: "07001", bounty: "3.25" }
    const posted = yield* call(platform, "POST", "/api/tasks", { token, body })
    const taskId: string = posted.body["data"]["id"]
    const api = yield* HttpTaskApi.make({
      baseUrl: new URL(platform.url),
      artifactUrl: new URL(`${platform.url}/artifact/upload-and-bind`),
      appKey: keys.app_key,
      appSecret: Redacted.make(keys.app_secret),
      issuer: undefined
    })
    const reasonOf = <A, R>(self: Effect.Effect<A, { readonly reason: { readonly _tag: string } }, R>) =>
      Effect.map(Effect.flip(self), ({ reason }) => reason._tag)

    const { items, total } = yield* api.list({ category: "07001" })
    assert.strictEqual(total, 1)
    assert.deepInclude(items[0], { id: taskId, bounty: "3.25", deadline: undefined })
    const { lease } = yield* api.grab({ taskId, attempt: "g" })
    assert.deepStrictEqual((yield* api.grab({ taskId, attempt: "g" })).lease, lease)
    assert.strictEqual(yield* reasonOf(api.grab({ taskId, attempt: "h" })), "AlreadyGrabbed")
    const fencing = lease?.fencing ?? 0
    assert.strictEqual((yield* api.keep({ taskId, fencing })).fencing, fencing)
    assert.strictEqual(yield* reasonOf(api.keep({ taskId, fencing: fencing + 1 })), "LeaseLost")
    yield* api.setStatus({ taskId, status: "in_progress", fencing })
    yield* fs.writeFile(`${folder}/a.zip`, good)
    yield* fs.writeFileString(`${folder}/notes.txt`, "notes")
    const uploaded = yield* api.upload({ path: `${folder}/notes.txt`, to: { taskId, fencing }, attempt: "u" })
    assert.deepInclude(uploaded, { filename: "notes.txt", size: 5 })
    const hand = (attempt: string) =>
      api.deliver({ taskId, resultDescription: "Three words.", archive: `${folder}/a.zip`, fencing, attempt })
    const first = yield* hand("d")
    assert.deepStrictEqual(yield* hand("d"), first)
    assert.strictEqual(yield* reasonOf(hand("e")), "NotAvailable")
    yield* call(platform, "POST", `/api/tasks/${taskId}/return`, { token, body: { reason: "Four." } })
    assert.deepInclude(yield* api.get(taskId), { status: "in_progress", review: "returned", returnReason: "Four." })
    yield* api.release({ taskId, fencing, reason: "no" })
    assert.strictEqual(yield* reasonOf(api.keep({ taskId, fencing })), "LeaseLost")
    assert.strictEqual(yield* reasonOf(api.get("task_unknown")), "TaskUnknown")
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(NodeHttpClient.layerUndici, NodeFileSystem.layer)))
)
