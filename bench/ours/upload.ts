// One agent that uploads one file for its task, as clawfiber work does, and says how much memory it took at most.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpTaskApi from "../../src/layers/channel/HttpTaskApi.ts"

const [url = "", appKey = "", appSecret = "", taskId = "", path = ""] = process.argv.slice(2)

await Effect.gen(function* () {
  const api = yield* HttpTaskApi.make({
    baseUrl: new URL(url),
    artifactUrl: new URL(`${url}/artifact/upload-and-bind`),
    appKey,
    appSecret: Redacted.make(appSecret),
    issuer: undefined
  })
  const { lease } = yield* api.grab({ taskId, attempt: "grab" })
  yield* api.upload({ path, to: { taskId, fencing: lease?.fencing }, attempt: "upload" })
}).pipe(Effect.provide(Layer.mergeAll(NodeHttpClient.layerNodeHttp, NodeFileSystem.layer)), Effect.runPromise)

process.send?.(process.resourceUsage().maxRSS * 1024)
process.exit(0)
