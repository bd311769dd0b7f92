/**
 * A backup is one file, a gzip'd tar, the same whichever database it is of:
 *
 *     manifest.json          what is in it, with checksums (`Manifest`)
 *     tables/<name>.jsonl    the rows of a table, one JSON object a line, columns by name, in the order of the key
 *     files/<file id>        the bytes of the files
 *     artifacts/<sha256>     the bytes of what agents handed in
 *     extras/<path>          files of the data folder that belong to it, as they are
 *
 * It holds what signs people in (hashes of keys, the secret that signs tokens): it is kept like a key, mode 0600.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { createReadStream, createWriteStream } from "node:fs"
import { rm } from "node:fs/promises"
import { Readable, Writable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import * as tar from "tar"

export interface Table {
  readonly name: string
  /** Its rows are in the order of this column. */
  readonly key: string
  /** A number that the database counts up. */
  readonly counted?: boolean
  /** Rows of one key are in the order of this one; and whether it is a number. */
  readonly second?: { readonly key: string; readonly counted?: boolean }
  /** The migration that made it. */
  readonly since?: number
}

/** In the order in which rows can be put back. */
export const tables: ReadonlyArray<Table> = [
  { name: "settings", key: "name" },
  { name: "identities", key: "claw_id" },
  { name: "people", key: "user_id" },
  { name: "api_keys", key: "key_id" },
  { name: "sessions", key: "session_id" },
  { name: "exchanges", key: "ordinal", counted: true },
  { name: "files", key: "file_id" },
  { name: "tasks", key: "task_id", since: 8 },
  { name: "accounts", key: "account", since: 8 },
  { name: "ledger", key: "entry_id", since: 8 },
  { name: "artifacts", key: "artifact_id", since: 8 },
  { name: "counters", key: "name", since: 9 },
  { name: "world_agents", key: "agent_id", since: 9 },
  { name: "blocks", key: "agent_id", second: { key: "other_id" }, since: 9 },
  { name: "worlds", key: "world_id", since: 9 },
  { name: "memberships", key: "world_id", second: { key: "agent_id" }, since: 9 },
  { name: "drafts", key: "world_id", second: { key: "agent_id" }, since: 9 },
  { name: "world_feedback", key: "feedback_id", since: 9 },
  { name: "chat_requests", key: "chat_request_id", since: 10 },
  { name: "conversations", key: "conversation_id", since: 10 },
  { name: "turns", key: "conversation_id", second: { key: "turn", counted: true }, since: 10 },
  { name: "deliveries", key: "delivery_id", since: 10 }
]

/** Those that a backup of this schema has. */
export const tablesOf = (schema: number): ReadonlyArray<Table> => tables.filter(({ since = 0 }) => since <= schema)

/** Bytes beside the rows: which table says what there is. Their checksum is in its column `sha256`. */
export interface Bytes {
  readonly table: string
  /** The folder, in a backup and beside the database. */
  readonly folder: "files" | "artifacts"
  readonly name: (row: Readonly<Record<string, unknown>>) => string
}

export const bytes: ReadonlyArray<Bytes> = [
  { table: "files", folder: "files", name: (row) => String(row["file_id"]) },
  { table: "artifacts", folder: "artifacts", name: (row) => String(row["sha256"]) }
]

/** Left out: tickets live for 90 seconds, activations for minutes, what is known of attempts to register for a day. */
export const passing = ["tickets", "activations", "registrations"]

export const Manifest = Schema.Struct({
  format: Schema.Literal("clawfiber-backup"),
  version: Schema.Int,
  /** The newest migration of the database that it is of. */
  schema: Schema.Int,
  /** ISO 8601. */
  createdAt: Schema.String,
  /** The highest ordinal ever given: none is given twice. */
  ordinal: Schema.Int,
  tables: Schema.Record(Schema.String, Schema.Struct({ rows: Schema.Int, sha256: Schema.String })),
  files: Schema.Struct({ count: Schema.Int, bytes: Schema.Int }),
  /** Since schema 8. */
  artifacts: Schema.optionalKey(Schema.Struct({ count: Schema.Int })),
  /** By path within the data folder: the checksum. */
  extras: Schema.Record(Schema.String, Schema.String)
})
export type Manifest = typeof Manifest.Type

export const version = 1
export const manifestName = "manifest.json"

/**
 * - `Missing`: there is no such file. `Exists`: there is one already. `NoAccess`: it cannot be read or written.
 * - `Full`: the disk is full.
 * - `NotABackup`, `Damaged`: its bytes are not, or no longer, a backup.
 * - `Newer`: made by a later version of this program. `Older`: the database is of an earlier one.
 * - `NotEmpty`: the place to restore into holds something. `InUse`: a platform works on it.
 * - `NothingThere`: there is nothing to back up.
 */
export const ArchiveReason = Schema.Literals([
  "Missing",
  "Exists",
  "NoAccess",
  "Full",
  "NotABackup",
  "Damaged",
  "Newer",
  "Older",
  "NotEmpty",
  "InUse",
  "NothingThere"
])

export class ArchiveError extends Schema.TaggedError<ArchiveError>()("ArchiveError", {
  /** The file, or the place, as the operator named it. */
  name: Schema.String,
  reason: ArchiveReason,
  detail: Schema.String
}) {
  override get message(): string {
    return sentences[this.reason](this.name, this.detail)
  }
}

const untouched = "Nothing was changed."

const sentences: Record<typeof ArchiveReason.Type, (name: string, detail: string) => string> = {
  Missing: (name) => `There is no file ${name}. ${untouched}`,
  Exists: (name) => `${name} is there already and is left as it is. Name another file, or move that one away.`,
  NoAccess: (name, detail) => `${name} cannot be read or written (${detail}). ${untouched} Mend its permissions.`,
  Full: (name) => `There is no room on the disk for ${name}. ${untouched} Make room and try again.`,
  NotABackup: (name) => `${name} is not a backup of clawfiber. ${untouched}`,
  Damaged: (name, detail) => `The backup ${name} is damaged (${detail}). ${untouched} Take another copy of it.`,
  Newer: (name, detail) =>
    `The backup ${name} was made by a newer version of clawfiber (${detail}). ${untouched} Update clawfiber and try again.`,
  Older: (name) =>
    `The database of ${name} is of an older version of clawfiber. ${untouched} Start the platform of this version on it once.`,
  NotEmpty: (name) =>
    `${name} holds something already. ${untouched} With --force, all of it is replaced by the backup.`,
  InUse: (name) => `A platform works on ${name}. ${untouched} Stop it first.`,
  NothingThere: (name) => `There is no database in ${name}. Name the folder of a platform with --data.`
}

const systemReasons: Readonly<Record<string, typeof ArchiveReason.Type>> = {
  ENOENT: "Missing",
  NotFound: "Missing",
  EEXIST: "Exists",
  AlreadyExists: "Exists",
  EACCES: "NoAccess",
  EPERM: "NoAccess",
  EROFS: "NoAccess",
  EISDIR: "NoAccess",
  ENOTDIR: "NoAccess",
  PermissionDenied: "NoAccess",
  BadResource: "NoAccess",
  ENOSPC: "Full",
  EDQUOT: "Full"
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** What the system or the tar library threw about a file. */
export const fromUnknown =
  (name: string, otherwise: typeof ArchiveReason.Type) =>
  (cause: unknown): ArchiveError => {
    const code = codeOf(cause)
    const reason = systemReasons[code] ?? otherwise
    return new ArchiveError({ name, reason, detail: code === "" ? "unreadable" : code })
  }

/** What Effect's file system says; the system's own code is within. */
export const fromPlatformError =
  (name: string) =>
  (error: PlatformError): ArchiveError => {
    const code = "cause" in error.reason ? codeOf(error.reason.cause) : ""
    return new ArchiveError({
      name,
      reason: systemReasons[code] ?? systemReasons[error.reason._tag] ?? "NoAccess",
      detail: code === "" ? error.reason._tag : code
    })
  }

/** A folder beside the data, gone with the scope: on the same disk, so that files can be linked and moved. */
export const staging = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.acquireRelease(
    fs.makeTempDirectory({ directory: folder, prefix: ".archive-" }).pipe(Effect.mapError(fromPlatformError(folder))),
    // Where unpacking broke off, what was being written still comes to its end: Node tries again for a moment.
    (place) =>
      Effect.ignore(Effect.tryPromise(() => rm(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })))
  )
})

/** Packs what stands in `folder` into a new file, whole or not at all. Nobody else may read it. */
export const pack = Effect.fnUntraced(function* (folder: string, names: ReadonlyArray<string>, file: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(fs.exists(file), () => false)) {
    return yield* new ArchiveError({ name: file, reason: "Exists", detail: "" })
  }
  const part = `${file}.part`
  yield* Effect.tryPromise({
    try: (signal) =>
      pipeline(
        Readable.from(tar.create({ cwd: folder, gzip: { level: 6 }, portable: true, strict: true }, [...names])),
        createWriteStream(part, { flags: "w", mode: 0o600, flush: true }),
        { signal }
      ),
    catch: fromUnknown(file, "NoAccess")
  }).pipe(
    Effect.andThen(Effect.mapError(fs.rename(part, file), fromPlatformError(file))),
    Effect.onError(() => Effect.ignore(fs.remove(part, { force: true })))
  )
})

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() })

const nameOfEntry =
  /^(manifest\.json|tables\/|tables\/[a-z_]+\.jsonl|files\/|files\/[A-Za-z0-9_]+|artifacts\/|artifacts\/[0-9a-f]{64}|extras\/([A-Za-z0-9_.-]+\/?)*)$/

/** Unpacks a backup into a folder. What is none of its own names, or is no plain file, makes it no backup. */
export const unpack = Effect.fnUntraced(function* (file: string, folder: string) {
  const foreign: Array<string> = []
  const fs = yield* FileSystem.FileSystem
  const magic = yield* Effect.scoped(
    Effect.flatMap(fs.open(file, { flag: "r" }), (opened) => opened.readAlloc(2))
  ).pipe(Effect.mapError(fromPlatformError(file)))
  const [first, second] = Option.getOrElse(magic, () => new Uint8Array())
  if (first !== 0x1f || second !== 0x8b) {
    return yield* new ArchiveError({ name: file, reason: "NotABackup", detail: "" })
  }
  // Read through once, to its very end: only there stands the checksum of it all, which unpacking would not wait for.
  yield* Effect.tryPromise({
    try: (signal) => pipeline(createReadStream(file), createGunzip(), nowhere(), { signal }),
    catch: fromUnknown(file, "Damaged")
  })
  yield* Effect.tryPromise({
    try: () =>
      tar.extract({
        file,
        cwd: folder,
        strict: true,
        preserveOwner: false,
        noMtime: true,
        // Of one's own making, and of texts that repeat themselves.
        maxDecompressionRatio: Number.POSITIVE_INFINITY,
        filter: (path, entry) => {
          const plain = !("type" in entry) || entry.type === "File" || entry.type === "Directory"
          if (plain && nameOfEntry.test(path)) return true
          foreign.push(path)
          return false
        }
      }),
    catch: fromUnknown(file, "Damaged")
  })
  if (foreign.length > 0) return yield* new ArchiveError({ name: file, reason: "NotABackup", detail: "" })
})
