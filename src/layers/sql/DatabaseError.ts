/** Why a database cannot be used at all, said at start to the one who runs the program. Not for the wire: it names a file. */
import * as Schema from "effect/Schema"

/**
 * - `NotADatabase`, `Damaged`: the bytes of the file are not, or no longer, a database.
 * - `Newer`: written by a later version of this program.
 * - `NoAccess`: the file or its folder cannot be read and written.
 * - `Locked`: another program holds it.
 * - `Full`: no room on the disk.
 * - `Failed`: anything else; `detail` is all that is known.
 */
export const DatabaseErrorReason = Schema.Literals([
  "NotADatabase",
  "Damaged",
  "Newer",
  "NoAccess",
  "Locked",
  "Full",
  "Failed"
])
export type DatabaseErrorReason = typeof DatabaseErrorReason.Type

export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  /** The file's name, or the database's. */
  database: Schema.String,
  reason: DatabaseErrorReason,
  detail: Schema.String
}) {
  override get message(): string {
    return sentences[this.reason](`"${this.database}"`, this.detail)
  }
}

const sentences: Record<DatabaseErrorReason, (database: string, detail: string) => string> = {
  NotADatabase: (database) =>
    `The file ${database} is not a database. Nothing was changed in it. Name another file, or move this one away to start with an empty database.`,
  Damaged: (database, detail) =>
    `The database ${database} is damaged (${detail}). Nothing was changed in it. Put a backup in its place, or move it away to start with an empty one.`,
  Newer: (database, detail) =>
    `The database ${database} was written by a newer version of clawfiber (${detail}). Nothing was changed in it. Update clawfiber, or name another data folder.`,
  NoAccess: (database, detail) =>
    `The database ${database} cannot be opened for reading and writing (${detail}). Check that its folder exists, is yours and is writable.`,
  Locked: (database) =>
    `The database ${database} is held by another program. Stop the other one, or name another data folder.`,
  Full: (database) => `The database ${database} cannot grow: the disk is full. Make room and start again.`,
  Failed: (database, detail) => `The database ${database} cannot be used (${detail}).`
}

/** https://sqlite.org/rescode.html, the low byte of the extended code. */
const reasonOfSqliteCode: Readonly<Record<number, DatabaseErrorReason>> = {
  3: "NoAccess",
  5: "Locked",
  6: "Locked",
  8: "NoAccess",
  11: "Damaged",
  13: "Full",
  14: "NoAccess",
  26: "NotADatabase"
}

/** The system's own names for what a file system refuses. */
const reasonOfSystemCode: Readonly<Record<string, DatabaseErrorReason>> = {
  EACCES: "NoAccess",
  EPERM: "NoAccess",
  EROFS: "NoAccess",
  ENOENT: "NoAccess",
  ENOTDIR: "NoAccess",
  EISDIR: "NoAccess",
  EEXIST: "NoAccess",
  ENOSPC: "Full",
  EDQUOT: "Full"
}

const detailOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Reads what `node:sqlite` (`errcode`) or `node:fs` (`code`) threw while a database was opened. */
export const fromUnknown = (database: string, cause: unknown): DatabaseError => {
  const detail = detailOf(cause)
  if (typeof cause === "object" && cause !== null) {
    if ("errcode" in cause && typeof cause.errcode === "number") {
      const reason = reasonOfSqliteCode[cause.errcode & 0xff] ?? "Failed"
      return new DatabaseError({ database, reason, detail })
    }
    if ("code" in cause && typeof cause.code === "string") {
      // The system's text repeats the path, which the sentence already names.
      const reason = reasonOfSystemCode[cause.code] ?? "Failed"
      return new DatabaseError({ database, reason, detail: reason === "Failed" ? detail : cause.code })
    }
  }
  return new DatabaseError({ database, reason: "Failed", detail })
}
