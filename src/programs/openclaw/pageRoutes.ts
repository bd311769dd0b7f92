/**
 * The control page as routes of the host's gateway: `/plugins/clawfiber/page` is the built page, with nothing of an
 * agent in it, and `/plugins/clawfiber/control` what it reads and does, under the gateway's own authentication. Loaded
 * whenever the plugin is described, so it brings none of the machinery.
 */
import type { ServerResponse } from "node:http"
import * as HttpGuards from "../../layers/http/HttpGuards.ts"
import type { PluginApi } from "./host.ts"
import { name, type Open, root } from "./pagePath.ts"

const holder = globalThis as { readonly [name]?: Open | undefined }

const sayNone: Open["handle"] = (_request, response) => {
  response.writeHead(503, { ...HttpGuards.dataHeaders, "content-type": "application/json" })
  response.end(
    JSON.stringify({
      error: {
        code: "unavailable",
        message: "No InstaClaw account runs in this host just now. Look at: openclaw channels status",
        fields: []
      }
    })
  )
}

const ended = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    if (response.closed) resolve()
    else response.once("close", () => resolve())
  })

let files: Promise<typeof import("./pageFiles.ts")> | undefined

export const register = (api: PluginApi): void => {
  if (api.registrationMode !== undefined && api.registrationMode !== "full") return
  api.registerHttpRoute({
    path: `${root}/control`,
    auth: "gateway",
    match: "prefix",
    handler: async (request, response) => {
      const handle = holder[name]?.handle ?? sayNone
      handle(request, response)
      // What is done for a person is work that the gateway lets end; a stream that is read is none.
      if (request.method !== "GET") await ended(response)
      return true
    }
  })
  api.registerHttpRoute({
    path: `${root}/page`,
    auth: "plugin",
    match: "prefix",
    handler: async (request, response) => {
      // Shared: the host's loader gives a second import of a module that is being loaded a half made one.
      files ??= import("./pageFiles.ts")
      const { answer } = await files
      return answer(request, response, root, `${root}/page`)
    }
  })
  api.registerHttpRoute({
    path: `${root}/places.json`,
    auth: "plugin",
    match: "exact",
    handler: async (_request, response) => {
      response.writeHead(200, { ...HttpGuards.dataHeaders, "content-type": "application/json" })
      response.end(JSON.stringify({ places: ["agent"] }))
      return true
    }
  })
}
