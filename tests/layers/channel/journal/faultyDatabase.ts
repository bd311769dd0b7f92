/** A `SqlClient` whose connection fails where a test says so, before the statement is run. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import * as TestClock from "effect/testing/TestClock"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"

/** Result codes of SQLite, as `node:sqlite` reports them. */
export const codes = { busy: 5, readOnly: 8, ioError: 10, full: 13 } as const

export const sqliteError = (errcode: number): SqlError => {
  const cause = Object.assign(new Error(`SQLite said ${errcode}`), { errcode, errno: errcode })
  return new SqlError({ reason: classifySqliteError(cause, { message: cause.message, operation: "execute" }) })
}

export interface Faults {
  /** The error with which a statement fails. Asked for each, in order, only once the journal is open. */
  next: (statement: string) => SqlError | undefined
  /** Run whenever one has failed. */
  onFault: Effect.Effect<void>
}

/** Lets the test's clock go on after each fault, so that whoever waits before trying again gets there. */
export const movingClock: Effect.Effect<Effect.Effect<void>> = Effect.map(Effect.context<never>(), (context) =>
  Effect.sync(() => {
    const passing = Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 5 }), TestClock.adjust("15 millis"))
    Effect.runForkWith(context)(passing)
  })
)

export const none = (): Faults => ({ next: () => undefined, onFault: Effect.void })

export const wrap = (sql: SqlClient.SqlClient, faults: Faults): SqlClient.SqlClient => {
  const wrapConnection = (connection: Connection): Connection => ({
    ...connection,
    executeValues: (text, params) =>
      Effect.suspend(() => {
        const error = faults.next(text)
        return error === undefined
          ? connection.executeValues(text, params)
          : Effect.andThen(faults.onFault, Effect.fail(error))
      })
  })
  const reserve = Effect.map(sql.reserve, wrapConnection)
  return new Proxy(sql, {
    get: (target, name, receiver) => (name === "reserve" ? reserve : Reflect.get(target, name, receiver))
  })
}

export const layer = <E, R>(
  inner: Layer.Layer<SqlClient.SqlClient, E, R>,
  faults: Faults
): Layer.Layer<SqlClient.SqlClient, E, R> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.map(SqlClient.SqlClient, (sql) => wrap(sql, faults))
  ).pipe(Layer.provide(inner))
