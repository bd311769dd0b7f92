/** One file among fields, as multipart/form-data (RFC 7578), written as a stream of known length. */
import * as Stream from "effect/Stream"

export interface Form<E> {
  /** Unlike any line of the file; letters and digits. */
  readonly boundary: string
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
  readonly file:
    | {
        readonly field: string
        readonly filename: string
        readonly mediaType: string
        readonly size: number
        readonly content: Stream.Stream<Uint8Array, E>
      }
    | undefined
  /** A field whose value is known when the file has been read, of a known length. */
  readonly after?: { readonly name: string; readonly length: number; readonly value: () => string } | undefined
}

export interface Body<E> {
  readonly contentType: string
  readonly length: number
  readonly stream: Stream.Stream<Uint8Array, E>
}

const encoder = new TextEncoder()

/** As browsers write names in quotes. */
const quoted = (text: string): string =>
  `"${text.toWellFormed().replace(/["\r\n]/g, (one) => ({ '"': "%22", "\r": "%0D", "\n": "%0A" })[one] ?? "")}"`

export const make = <E>({ after, boundary, fields, file }: Form<E>): Body<E> => {
  const field = (name: string, value: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; name=${quoted(name)}\r\n\r\n${value}\r\n`
  const begin = encoder.encode(
    fields.map(([name, value]) => field(name, value.toWellFormed())).join("") +
      (file === undefined
        ? ""
        : `--${boundary}\r\ncontent-disposition: form-data; name=${quoted(file.field)}; filename=${quoted(file.filename)}\r\ncontent-type: ${file.mediaType}\r\n\r\n`)
  )
  const end = (value: string | undefined): Uint8Array =>
    encoder.encode(
      `${file === undefined ? "" : "\r\n"}${after === undefined || value === undefined ? "" : field(after.name, value)}--${boundary}--\r\n`
    )
  const length =
    begin.length + (file?.size ?? 0) + end(after === undefined ? undefined : "0".repeat(after.length)).length
  const last = Stream.suspend(() => Stream.succeed(end(after?.value())))
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length,
    stream: Stream.succeed(begin).pipe(Stream.concat(file?.content ?? Stream.empty), Stream.concat(last))
  }
}
