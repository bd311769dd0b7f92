/** What the platform shows to a browser: the page, and `/docs`, without scripts. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import { version } from "../version.ts"
import * as StaticPages from "../http/StaticPages.ts"
import * as ApiPage from "./ApiPage.ts"

/** Under these nothing is a page: what is not found is answered as data. */
const doors =
  /^\/(?:api|v1|bots|profiles|ws|files|artifacts?|control|metrics|healthz|readyz|openapi\.json|places\.json)(?:\/|$)/

export const isDoor = (path: string): boolean => doors.test(path)

const notBuilt =
  'The platform runs. Its page was not built: run <code>npm run build:ui</code> and start again. The calls are described at <a href="/docs">/docs</a>.'

const docs = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const { info, ...rest } = OpenApi.fromApi(InstaClawApi)
    const spec = { ...rest, info: { ...info, version } }
    const page = HttpServerResponse.html(ApiPage.write(spec))
    const json = HttpServerResponse.jsonUnsafe(spec)
    yield* router.add("GET", "/docs", Effect.succeed(page))
    yield* router.add("GET", "/openapi.json", Effect.succeed(json))
  })
)

export const layer = (
  options: Pick<StaticPages.Options, "root" | "places">
): Layer.Layer<never, never, HttpRouter.HttpRouter | FileSystem.FileSystem | Path.Path | HttpPlatform.HttpPlatform> =>
  Layer.mergeAll(StaticPages.layer({ ...options, isDoor, notBuilt }), docs)
