/**
 * Attachments from the platform that issued the agent's key: `GET {origin}/files/{id}` with the key's headers, and
 * nothing else. The path matters as much as the origin: with the agent's key any other address of the platform would
 * answer the agent's own affairs, and a stranger names the address.
 */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import {
  type AttachedPart,
  type Attachment,
  AttachmentError,
  Attachments,
  Missing,
  NotAllowed,
  NotReached,
  TooLarge
} from "../../services/channel/Attachments.ts"
import { isLoopbackHost, publicHttps } from "./PublicAddress.ts"

export interface Options {
  /** Origin of the platform (scheme, host, port); a path is ignored. */
  readonly platformUrl: string
  readonly appKey: string
  readonly appSecret: Redacted.Redacted<string>
  /** Bytes of one attachment, 10 MiB by default. */
  readonly maxBytes?: number | undefined
}

const defaultMaxBytes = 10 * 1024 * 1024
const patience = "30 seconds"

const nameOf = (part: AttachedPart): string =>
  part.filename ?? (part.type === "input_image" ? "the image" : "the attached file")

/** An id is one segment of a path and cannot climb out of it. */
const fileId = /^(?!\.+$)[\w.-]{1,200}$/

/** `data:[<mediatype>][;base64],<data>` (RFC 2397). */
const dataUrl = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w.-]+=[^;,]*)*(;base64)?,(.*)$/is

const fromDataUrl = (url: string, part: AttachedPart, maxBytes: number): Effect.Effect<Attachment, AttachmentError> => {
  const name = nameOf(part)
  // Base64 takes four characters for three bytes; a percent sign and two digits may stand for one.
  if (url.length > maxBytes * 3 + 1024)
    return Effect.fail(new AttachmentError({ name, reason: new TooLarge({ limit: maxBytes }) }))
  const match = dataUrl.exec(url)
  const bytes =
    match === null
      ? Result.fail("no data URL")
      : match[2] === undefined
        ? Result.try(() => new TextEncoder().encode(decodeURIComponent(match[3] ?? "")))
        : Base64.decode(match[3] ?? "")
  if (Result.isFailure(bytes)) return Effect.fail(new AttachmentError({ name, reason: new NotAllowed({}) }))
  if (bytes.success.length > maxBytes)
    return Effect.fail(new AttachmentError({ name, reason: new TooLarge({ limit: maxBytes }) }))
  return Effect.succeed({
    _tag: "Content",
    mediaType: match?.[1]?.toLowerCase() ?? "text/plain",
    bytes: bytes.success,
    filename: part.filename
  })
}

/** What needs no platform: data that travels in the message itself, and public addresses, which are passed on unopened. */
const withoutPlatform = (part: AttachedPart, maxBytes: number): Effect.Effect<Attachment, AttachmentError> => {
  if (part.url?.startsWith("data:") === true) return fromDataUrl(part.url, part, maxBytes)
  const link = part.url === undefined ? undefined : publicHttps(part.url)
  return link === undefined
    ? Effect.fail(new AttachmentError({ name: nameOf(part), reason: new NotAllowed({}) }))
    : Effect.succeed({ _tag: "Link", url: link.href, filename: part.filename })
}

/** No platform at all: opens nothing that is not in the message itself. */
export const layerWithoutPlatform: Layer.Layer<Attachments> = Layer.succeed(Attachments, {
  fetch: (part) => withoutPlatform(part, defaultMaxBytes)
})

export const make = (options: Options): Effect.Effect<Attachments["Service"], never, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const origin = URL.parse(options.platformUrl)?.origin
    const maxBytes = options.maxBytes ?? defaultMaxBytes
    const files = origin === undefined ? undefined : new URL("/files/", origin)
    // Law secret: no key in clear to another machine.
    const keyMayTravel = files !== undefined && (files.protocol === "https:" || isLoopbackHost(files.hostname))

    /** The address on the platform, or undefined where the part names none. An id wins over an address. */
    const onPlatform = (part: AttachedPart): URL | undefined => {
      if (files === undefined || !keyMayTravel) return undefined
      if (part.fileId !== undefined) return fileId.test(part.fileId) ? new URL(part.fileId, files) : undefined
      const url = part.url === undefined ? null : URL.parse(part.url, files.href)
      if (url === null || url.origin !== files.origin || url.username !== "" || url.password !== "") return undefined
      const id = url.pathname.startsWith(files.pathname) ? url.pathname.slice(files.pathname.length) : ""
      return fileId.test(id) ? new URL(id, files) : undefined
    }

    const load = Effect.fnUntraced(function* (url: string, part: AttachedPart) {
      const name = nameOf(part)
      const failed = (reason: AttachmentError["reason"]) => new AttachmentError({ name, reason })
      const response = yield* client.get(url, {
        headers: { "x-app-key": options.appKey, "x-app-secret": Redacted.value(options.appSecret) }
      })
      if (response.status >= 500 || response.status === 429)
        return yield* failed(new NotReached({ detail: `status ${response.status}` }))
      // A redirect would carry the key elsewhere: not followed.
      if (response.status !== 200) return yield* failed(new Missing({}))
      const declared = Number(response.headers["content-length"])
      if (declared > maxBytes) return yield* failed(new TooLarge({ limit: maxBytes }))
      const chunks: Array<Uint8Array> = []
      let size = 0
      yield* Stream.runForEach(response.stream, (chunk) => {
        size += chunk.length
        if (size > maxBytes) return Effect.fail(failed(new TooLarge({ limit: maxBytes })))
        chunks.push(chunk)
        return Effect.void
      })
      const mediaType = response.headers["content-type"]?.split(";")[0]?.trim().toLowerCase()
      return {
        _tag: "Content" as const,
        mediaType: mediaType === undefined || mediaType === "" ? "application/octet-stream" : mediaType,
        bytes: new Uint8Array(Buffer.concat(chunks)),
        filename: part.filename ?? dispositionName(response.headers["content-disposition"])
      }
    })

    return Attachments.of({
      fetch: Effect.fn("PlatformAttachments.fetch")(function* (part: AttachedPart) {
        const url = onPlatform(part)
        if (url === undefined) return yield* withoutPlatform(part, maxBytes)
        const unreached = (detail: string) =>
          new AttachmentError({ name: nameOf(part), reason: new NotReached({ detail }) })
        return yield* load(url.href, part).pipe(
          Effect.catchTag("HttpClientError", (error) => Effect.fail(unreached(error.reason._tag))),
          Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(unreached("no answer in time")) })
        )
      })
    })
  })

/** `filename*` (RFC 8187) before `filename` (RFC 6266). */
const dispositionName = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  const extended = /filename\*\s*=\s*utf-8''([^;]+)/i.exec(header)?.[1]
  if (extended !== undefined) return Result.getOrUndefined(Result.try(() => decodeURIComponent(extended)))
  return /filename\s*=\s*"?([^";]+)"?/i.exec(header)?.[1]
}

export const layer = (options: Options): Layer.Layer<Attachments> =>
  Layer.effect(Attachments, make(options)).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
  )
