/**
 * Files of messages: what is known of them in SQL, their bytes in a folder beside it, one file each, named by id.
 * The folder belongs to one running platform. Bytes come first to a temporary file; a row exists only for bytes that
 * are whole and in place.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { type FileMeta, Files } from "../../services/platform/Files.ts"
import { LimitReached, NotFound, StoreError } from "../../services/platform/PlatformError.ts"
import { sanitizeFilename } from "./filenames.ts"
import * as mediaTypes from "./mediaTypes.ts"
import * as secrets from "./secrets.ts"
import { atEdge, lockKey, toId, toNumber, toStoreError } from "./sqlStore.ts"

export interface Options {
  /** Where the bytes are kept. Made (mode 0700) where missing. */
  readonly folder: string
  /** Bytes of one file. Default 20 MiB. */
  readonly maxSize?: number | undefined
  /** Bytes of all files of one person. Default 500 MiB. */
  readonly quota?: number | undefined
}

/** The folder for files cannot be used: said at start, to the one who runs the program. */
export class FilesFolderError extends Schema.TaggedError<FilesFolderError>()("FilesFolderError", {
  folder: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `The folder "${this.folder}" for files cannot be used (${this.detail}). Check that it exists, is yours and is writable.`
  }
}

type Numeric = number | bigint | string

interface Row {
  readonly file_id: string
  readonly user_id: string
  readonly session_id: string | null
  readonly filename: string
  readonly media_type: string
  readonly size: Numeric
  readonly sha256: string
  readonly created_at: Numeric
}

const toMeta = (row: Row): FileMeta => ({
  fileId: row.file_id,
  userId: row.user_id,
  sessionId: row.session_id ?? undefined,
  filename: row.filename,
  mediaType: row.media_type,
  size: toNumber(row.size),
  sha256: row.sha256,
  createdAt: toNumber(row.created_at)
})

const mebibyte = 1024 * 1024
const sweepEvery = "1 hour"
const temporary = ".part"
const noFile = new NotFound({ what: "file" })

const inMebibytes = (bytes: number): string => `${Math.round((bytes / mebibyte) * 10) / 10} MiB`

const fromPlatformError = (error: PlatformError): StoreError =>
  new StoreError({
    detail: `files: ${error.reason._tag}: ${error.reason.method}`,
    transient: error.reason._tag === "Busy" || error.reason._tag === "TimedOut" || error.reason._tag === "WouldBlock"
  })

/** What the first pass over the bytes learns. */
interface Received {
  size: number
  readonly head: Uint8Array
}

export const make = Effect.fnUntraced(function* (options: Options) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const maxSize = options.maxSize ?? 20 * mebibyte
  const quota = options.quota ?? 500 * mebibyte
  const place = (name: string) => path.join(options.folder, name)
  const discard = (name: string) => Effect.ignore(fs.remove(place(name), { force: true }))

  // A file whose conversation was removed is gone with it, before and after the bytes are.
  const alive = sql.literal(
    "(session_id IS NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = files.session_id))"
  )

  const tooLarge = new LimitReached({
    detail: `The file is larger than ${inMebibytes(maxSize)}, which is the limit. Send a smaller one.`
  })
  const overQuota = new LimitReached({
    detail: `Your files would take more than ${inMebibytes(quota)}, which is the limit. Delete conversations with files that you no longer need.`
  })

  const used = Effect.fnUntraced(function* (userId: string) {
    const [row] = yield* sql<{ total: Numeric | null }>`SELECT sum(size) AS total FROM files
      WHERE user_id = ${userId} AND ${alive}`
    return toNumber(row?.total ?? 0)
  })

  /** Bytes of removed conversations. */
  const sweep = Effect.gen(function* () {
    const dead = yield* sql<{ file_id: string }>`SELECT file_id FROM files WHERE NOT ${alive}`
    yield* Effect.forEach(
      dead,
      ({ file_id }) => Effect.andThen(discard(file_id), sql`DELETE FROM files WHERE file_id = ${file_id}`),
      { discard: true }
    )
  }).pipe(atEdge)

  yield* Effect.gen(function* () {
    yield* fs.makeDirectory(options.folder, { recursive: true, mode: 0o700 })
    yield* fs.access(options.folder, { readable: true, writable: true })
    const names = yield* fs.readDirectory(options.folder)
    yield* Effect.forEach(
      names.filter((name) => name.endsWith(temporary)),
      discard,
      { discard: true }
    )
  }).pipe(Effect.mapError((error) => new FilesFolderError({ folder: options.folder, detail: error.reason._tag })))
  yield* sweep
  yield* sweep.pipe(
    Effect.catch((error) => Effect.logDebug("Files of removed conversations stay for now", error.detail)),
    Effect.schedule(Schedule.spaced(sweepEvery)),
    Effect.forkScoped
  )

  /** To a temporary file, to the disk, and no further than the limit. */
  const receive = Effect.fnUntraced(function* <E>(name: string, body: Stream.Stream<Uint8Array, E>) {
    const file = yield* Effect.mapError(fs.open(place(name), { flag: "wx", mode: 0o600 }), fromPlatformError)
    const digest = createHash("sha256")
    const received: Received = { size: 0, head: new Uint8Array(mediaTypes.headLength) }
    yield* Stream.runForEach(body, (bytes): Effect.Effect<void, LimitReached | StoreError> => {
      if (received.size < received.head.length) {
        received.head.set(bytes.subarray(0, received.head.length - received.size), received.size)
      }
      received.size += bytes.length
      if (received.size > maxSize) return Effect.fail(tooLarge)
      digest.update(bytes)
      return Effect.mapError(file.writeAll(bytes), fromPlatformError)
    })
    yield* Effect.mapError(file.sync, fromPlatformError)
    return {
      size: received.size,
      sha256: digest.digest("hex"),
      head: received.head.subarray(0, Math.min(received.size, received.head.length))
    }
  }, Effect.scoped)

  /** Counts, writes the row and puts the bytes in place, all or nothing. */
  const keep = Effect.fnUntraced(function* (name: string, meta: FileMeta) {
    if ((yield* lockAndCount(meta.userId)) + meta.size > quota) return yield* overQuota
    yield* sql`INSERT INTO files ${sql.insert({
      file_id: meta.fileId,
      user_id: meta.userId,
      filename: meta.filename,
      media_type: meta.mediaType,
      size: meta.size,
      sha256: meta.sha256,
      created_at: meta.createdAt
    })}`
    yield* Effect.mapError(fs.rename(place(name), place(meta.fileId)), fromPlatformError)
  })

  const lockAndCount = (userId: string) => Effect.andThen(lockKey(sql, `files ${userId}`), used(userId))

  const store: Files["Service"]["store"] = Effect.fn("Files.store")(function* (input, body) {
    if ((yield* atEdge(used(input.userId))) >= quota) return yield* overQuota
    const fileId = yield* secrets.drawId(random, "file_")
    const name = `${fileId}${temporary}`
    return yield* Effect.gen(function* () {
      const { head, sha256, size } = yield* receive(name, body)
      const meta: FileMeta = {
        fileId,
        userId: input.userId,
        sessionId: undefined,
        filename: sanitizeFilename(input.filename),
        mediaType: mediaTypes.settle(input.mediaType, head),
        size,
        sha256,
        createdAt: yield* Clock.currentTimeMillis
      }
      // Not tried twice: the bytes have moved.
      yield* toStoreError(Effect.onError(sql.withTransaction(keep(name, meta)), () => discard(fileId)))
      return meta
    }).pipe(Effect.ensuring(discard(name)))
  })

  const bind: Files["Service"]["bind"] = Effect.fn("Files.bind")(function* (userId, sessionId, fileIds) {
    const ids = [...new Set(fileIds.map(toId))]
    if (ids.length === 0) return
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const own = yield* sql`SELECT session_id FROM sessions
          WHERE session_id = ${toId(sessionId)} AND user_id = ${userId}`
        if (own.length === 0) return yield* new NotFound({ what: "conversation" })
        const bound = yield* sql`UPDATE files SET session_id = ${sessionId}
          WHERE ${sql.in("file_id", ids)} AND user_id = ${userId}
            AND (session_id IS NULL OR session_id = ${sessionId}) RETURNING file_id`
        // A file of another conversation stays there: its agent is not the one asked here.
        if (bound.length < ids.length) {
          return yield* new NotFound({
            what: "file",
            hint: "One that was sent in another conversation is uploaded anew for this one."
          })
        }
      })
    )
  }, atEdge)

  const find: Files["Service"]["find"] = Effect.fn("Files.find")(function* (fileId) {
    const [row] = yield* sql<Row>`SELECT * FROM files WHERE file_id = ${toId(fileId)} AND ${alive}`
    return row === undefined ? yield* noFile : toMeta(row)
  }, atEdge)

  const read: Files["Service"]["read"] = (fileId) =>
    Stream.unwrap(
      Effect.map(find(fileId), (meta) =>
        Stream.mapError(fs.stream(place(meta.fileId)), (error) =>
          error.reason._tag === "NotFound" ? noFile : fromPlatformError(error)
        )
      )
    )

  return Files.of({ store, bind, find, read })
})

export const layer = (
  options: Options
): Layer.Layer<
  Files,
  FilesFolderError | StoreError,
  SqlClient.SqlClient | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> => Layer.effect(Files, make(options))
