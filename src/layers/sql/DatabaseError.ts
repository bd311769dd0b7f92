/** Why a database cannot be used at all, said at start to the one who runs the program. Not for the wire: it names a file. */
import * as Schema from "effect/Schema"
import type { SqlError } from "effect/sql/SqlError"

/**
 * - `NotADatabase`, `Damaged`: the bytes of the file are not, or no longer, a database.
 * - `Newer`: written by a later version of this program.
 * - `NoAccess`: the file or its folder cannot be read and written.
 * - `Locked`: another program holds it.
 * - `Full`: no room on the disk.
 * - `NoAddress`: what was given is no address of a Postgres.
 * - `Unreachable`: nobody answers there, or not yet. `NoSuchDatabase`: the server has none of this name.
 * - `Refused`: the server does not let this user in, or not to what it needs. `Crowded`: it has no connection left.
 * - `Failed`: anything else; `detail` is all that is known.
 */
export const DatabaseErrorReason = Schema.Literals([
  "NotADatabase",
  "Damaged",
  "Newer",
  "NoAccess",
  "Locked",
  "Full",
  "NoAddress",
  "Unreachable",
  "NoSuchDatabase",
  "Refused",
  "Crowded",
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
  NoAddress: () =>
    "The address of the database is none of Postgres. Write it like postgres://user:password@host:5432/database.",
  Unreachable: (database, detail) =>
    `No database answers at ${database} (${detail}). Check that Postgres runs there and that the address is right.`,
  NoSuchDatabase: (database) => `The server of ${database} has no database of that name. Make it, or name another one.`,
  Refused: (database, detail) =>
    `The database ${database} does not let this user in (${detail}). Check user and password, and what the user may do.`,
  Crowded: (database) =>
    `The database ${database} has no free connection. Allow more there, or fewer here with CLAWFIBER_DATABASE_CONNECTIONS.`,
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

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const reasonOfSqlState: Readonly<Record<string, DatabaseErrorReason>> = {
  "3D000": "NoSuchDatabase",
  "42501": "Refused",
  "53100": "Full",
  "53300": "Crowded",
  "55P03": "Locked"
}

/** The code beneath an error of the client: a SQLSTATE, or the system's name of what failed. */
export const codeOf = (error: SqlError): string | undefined => {
  const { cause } = error.reason
  return typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined
}

/** Reads what a client of Postgres says. Its own words are left out where they could repeat the address. */
export const fromSqlError = (database: string, error: SqlError): DatabaseError => {
  const code = codeOf(error)
  const known = code === undefined ? undefined : reasonOfSqlState[code]
  if (known !== undefined) return new DatabaseError({ database, reason: known, detail: code ?? "" })
  switch (error.reason._tag) {
    case "ConnectionError":
      return new DatabaseError({ database, reason: "Unreachable", detail: code ?? "no connection" })
    case "AuthenticationError":
      return new DatabaseError({ database, reason: "Refused", detail: code ?? "no password" })
    default:
      return new DatabaseError({ database, reason: "Failed", detail: detailOf(error.reason.cause) })
  }
}
