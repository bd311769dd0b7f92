/**
 * Everything a model provider's failure can be, mapped to the contract's reasons in this one place. A code of the
 * provider says more than an HTTP status, so it is read first; what nobody knows is Unavailable and may be retried.
 */
import { APIConnectionError, APIError } from "openai/error"
import {
  AgentError,
  type AgentReason,
  Misconfigured,
  RateLimited,
  Refused,
  Unavailable,
  Unsupported
} from "../../services/channel/AgentRuntime.ts"

/** The provider ended a reply as failed, in the stream itself. */
export class ReplyFailed extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = "ReplyFailed"
    this.code = code
  }
}

/** The connection ended before the reply did. */
export class BrokenOff extends Error {
  constructor() {
    super("the answer broke off before its end")
    this.name = "BrokenOff"
  }
}

/** An answer came, and it was no stream of events: most likely a web page, from an address that is not the API's. */
export class NoEvents extends Error {
  constructor() {
    super("the server answered with something that is no reply of a model. Does OPENAI_BASE_URL end in /v1?")
    this.name = "NoEvents"
  }
}

type Kind = AgentReason["_tag"]

/** `error.code` and `error.type` of the Responses and chat completions APIs, and of servers that imitate them. */
const kindOfCode: Readonly<Record<string, Kind>> = {
  rate_limit_exceeded: "RateLimited",
  rate_limit_error: "RateLimited",
  tokens: "RateLimited",
  requests: "RateLimited",
  // Not a matter of waiting: the account has nothing left to spend.
  insufficient_quota: "Misconfigured",
  billing_not_active: "Misconfigured",
  invalid_api_key: "Misconfigured",
  authentication_error: "Misconfigured",
  permission_error: "Misconfigured",
  model_not_found: "Misconfigured",
  model_not_available: "Misconfigured",
  unsupported_country_region_territory: "Misconfigured",
  data_residency_mismatch: "Misconfigured",
  content_filter: "Refused",
  content_policy_violation: "Refused",
  image_content_policy_violation: "Refused",
  misalignment_policy_violation: "Refused",
  bio_policy: "Refused",
  invalid_prompt: "Refused",
  context_length_exceeded: "Unsupported",
  string_above_max_length: "Unsupported",
  invalid_image: "Unsupported",
  invalid_image_format: "Unsupported",
  invalid_base64_image: "Unsupported",
  invalid_image_url: "Unsupported",
  invalid_image_mode: "Unsupported",
  image_too_large: "Unsupported",
  image_too_small: "Unsupported",
  image_parse_error: "Unsupported",
  image_file_too_large: "Unsupported",
  image_file_not_found: "Unsupported",
  empty_image_file: "Unsupported",
  failed_to_download_image: "Unsupported",
  unsupported_image_media_type: "Unsupported",
  server_error: "Unavailable",
  overloaded_error: "Unavailable",
  vector_store_timeout: "Unavailable"
}

const kindOfStatus = (status: number): Kind => {
  if (status === 429) return "RateLimited"
  if (status === 413) return "Unsupported"
  if (status === 408 || status === 409 || status === 425 || status >= 500) return "Unavailable"
  // A redirect is not followed, since the key would go with it; the rest of 4xx is a request this server does not take.
  return "Misconfigured"
}

const known = (name: string | null | undefined): Kind | undefined =>
  typeof name === "string" && Object.hasOwn(kindOfCode, name) ? kindOfCode[name] : undefined

/** Servers that imitate the API say in words what the original says in codes. */
const kindOfWords = (status: number | undefined, message: string): Kind | undefined =>
  (status === 400 || status === 422) && (aboutImages.test(message) || aboutLength.test(message))
    ? "Unsupported"
    : undefined

const aboutImages = /\bimages?\b|\bvision\b|image_|multi-?modal/i
const aboutLength = /context (?:length|window|size)|maximum context|too many tokens|prompt is too long/i

const tooLong = "This conversation is too long for the model. Start a new one, or send less text."
const unreadable = "The model cannot read what was attached. Send it in another form, or as text."

/** Seconds. `retry-after` is a number of seconds or a date (RFC 9110), read against the server's own clock. */
const retryAfter = (headers: Headers | undefined): number | undefined => {
  const milliseconds = Number(headers?.get("retry-after-ms") ?? Number.NaN)
  if (Number.isFinite(milliseconds)) return Math.max(0, milliseconds / 1000)
  const value = headers?.get("retry-after")
  if (value === null || value === undefined || value === "") return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const until = (Date.parse(value) - Date.parse(headers?.get("date") ?? "")) / 1000
  return Number.isFinite(until) ? Math.max(0, until) : undefined
}

const reasonOf = (kind: Kind, detail: string, hint: string, headers: Headers | undefined): AgentReason => {
  switch (kind) {
    case "RateLimited":
      return new RateLimited({ retryAfterSeconds: retryAfter(headers) })
    case "Misconfigured":
      return new Misconfigured({ detail })
    case "Refused":
      return new Refused({ detail })
    case "Unsupported":
      return new Unsupported({ detail: aboutImages.test(hint) ? unreadable : tooLong })
    case "Unavailable":
    case "RuntimeFailed":
      return new Unavailable({ detail })
  }
}

const describe = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "the provider's answer could not be read"
  // "terminated" and "fetch failed" say nothing; what lies below them does.
  for (let below: unknown = cause; below instanceof Error; below = below.cause) {
    if ("code" in below && typeof below.code === "string") return `${cause.message} (${below.code})`
  }
  return cause.message
}

/** `secret` is taken out of the provider's words, should it repeat the key. */
export const fromCause =
  (secret: string) =>
  (cause: unknown): AgentError => {
    if (cause instanceof AgentError) return cause
    const described = describe(cause)
    const detail = (secret.length < 6 ? described : described.replaceAll(secret, "[key]")).slice(0, 500)
    if (cause instanceof ReplyFailed) {
      return new AgentError({ reason: reasonOf(known(cause.code) ?? "Unavailable", detail, cause.code, undefined) })
    }
    if (cause instanceof NoEvents) return new AgentError({ reason: new Misconfigured({ detail }) })
    if (cause instanceof APIError && !(cause instanceof APIConnectionError)) {
      const kind =
        known(cause.code) ??
        known(cause.type) ??
        kindOfWords(cause.status, cause.message) ??
        (typeof cause.status === "number" ? kindOfStatus(cause.status) : "Unavailable")
      return new AgentError({ reason: reasonOf(kind, detail, `${cause.code ?? ""} ${cause.message}`, cause.headers) })
    }
    // No connection, timeouts, a stream that broke: the next attempt may go through.
    return new AgentError({ reason: new Unavailable({ detail }) })
  }

/** Whether a server answered that it has no such endpoint (and not: no such model). */
export const isEndpointMissing = (cause: unknown): boolean => {
  if (cause instanceof NoEvents) return true
  if (!(cause instanceof APIError) || cause.code === "model_not_found") return false
  if (cause.status === 404 || cause.status === 405 || cause.status === 501) return true
  return (
    cause.status === 400 &&
    /(?:unknown|unsupported|invalid|no such)[\w ]*(?:endpoint|url|path|route|api)|(?:endpoint|url|path|route)[\w /.]*(?:not (?:found|supported)|unknown)/i.test(
      cause.message
    )
  )
}

/** Whether a server refused `stream_options`, which is younger than the API it belongs to. */
export const isUsageOptionRefused = (cause: unknown): boolean =>
  cause instanceof APIError &&
  (cause.status === 400 || cause.status === 422) &&
  /stream_options|include_usage/.test(`${cause.param ?? ""} ${cause.message}`)

/** Whether a server refused to hand out encrypted thoughts: it knows no such option, or its model has none. */
export const isReasoningOptionRefused = (cause: unknown): boolean =>
  cause instanceof APIError &&
  (cause.status === 400 || cause.status === 422) &&
  /\binclude\b|encrypted[_ ]content/i.test(`${cause.param ?? ""} ${cause.message}`)
