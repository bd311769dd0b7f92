/**
 * The built page, from its folder; a plain sentence where it was not built. And `/places.json`, which tells the page
 * what there is here: the same page is served by a platform and by an agent's control server.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import type * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { fileURLToPath } from "node:url"

export type Place = "chat" | "market" | "worlds" | "agent"

export interface Options {
  /** The folder with the built page. */
  readonly root: string
  readonly places: ReadonlyArray<Place>
  /** Paths under which nothing is a page: what is not found there is answered as data. */
  readonly isDoor: (path: string) => boolean
  /** HTML of a sentence for the one who opens a page that was not built. */
  readonly notBuilt: string
}

/** `dist/ui` of this package, whether it runs from `src/` or from `dist/`. */
export const built = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../../dist/ui" : "../../ui", import.meta.url))

const pathOf = (url: string): string => url.split("?", 1)[0] ?? "/"

const plain = (sentence: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>clawfiber</title><body><p>${sentence}</p></body></html>`

export const layer = (
  options: Options
): Layer.Layer<never, never, HttpRouter.HttpRouter | FileSystem.FileSystem | Path.Path | HttpPlatform.HttpPlatform> =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const isBuilt = yield* Effect.orElseSucceed(fs.exists(path.join(options.root, "index.html")), () => false)
      const files = isBuilt
        ? yield* Effect.orDie(HttpStaticServer.make({ root: options.root, spa: true }))
        : Effect.succeed(HttpServerResponse.html(plain(options.notBuilt)))
      const places = HttpServerResponse.jsonUnsafe(
        { places: options.places },
        { headers: { "cache-control": "no-cache" } }
      )
      yield* router.add("GET", "/places.json", Effect.succeed(places))
      yield* router.add(
        "GET",
        "/*",
        Effect.gen(function* () {
          const request = yield* HttpServerRequest
          const asked = pathOf(request.url)
          if (options.isDoor(asked)) return HttpServerResponse.empty({ status: 404 })
          const response = yield* files.pipe(Effect.catch(HttpServerRespondable.toResponse))
          // Built files carry their hash in their name; the page itself is asked for anew.
          const cache = asked.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"
          return HttpServerResponse.setHeader(response, "cache-control", cache)
        })
      )
    })
  )
