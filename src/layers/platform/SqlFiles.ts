/**
 * Files of messages: what is known of them in SQL, their bytes in a folder beside it, one file each, named by id.
 * A row exists only for bytes that are whole and in place.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { type FileMeta, Files } from "../../services/platform/Files.ts"
import { LimitReached, NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import * as fileFolder from "./fileFolder.ts"
import { type FilesFolderError, inMebibytes, mebibyte } from "./fileFolder.ts"
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

export type { FilesFolderError }

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

const sweepEvery = "1 hour"
const noFile = new NotFound({ what: "file" })

export const make = Effect.fnUntraced(function* (options: Options) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const folder = yield* fileFolder.open(options.folder)
  const { discard } = folder
  const maxSize = options.maxSize ?? 20 * mebibyte
  const quota = options.quota ?? 500 * mebibyte

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

  yield* sweep
  yield* sweep.pipe(
    Effect.catch((error) => Effect.logDebug("Files of removed conversations stay for now", error.detail)),
    Effect.schedule(Schedule.spaced(sweepEvery)),
    Effect.forkScoped
  )

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
    yield* folder.settle(name, meta.fileId)
  })

  const lockAndCount = (userId: string) => Effect.andThen(lockKey(sql, `files ${userId}`), used(userId))

  const store: Files["Service"]["store"] = Effect.fn("Files.store")(function* (input, body) {
    if ((yield* atEdge(used(input.userId))) >= quota) return yield* overQuota
    const fileId = yield* secrets.drawId(random, "file_")
    const name = folder.temporary(fileId)
    return yield* Effect.gen(function* () {
      const { head, sha256, size } = yield* folder.receive(name, body, (_, size) =>
        size > maxSize ? tooLarge : undefined
      )
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
    Stream.unwrap(Effect.map(find(fileId), (meta) => folder.stream(meta.fileId, noFile)))

  return Files.of({ store, bind, find, read })
})

export const layer = (
  options: Options
): Layer.Layer<
  Files,
  FilesFolderError | StoreError,
  SqlClient.SqlClient | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> => Layer.effect(Files, make(options))
