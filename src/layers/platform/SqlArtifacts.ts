/**
 * Files that agents hand in: what is known of them in SQL, their bytes in a folder beside it, named by the hash of
 * their content, so that the same bytes lie there once. A row exists only for bytes that are whole and in place; bytes
 * go with the last row that names them.
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
import { type ArchiveEntry, type Artifact, Artifacts } from "../../services/platform/Artifacts.ts"
import { Invalid, LimitReached, NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import { bounds } from "../../services/protocol/Market.ts"
import * as fileFolder from "./fileFolder.ts"
import { inMebibytes } from "./fileFolder.ts"
import { sanitizeFilename } from "./filenames.ts"
import * as mediaTypes from "./mediaTypes.ts"
import * as secrets from "./secrets.ts"
import { atEdge, lockKey, toId, toNumber, toStoreError } from "./sqlStore.ts"
import type { Numeric } from "./taskRows.ts"
import * as zipArchive from "./zipArchive.ts"
import type * as zipDirectory from "./zipDirectory.ts"

export interface Options {
  /** Where the bytes are kept. Made (mode 0700) where missing. */
  readonly folder: string
  /** Bytes of one file. Default 512 MiB. */
  readonly maxSize?: number | undefined
  /** Bytes of all files of one agent. Default 4 GiB. */
  readonly quota?: number | undefined
  /** What an archive may hold. */
  readonly archives?: Partial<zipDirectory.Bounds> | undefined
}

interface Row {
  readonly artifact_id: string
  readonly claw_id: string
  readonly task_id: string | null
  readonly session_id: string | null
  readonly filename: string
  readonly media_type: string
  readonly size: Numeric
  readonly sha256: string
  readonly entries: string | null
  readonly created_at: Numeric
}

const toArtifact = (row: Row): Artifact => ({
  artifactId: row.artifact_id,
  clawId: row.claw_id,
  taskId: row.task_id ?? undefined,
  sessionId: row.session_id ?? undefined,
  filename: row.filename,
  mediaType: row.media_type,
  size: toNumber(row.size),
  sha256: row.sha256,
  createdAt: toNumber(row.created_at),
  entries: row.entries === null ? undefined : JSON.parse(row.entries)
})

const sweepEvery = "1 hour"
/** How many files of an archive are listed, and how long their names together may be. */
const listed = 500
const noArtifact = new NotFound({ what: "artifact" })
const otherBytes = new Invalid({
  detail:
    "The bytes that came have another SHA-256 than was said: the file changed, or the way damaged it. Send it again.",
  param: "sha256"
})
const otherAttempt = new Invalid({
  detail: "This idempotency key was used for another file. Take a fresh one for each file, such as a UUID.",
  param: "idempotency-key"
})

export const make = Effect.fnUntraced(function* (options: Options) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const folder = yield* fileFolder.open(options.folder)
  const maxSize = options.maxSize ?? bounds.archiveBytes
  const quota = options.quota ?? 4096 * fileFolder.mebibyte
  /** Bytes under way, by agent: they are not in the database yet. */
  const arriving = new Map<string, number>()

  const tooLarge = new LimitReached({
    detail: `The file is larger than ${inMebibytes(maxSize)}, which is the limit. Send a smaller one.`
  })
  const overQuota = new LimitReached({
    detail: `The files of this agent would take more than ${inMebibytes(quota)}, which is the limit.`
  })

  // A file goes with its conversation, and with a task that its agent does not have any more.
  const dead = sql.literal(`(
    (a.session_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = a.session_id))
    OR (a.task_id IS NOT NULL AND NOT EXISTS
      (SELECT 1 FROM tasks t WHERE t.task_id = a.task_id AND t.claw_id = a.claw_id)))`)

  const used = Effect.fnUntraced(function* (clawId: string) {
    const [row] = yield* sql<{ total: Numeric | null }>`SELECT sum(size) AS total FROM artifacts
      WHERE claw_id = ${clawId}`
    return toNumber(row?.total ?? 0)
  })

  /** The row, and the bytes where no other row names them. */
  const drop = (row: Pick<Row, "artifact_id" | "sha256">) =>
    Effect.gen(function* () {
      yield* lockKey(sql, `content ${row.sha256}`)
      yield* sql`DELETE FROM artifacts WHERE artifact_id = ${row.artifact_id}`
      const others = yield* sql`SELECT 1 AS found FROM artifacts WHERE sha256 = ${row.sha256} LIMIT 1`
      if (others.length === 0) yield* folder.discard(row.sha256)
    }).pipe(sql.withTransaction)

  const sweep = Effect.gen(function* () {
    const rows = yield* sql<Row>`SELECT a.* FROM artifacts a WHERE ${dead}`
    yield* Effect.forEach(rows, drop, { discard: true })
  }).pipe(atEdge)

  /** Bytes that a platform which was killed had put in place, and nothing names. */
  const clear = Effect.gen(function* () {
    const names = yield* folder.contents
    for (let at = 0; at < names.length; at += 500) {
      const some = names.slice(at, at + 500)
      const rows = yield* sql<{ sha256: string }>`SELECT sha256 FROM artifacts WHERE ${sql.in("sha256", some)}`
      const named = new Set(rows.map(({ sha256 }) => sha256))
      yield* Effect.forEach(
        some.filter((name) => !named.has(name)),
        folder.discard,
        { discard: true }
      )
    }
  }).pipe(atEdge)

  yield* clear
  yield* sweep
  yield* sweep.pipe(
    Effect.catch((error) => Effect.logDebug("Files of tasks that are gone stay for now", error.detail)),
    Effect.schedule(Schedule.spaced(sweepEvery)),
    Effect.forkScoped
  )

  const before = Effect.fnUntraced(function* (clawId: string, attempt: string | null) {
    if (attempt === null) return undefined
    const [row] = yield* sql<Row>`SELECT * FROM artifacts WHERE claw_id = ${clawId} AND attempt = ${attempt}`
    return row
  })

  /** Counts, writes the row and puts the bytes in place, all or nothing. */
  const keep = Effect.fnUntraced(function* (name: string, artifact: Artifact, attempt: string | null) {
    yield* lockKey(sql, `artifacts ${artifact.clawId}`)
    const known = yield* before(artifact.clawId, attempt)
    if (known !== undefined) return known.sha256 === artifact.sha256 ? toArtifact(known) : yield* otherAttempt
    if ((yield* used(artifact.clawId)) + artifact.size > quota) return yield* overQuota
    yield* lockKey(sql, `content ${artifact.sha256}`)
    yield* sql`INSERT INTO artifacts ${sql.insert({
      artifact_id: artifact.artifactId,
      claw_id: artifact.clawId,
      task_id: artifact.taskId ?? null,
      session_id: artifact.sessionId ?? null,
      filename: artifact.filename,
      media_type: artifact.mediaType,
      size: artifact.size,
      sha256: artifact.sha256,
      entries: artifact.entries === undefined ? null : JSON.stringify(artifact.entries),
      attempt,
      created_at: artifact.createdAt
    })}`
    // The same bytes may lie there already: then these take their place, and nothing changes.
    yield* folder.settle(name, artifact.sha256)
    return artifact
  })

  const toEntries = (entries: ReadonlyArray<zipDirectory.ZipEntry>): ReadonlyArray<ArchiveEntry> =>
    entries
      .filter(({ isFolder }) => !isFolder)
      .slice(0, listed)
      .map(({ path, size }) => ({ path: path.toWellFormed().slice(0, 300), size }))

  const store: Artifacts["Service"]["store"] = Effect.fn("Artifacts.store")(function* (input, body) {
    const { clawId } = input
    const attempt = input.attempt === undefined ? null : secrets.hash(input.attempt)
    const known = yield* atEdge(before(clawId, attempt))
    if (known !== undefined) {
      const isSame = input.sha256 === undefined || input.sha256 === known.sha256
      return isSame ? toArtifact(known) : yield* otherAttempt
    }
    const spent = yield* atEdge(used(clawId))
    if (spent >= quota) return yield* overQuota
    const artifactId = yield* secrets.drawId(random, "art_")
    const name = folder.temporary(artifactId)
    let own = 0
    const admit = (bytes: number, size: number): LimitReached | undefined => {
      if (size > maxSize) return tooLarge
      own += bytes
      const all = (arriving.get(clawId) ?? 0) + bytes
      arriving.set(clawId, all)
      return spent + all > quota ? overQuota : undefined
    }
    const settle = Effect.sync(() => {
      const rest = (arriving.get(clawId) ?? 0) - own
      if (rest <= 0) arriving.delete(clawId)
      else arriving.set(clawId, rest)
    })
    return yield* Effect.gen(function* () {
      const { head, sha256, size } = yield* folder.receive(name, body, admit)
      if (input.sha256 !== undefined && input.sha256.toLowerCase() !== sha256) return yield* otherBytes
      const entries = input.archive
        ? yield* zipArchive.inspect(folder.place(name), { ...zipArchive.defaults, ...options.archives })
        : undefined
      const artifact: Artifact = {
        artifactId,
        clawId,
        taskId: input.taskId,
        sessionId: input.sessionId,
        filename: sanitizeFilename(input.filename),
        mediaType: input.archive ? "application/zip" : mediaTypes.settle(input.mediaType, head),
        size,
        sha256,
        createdAt: yield* Clock.currentTimeMillis,
        entries: entries === undefined ? undefined : toEntries(entries)
      }
      // Not tried twice: the bytes have moved.
      return yield* toStoreError(sql.withTransaction(keep(name, artifact, attempt)))
    }).pipe(Effect.ensuring(Effect.andThen(folder.discard(name), settle)))
  })

  const find: Artifacts["Service"]["find"] = Effect.fn("Artifacts.find")(function* (artifactId) {
    const [row] = yield* sql<Row>`SELECT a.* FROM artifacts a
      WHERE a.artifact_id = ${toId(artifactId)} AND NOT ${dead}`
    return row === undefined ? yield* noArtifact : toArtifact(row)
  }, atEdge)

  const bind: Artifacts["Service"]["bind"] = Effect.fn("Artifacts.bind")(function* (clawId, artifactId, to) {
    const task_id = to.taskId ?? null
    const session_id = to.sessionId ?? null
    const [row] = yield* sql<Row>`UPDATE artifacts SET task_id = ${task_id}, session_id = ${session_id}
      WHERE artifact_id = ${toId(artifactId)} AND claw_id = ${toId(clawId)}
        AND task_id IS NULL AND session_id IS NULL RETURNING *`
    if (row !== undefined) return toArtifact(row)
    const bound = yield* find(artifactId)
    const isSame = bound.clawId === clawId && bound.taskId === to.taskId && bound.sessionId === to.sessionId
    return isSame ? bound : yield* noArtifact
  }, atEdge)

  const ofTask: Artifacts["Service"]["ofTask"] = Effect.fn("Artifacts.ofTask")(function* (taskId, clawId) {
    const rows = yield* sql<Row>`SELECT * FROM artifacts
      WHERE task_id = ${toId(taskId)} AND claw_id = ${toId(clawId)}
      ORDER BY created_at DESC, artifact_id DESC LIMIT 200`
    return rows.map(toArtifact)
  }, atEdge)

  const remove: Artifacts["Service"]["remove"] = Effect.fn("Artifacts.remove")(function* (clawId, artifactId) {
    const [row] = yield* sql<Row>`SELECT a.* FROM artifacts a
      WHERE a.artifact_id = ${toId(artifactId)} AND a.claw_id = ${toId(clawId)}
        AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.task_id = a.task_id AND t.archive_id = a.artifact_id)`
    if (row !== undefined) yield* drop(row)
  }, atEdge)

  const read: Artifacts["Service"]["read"] = (artifactId) =>
    Stream.unwrap(Effect.map(find(artifactId), ({ sha256 }) => folder.stream(sha256, noArtifact)))

  return Artifacts.of({ store, find, bind, ofTask, remove, read })
})

export const layer = (
  options: Options
): Layer.Layer<
  Artifacts,
  fileFolder.FilesFolderError | StoreError,
  SqlClient.SqlClient | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> => Layer.effect(Artifacts, make(options))
