/** The page, from the folder it was built into; a plain sentence where it was not built. And `/docs`, without scripts. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import * as ApiPage from "./ApiPage.ts"

/** Under these nothing is a page: what is not found is answered as data. */
const doors = /^\/(?:api|v1|bots|profiles|ws|files|artifact|metrics|healthz|readyz|openapi\.json)(?:\/|$)/

export const isDoor = (path: string): boolean => doors.test(path)

const pathOf = (url: string): string => url.split("?", 1)[0] ?? "/"

const notBuilt = HttpServerResponse.html(
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>clawfiber</title><body><p>The platform runs. Its page was not built: run <code>npm run build:ui</code> and start again. The calls are described at <a href="/docs">/docs</a>.</p></body></html>`
)

export interface Options {
  /** The folder with the built page. */
  readonly root: string
}

const pages = (options: Options) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const built = yield* Effect.orElseSucceed(fs.exists(path.join(options.root, "index.html")), () => false)
      const files = built
        ? yield* Effect.orDie(HttpStaticServer.make({ root: options.root, spa: true }))
        : Effect.succeed(notBuilt)
      yield* router.add(
        "GET",
        "/*",
        Effect.gen(function* () {
          const request = yield* HttpServerRequest
          const asked = pathOf(request.url)
          if (isDoor(asked)) return HttpServerResponse.empty({ status: 404 })
          const response = yield* files.pipe(Effect.catch(HttpServerRespondable.toResponse))
          // Built files carry their hash in their name; the page itself is asked for anew.
          const cache = asked.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"
          return HttpServerResponse.setHeader(response, "cache-control", cache)
        })
      )
    })
  )

const docs = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const spec = OpenApi.fromApi(InstaClawApi)
    const page = HttpServerResponse.html(ApiPage.write(spec))
    const json = HttpServerResponse.jsonUnsafe(spec)
    yield* router.add("GET", "/docs", Effect.succeed(page))
    yield* router.add("GET", "/openapi.json", Effect.succeed(json))
  })
)

export const layer = (
  options: Options
): Layer.Layer<never, never, HttpRouter.HttpRouter | FileSystem.FileSystem | Path.Path | HttpPlatform.HttpPlatform> =>
  Layer.mergeAll(pages(options), docs)
