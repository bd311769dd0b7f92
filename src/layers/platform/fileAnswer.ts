/** A file as an answer: never run, never sniffed, saved unless it is of a kind that is safe to show in place. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as HttpGuards from "../http/HttpGuards.ts"
import * as mediaTypes from "./mediaTypes.ts"

export interface Named {
  readonly filename: string
  readonly mediaType: string
  readonly size: number
}

/** RFC 6266: an ASCII name for old readers, the real one beside it. */
const disposition = (file: Named): string => {
  const kind = mediaTypes.isInline(file.mediaType) ? "inline" : "attachment"
  const ascii = file.filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_")
  const encoded = encodeURIComponent(file.filename).replaceAll(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

export const of = <E>(file: Named, bytes: Stream.Stream<Uint8Array, E>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(Stream.orDie(bytes), {
    contentType: file.mediaType,
    contentLength: file.size,
    headers: { ...HttpGuards.fileHeaders, "content-disposition": disposition(file) }
  })
