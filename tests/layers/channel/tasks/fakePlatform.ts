/** The doors of PROTOCOL A5 on a real socket, over a market in memory: what a platform would do, and what it might. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as MemoryTaskApi from "../../../../src/layers/channel/MemoryTaskApi.ts"
import type { TaskApiError } from "../../../../src/services/channel/TaskApi.ts"
import { codes } from "../../../../src/services/protocol/Market.ts"

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly bytes: number
}

/** Answers instead of the market, or `undefined` to let it. */
export type Instead = (request: IncomingMessage, response: ServerResponse, count: number) => boolean

const statusOf = (error: TaskApiError): readonly [number, number] => {
  switch (error.reason._tag) {
    case "AlreadyGrabbed":
    case "LeaseLost":
      return [409, codes.task_already_grabbed]
    case "NotAvailable":
      return [409, codes.task_not_available]
    case "TaskUnknown":
      return [404, codes.task_not_found]
    case "InvalidParameter":
      return [400, codes.invalid_parameter]
    default:
      return [500, codes.internal_error]
  }
}

const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())

export const start = async (
  market: MemoryTaskApi.MemoryMarket,
  clawId: string,
  options: MemoryTaskApi.Options = {}
) => {
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-platform-"))
  const api = await Effect.runPromise(
    MemoryTaskApi.make(market, clawId, options).pipe(Effect.provide(NodeFileSystem.layer))
  )
  const seen: Array<Seen> = []
  const hooks: { instead: Instead | undefined; bare: boolean } = { instead: undefined, bare: false }

  interface Answer {
    readonly status: number
    readonly body: { readonly code: number; readonly message: string; readonly data?: unknown }
  }

  const answer = async (request: IncomingMessage, body: Buffer): Promise<Answer> => {
    const url = new URL(request.url ?? "/", "http://localhost")
    const attempt = String(request.headers["idempotency-key"] ?? `none-${seen.length}`)
    const json = (): Readonly<Record<string, unknown>> => JSON.parse(body.toString() || "{}")
    const form = () =>
      new Response(new Uint8Array(body), {
        headers: { "content-type": request.headers["content-type"] ?? "" }
      }).formData()
    const kept = async (data: FormData, field: string): Promise<string | undefined> => {
      const file = data.get(field)
      if (!(file instanceof File)) return undefined
      const path = join(folder, file.name)
      writeFileSync(path, Buffer.from(await file.arrayBuffer()))
      return path
    }
    const run = <A>(effect: Effect.Effect<A, TaskApiError>) => Effect.runPromise(Effect.result(effect))
    const value = async <A>(effect: Effect.Effect<A, TaskApiError>, of: (value: A) => unknown) => {
      const result = await run(effect)
      if (result._tag === "Success") return { status: 200, body: { code: 0, message: "ok", data: of(result.success) } }
      const [status, code] = statusOf(result.failure)
      const { reason } = result.failure
      const message = "detail" in reason ? reason.detail : reason._tag
      return { status, body: { code, message, data: "param" in reason ? { param: reason.param } : null } }
    }
    const lease = (one: { readonly fencing: number; readonly until: number } | undefined) =>
      one === undefined ? null : { fencing: one.fencing, until: iso(one.until) }
    const [, id = "", door = ""] = /^\/bots\/tasks\/([^/]+)(?:\/(\w+))?$/.exec(url.pathname) ?? []
    if (url.pathname === "/artifact/upload-and-bind") {
      const data = await form()
      const path = (await kept(data, "file")) ?? ""
      return value(api.upload({ path, to: { taskId: String(data.get("task_id")) }, attempt }), (one) => ({
        artifact_id: one.artifactId,
        url: one.url,
        file_name: one.filename,
        size: one.size,
        sha256: one.sha256,
        told: data.get("sha256")
      }))
    }
    if (id === "available") {
      const { searchParams } = url
      return value(
        api.list({
          page: Number(searchParams.get("page")),
          pageSize: Number(searchParams.get("page_size")),
          category: searchParams.get("category") ?? undefined
        }),
        ({ items, ...rest }) => ({
          items: items.map((item) => ({ ...item, deadline: iso(item.deadline), created_at: iso(item.createdAt) })),
          total: rest.total,
          page: rest.page,
          page_size: rest.pageSize,
          total_pages: rest.totalPages
        })
      )
    }
    const fencing = (): number => Number(json()["fencing"])
    switch (`${request.method} ${door}`) {
      case "GET ":
        return value(api.get(id), (task) => ({
          ...task,
          deadline: iso(task.deadline),
          created_at: iso(task.createdAt),
          updated_at: iso(task.updatedAt),
          started_at: iso(task.startedAt),
          finished_at: iso(task.finishedAt),
          creator_id: task.creatorId,
          assigned_claw_id: task.assignedClawId ?? null,
          return_reason: task.returnReason ?? null,
          review: task.review ?? null,
          files: task.files.map((file) => ({ ...file, file_id: file.fileId }))
        }))
      case "POST grab":
        return value(api.grab({ taskId: id, attempt }), (one) => ({ task_id: id, lease: lease(one.lease) }))
      case "POST lease":
        return value(api.keep({ taskId: id, fencing: fencing() }), lease)
      case "POST release":
        return value(api.release({ taskId: id, fencing: fencing(), reason: "" }), () => null)
      case "PUT status":
        return value(api.setStatus({ taskId: id, status: "in_progress", fencing: fencing() }), () => null)
      case "POST deliverable": {
        const data = await form()
        const told = data.get("fencing")
        return value(
          api.deliver({
            taskId: id,
            resultDescription: String(data.get("result_description") ?? ""),
            archive: await kept(data, "zip_file"),
            fencing: told === null ? undefined : Number(told),
            attempt
          }),
          (one) => ({ result_zip_url: one.resultZipUrl ?? null, uploaded_at: iso(one.uploadedAt) })
        )
      }
    }
    return { status: 404, body: { code: codes.task_not_found, message: "no such door" } }
  }

  const respond = async (request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
    const found = await answer(request, body)
    response.writeHead(found.status, { "content-type": "application/json" })
    response.end(JSON.stringify(hooks.bare && found.status === 200 ? found.body.data : found.body))
  }

  const server = createServer((request, response) => {
    const instead = hooks.instead
    if (instead !== undefined && instead(request, response, seen.length)) {
      seen.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, bytes: -1 })
      return
    }
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("error", () => undefined)
    request.on("end", () => {
      const body = Buffer.concat(chunks)
      seen.push({
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        bytes: body.length
      })
      const content = market.contents.get(request.url ?? "")
      if (content !== undefined) {
        response.end(content)
        return
      }
      void respond(request, body, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    seen,
    hooks,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => {
          rmSync(folder, { recursive: true, force: true })
          resolve()
        })
      })
  }
}
