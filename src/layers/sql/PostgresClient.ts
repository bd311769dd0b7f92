/**
 * The `SqlClient` of Effect over Postgres, by its address. Load this module only where an address is given: whoever
 * keeps to SQLite pays nothing for it at the start.
 *
 * Connections are opened when they are needed and opened anew after a loss; whoever asks in between gets a
 * `ConnectionError`. BIGINT comes as a number where it fits exactly, as a bigint beyond 2^53.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as SqlClient from "effect/sql/SqlClient"
import { DatabaseError, fromSqlError } from "./DatabaseError.ts"

export interface Options {
  /** `postgres://` or `postgresql://`, user and password included. Shown nowhere. */
  readonly url: Redacted.Redacted<string>
  /** How many connections there are at most. Default 10. */
  readonly maxConnections?: number | undefined
  /** How long a new connection may take. Default 5 s. */
  readonly connectTimeout?: Duration.Input | undefined
  /** What the database's operator sees of this program. Default `clawfiber`. */
  readonly applicationName?: string | undefined
  /** Settings of each connection, `search_path` for example. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

export const applicationName = "clawfiber"

/**
 * Bytes of one row, at most: the longest reply that a platform takes (32 Mi characters of up to three bytes) and what
 * belongs to it. A larger one breaks the connection.
 */
const maxMessageSize = 128 * 1024 * 1024

const isPostgres = (url: URL): boolean => url.protocol === "postgres:" || url.protocol === "postgresql:"

/** What a person may see of an address: `host:port/database`. */
export const nameOf = (url: Redacted.Redacted<string>): string => {
  const parsed = URL.parse(Redacted.value(url))
  // Anything else may hold a password where an address has none.
  if (parsed === null || !isPostgres(parsed)) return "Postgres"
  const host = parsed.hostname === "" ? "localhost" : parsed.hostname
  return `${host}:${parsed.port === "" ? "5432" : parsed.port}${parsed.pathname === "/" ? "" : parsed.pathname}`
}

/** Numbers and bigints alike go in; what comes out is a number wherever that loses nothing. */
const types = (): PgTypes.Registry => {
  const registry = PgTypes.makeRegistry()
  const whole = (value: number | bigint) =>
    Result.try({
      try: () => BigInt(value),
      catch: () => new PgTypes.CodecError({ message: "A BIGINT is a whole number" })
    })
  const int8: PgTypes.Codec<number | bigint> = {
    encode: (value) =>
      Result.map(whole(value), (big) => {
        const bytes = new Uint8Array(8)
        new DataView(bytes.buffer).setBigInt64(0, big)
        return bytes
      }),
    decode: (bytes) => {
      const big = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(0)
      const number = Number(big)
      return Result.succeed(Number.isSafeInteger(number) ? number : big)
    }
  }
  registry.register(PgTypes.OID.int8, int8, { arrayOid: PgTypes.OID.int8Array })
  return registry
}

/** Asks once, so that a wrong address, password or database is said at the start and not to the first person. */
export const make = Effect.fnUntraced(
  function* (options: Options) {
    const database = nameOf(options.url)
    const parsed = URL.parse(Redacted.value(options.url))
    if (parsed === null || !isPostgres(parsed)) {
      return yield* new DatabaseError({ database, reason: "NoAddress", detail: "not postgres://" })
    }
    const client = yield* PgClient.make({
      url: options.url,
      types: types(),
      // One stays open, so that the database's operator sees who is using it.
      minConnections: 1,
      maxConnections: Math.max(1, options.maxConnections ?? 10),
      connectTimeout: options.connectTimeout ?? "5 seconds",
      keepAlive: "30 seconds",
      maxMessageSize,
      applicationName: options.applicationName ?? applicationName,
      ...(options.parameters === undefined ? {} : { startupParameters: options.parameters })
    })
    yield* client`SELECT 1`
    return client
  },
  (self, options) => Effect.catchTag(self, "SqlError", (error) => Effect.fail(fromSqlError(nameOf(options.url), error)))
)

export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient | PgClient.PgClient, DatabaseError> =>
  PgClient.layerFrom(make(options)).pipe(Layer.provide(Reactivity.layer))
