/** Calls to the platform that served this page: same origin only, Bearer, the `{code, message, data}` wrapping undone. */
import { isRecord, type Json } from "../../services/protocol/Wire.ts"

/** What cannot be taken of one field, in the platform's words. */
export interface FieldFault {
  readonly field: string
  readonly message: string
}

/** `status` 0 = no answer came (offline, the platform is down). `code` as the platform named it. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: ReadonlyArray<FieldFault>
  constructor(status: number, code: string, message: string, fields: ReadonlyArray<FieldFault> = []) {
    super(message)
    this.name = "ApiError"
    this.status = status
    this.code = code
    this.fields = fields
  }
}

export interface UploadWatch {
  readonly onProgress: (sent: number, total: number) => void
  readonly signal: AbortSignal
}

export interface Http {
  /** `attempt`: an idempotency key; the same call with the same one is done once. */
  readonly json: (method: string, path: string, body?: object, attempt?: string) => Promise<unknown>
  readonly form: (path: string, body: FormData) => Promise<unknown>
  /** A form with a large file in it, which tells how much of it has gone out. */
  readonly upload: (path: string, body: FormData, watch: UploadWatch) => Promise<unknown>
  readonly blob: (path: string) => Promise<Blob>
}

const isFault = (value: unknown): value is FieldFault =>
  isRecord(value) && typeof value["field"] === "string" && typeof value["message"] === "string"

/** Claworld's: `{error: "<code>", message, fieldErrors: [{fieldId, message}]}`. */
const worldFault = (status: number, body: Json): ApiError => {
  const { error, fieldErrors, message } = body
  const fields = Array.isArray(fieldErrors) ? fieldErrors.filter(isRecord) : []
  return new ApiError(
    status,
    String(error),
    typeof message === "string" ? message : "",
    fields.map(({ fieldId, message }) => ({ field: String(fieldId), message: String(message) }))
  )
}

/** All families of faults: `{code, message}` of the API, `{error: {code, message}}` of /v1 and the socket, Claworld's. */
const faultOf = (status: number, body: unknown): ApiError => {
  if (isRecord(body) && typeof body["error"] === "string") return worldFault(status, body)
  const holder = isRecord(body) && isRecord(body["error"]) ? body["error"] : isRecord(body) ? body : {}
  const code = holder["code"]
  const message = holder["message"]
  const fields = isRecord(holder["data"]) ? holder["data"]["fields"] : undefined
  const param = holder["param"]
  const one = typeof param === "string" && typeof message === "string" ? [{ field: param, message }] : []
  return new ApiError(
    status,
    typeof code === "string" || typeof code === "number" ? String(code) : `HTTP_${status}`,
    typeof message === "string" ? message : "",
    Array.isArray(fields) ? fields.filter(isFault) : one
  )
}

export const makeHttp = (token: () => string | undefined, onUnauthorized: () => void): Http => {
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers)
    const bearer = token()
    if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`)
    let response: Response
    try {
      response = await fetch(path, { ...init, headers, credentials: "same-origin", cache: "no-store" })
    } catch {
      throw new ApiError(0, "UNREACHABLE", "")
    }
    if (response.status === 401 && bearer !== undefined && bearer === token()) onUnauthorized()
    return response
  }

  const read = (status: number, text: string): unknown => {
    const isOk = status >= 200 && status < 300
    let body: unknown
    try {
      body = text === "" ? undefined : JSON.parse(text)
    } catch {
      throw new ApiError(isOk ? 502 : status, "NOT_JSON", "")
    }
    if (!isOk) throw faultOf(status, body)
    if (isRecord(body) && "code" in body && "data" in body) {
      if (body["code"] !== 0) throw faultOf(status, body)
      return body["data"]
    }
    return body
  }

  const unwrap = async (response: Response): Promise<unknown> => read(response.status, await response.text())

  /** `fetch` does not tell how much of a body has gone out. */
  const upload: Http["upload"] = (path, body, { onProgress, signal }) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      const bearer = token()
      const end = () => {
        signal.removeEventListener("abort", stop)
        if (request.status === 401 && bearer !== undefined && bearer === token()) onUnauthorized()
        try {
          if (request.status === 0) throw new ApiError(0, "UNREACHABLE", "")
          resolve(read(request.status, request.responseText))
        } catch (cause) {
          reject(cause)
        }
      }
      const stop = () => request.abort()
      request.open("POST", path)
      if (bearer !== undefined) request.setRequestHeader("authorization", `Bearer ${bearer}`)
      request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total))
      request.addEventListener("loadend", end)
      signal.addEventListener("abort", stop)
      request.send(body)
    })

  return {
    json: async (method, path, body, attempt) =>
      unwrap(
        await call(path, {
          method,
          headers: {
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(attempt === undefined ? {} : { "idempotency-key": attempt })
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
      ),
    form: async (path, body) => unwrap(await call(path, { method: "POST", body })),
    upload,
    blob: async (path) => {
      const response = await call(path, { method: "GET" })
      if (!response.ok) throw faultOf(response.status, undefined)
      return response.blob()
    }
  }
}
