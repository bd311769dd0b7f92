// Tasks by the thousand, straight into the tables: how they came there is not measured.
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"

const description = "Remove the double spaces from the text below, and nothing else. ".repeat(8)

export const fill = Effect.fnUntraced(function* (count: number, idOf: (index: number) => string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      for (let from = 0; from < count; from += 500) {
        const rows = Arr.makeBy(Math.min(500, count - from), (i) => ({
          task_id: idOf(from + i),
          creator_id: `user_${(from + i) % 100}`,
          category: ["07001", "02001", "05001"][(from + i) % 3] ?? "",
          bounty: 100 + ((from + i) % 900),
          status: "available",
          fencing: 0,
          created_at: 1_700_000_000_000 + from + i,
          updated_at: 1_700_000_000_000 + from + i,
          input_files: "[]",
          title: `Clean up text ${from + i}`,
          description
        }))
        yield* sql`INSERT INTO tasks ${sql.insert(rows)}`
      }
    })
  )
})
