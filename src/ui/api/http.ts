/** Calls to the platform that served this page: same origin only, Bearer, the `{code, message, data}` wrapping undone. */

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

export interface Http {
  readonly json: (method: string, path: string, body?: object) => Promise<unknown>
  readonly form: (path: string, body: FormData) => Promise<unknown>
  readonly blob: (path: string) => Promise<Blob>
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isFault = (value: unknown): value is FieldFault =>
  isRecord(value) && typeof value["field"] === "string" && typeof value["message"] === "string"

/** Both families of faults: `{code, message}` of the API and `{error: {code, message}}` of /v1 and the socket. */
const faultOf = (status: number, body: unknown): ApiError => {
  const holder = isRecord(body) && isRecord(body["error"]) ? body["error"] : isRecord(body) ? body : {}
  const code = holder["code"]
  const message = holder["message"]
  const fields = isRecord(holder["data"]) ? holder["data"]["fields"] : undefined
  return new ApiError(
    status,
    typeof code === "string" || typeof code === "number" ? String(code) : `HTTP_${status}`,
    typeof message === "string" ? message : "",
    Array.isArray(fields) ? fields.filter(isFault) : []
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

  const unwrap = async (response: Response): Promise<unknown> => {
    const text = await response.text()
    let body: unknown
    try {
      body = text === "" ? undefined : JSON.parse(text)
    } catch {
      throw new ApiError(response.ok ? 502 : response.status, "NOT_JSON", "")
    }
    if (!response.ok) throw faultOf(response.status, body)
    if (isRecord(body) && "code" in body && "data" in body) {
      if (body["code"] !== 0) throw faultOf(response.status, body)
      return body["data"]
    }
    return body
  }

  return {
    json: async (method, path, body) =>
      unwrap(
        await call(path, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
        })
      ),
    form: async (path, body) => unwrap(await call(path, { method: "POST", body })),
    blob: async (path) => {
      const response = await call(path, { method: "GET" })
      if (!response.ok) throw faultOf(response.status, undefined)
      return response.blob()
    }
  }
}
