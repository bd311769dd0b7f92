/** The built page below a path of the host's: its files as they are, and its document with that path in it. */
import { readdir, readFile } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { extname, join } from "node:path"
import * as HttpGuards from "../../layers/http/HttpGuards.ts"
import * as StaticPages from "../../layers/http/StaticPages.ts"

interface File {
  readonly type: string
  readonly body: Buffer
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".json": "application/json"
}

/** The document asks for `/assets/…`, which lies elsewhere here, and tells the page where its routes begin. */
export const mounted = (html: string, base: string, place: string): string =>
  html
    .replaceAll('="/assets/', `="${place}/assets/`)
    .replace("<head>", `<head>\n    <meta name="clawfiber-base" content="${base}" />`)

/** All of them, by name: what is not among them is not there, whatever the address says. */
const load = async (base: string, place: string): Promise<ReadonlyMap<string, File>> => {
  const folder = StaticPages.built()
  const files = new Map<string, File>()
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of found) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const body = await readFile(path)
    const name = path.slice(folder.replace(/[\\/]$/, "").length).replaceAll("\\", "/")
    files.set(name, { type, body: name === "/index.html" ? Buffer.from(mounted(String(body), base, place)) : body })
  }
  return files
}

let loaded: Promise<ReadonlyMap<string, File>> | undefined

const notBuilt =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>clawfiber</title><body><p>The agent runs. Its page was not built: run <code>npm run build:ui</code> where clawfiber lies, and load the plugin anew with <code>openclaw plugins reload clawfiber</code>.</p></body></html>'

/** `base`: where the routes begin; `place`: where the page itself is. */
export const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  base: string,
  place: string
): Promise<boolean> => {
  const asked = (request.url ?? "").split("?", 1)[0]?.slice(place.length) ?? ""
  const say = (status: number, type: string, body: Buffer | string, cache: string) => {
    response.writeHead(status, { ...HttpGuards.pageHeaders, "content-type": type, "cache-control": cache })
    response.end(request.method === "HEAD" ? undefined : body)
    return true
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return say(405, "text/plain; charset=utf-8", "This address takes other methods.", "no-store")
  }
  loaded ??= load(base, place)
  const files = await loaded
  const file = files.get(asked === "" || asked === "/" ? "/index.html" : asked)
  if (file !== undefined) {
    return say(
      200,
      file.type,
      file.body,
      asked.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"
    )
  }
  return files.has("/index.html")
    ? say(404, "text/plain; charset=utf-8", "There is nothing at this address.", "no-store")
    : say(200, "text/html; charset=utf-8", notBuilt, "no-store")
}
