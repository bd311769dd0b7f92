/**
 * Statements of the way that every turn takes, as texts: within a transaction of SQLite they run on the connection
 * itself. A statement of the client finds its transaction, compiles itself and opens a span, which costs more than these
 * do.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as SqliteClient from "../../sql/SqliteClient.ts"

export type Run = <Row extends object = object>(
  text: string,
  values: ReadonlyArray<string | number | null>
) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** `?` in a text is the place of a value; a text holds none otherwise. */
export const make = (sql: SqlClient): Run => {
  const numbered = new Map<string, string>()
  /** For Postgres the places have numbers. */
  const inItsWords = (text: string): string =>
    sql.onDialectOrElse({
      pg: () => {
        let known = numbered.get(text)
        if (known === undefined) {
          let last = 0
          known = text.replaceAll("?", () => `$${++last}`)
          numbered.set(text, known)
        }
        return known
      },
      orElse: () => text
    })

  return <Row extends object>(text: string, values: ReadonlyArray<string | number | null>) =>
    Effect.flatMap(Effect.serviceOption(sql.transactionService), (transaction) => {
      const connection = Option.isSome(transaction) ? transaction.value[0] : undefined
      return connection !== undefined && SqliteClient.isSqlite(connection)
        ? // What a text selects is what its caller says it does.
          Effect.map(connection.executeMany(text, [values]), ([rows = []]) => rows as ReadonlyArray<Row>)
        : sql.unsafe<Row>(inItsWords(text), values)
    })
}

/** `INSERT` of a row with these columns, and its values in their order. */
export const insertText = (table: string, columns: ReadonlyArray<string>): string =>
  `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`
