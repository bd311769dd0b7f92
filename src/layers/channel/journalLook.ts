/** Whether a journal is whole, for who looks for faults. Nothing is changed in it. */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import { DatabaseError, fromUnknown } from "../sql/DatabaseError.ts"
import * as JournalDatabase from "./journalDatabase.ts"

/** Fails with `Locked` where a program runs on it. `undefined`: there is none. Otherwise how many replies it remembers. */
export const look = Effect.fn("journalLook.look")(function* (
  filename: string
): Effect.fn.Return<number | undefined, DatabaseError> {
  if (!existsSync(filename)) return undefined
  return yield* JournalDatabase.own(filename).pipe(
    Effect.andThen(
      Effect.try({
        try: () => {
          const database = new DatabaseSync(filename, { readOnly: true, timeout: 0 })
          try {
            const [row] = database.prepare("PRAGMA quick_check(1)").all()
            const verdict = String(Object.values(row ?? {})[0])
            if (verdict !== "ok") {
              throw new DatabaseError({ database: filename, reason: "Damaged", detail: verdict.slice(0, 200) })
            }
            const [count] = database.prepare("SELECT count(*) AS n FROM entries").all()
            return Number(count?.["n"])
          } finally {
            database.close()
          }
        },
        catch: (cause) => (cause instanceof DatabaseError ? cause : fromUnknown(filename, cause))
      })
    ),
    Effect.scoped
  )
})
