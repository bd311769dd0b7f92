/**
 * A process that takes messages into a journal as fast as it can, until it is killed. It says each promise that was
 * made to it, and no other: "accepted n", "ended n".
 */
import * as Effect from "effect/Effect"
import * as SqlJournal from "../../../../src/layers/channel/SqlJournal.ts"
import { Journal } from "../../../../src/services/channel/Journal.ts"

const [filename = "", from = "0"] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const one = Effect.fnUntraced(function* (n: number) {
  const journal = yield* Journal
  const { _tag } = yield* journal.accept(
    { accountId: "acc", sessionId: `s${n % 7}`, messageId: `m${n}` },
    { responseId: `resp_${n}`, itemId: `msg_${n}`, dialect: "gateway" }
  )
  yield* say(`${_tag === "Accepted" ? "accepted" : "known"} ${n}`)
  if (n % 3 === 0) return
  yield* journal.end(`resp_${n}`, { _tag: "Completed", text: `text ${n} `.repeat(300) })
  yield* say(`ended ${n}`)
})

const program = Effect.gen(function* () {
  yield* say("open")
  for (let n = Number(from); ; n += 5) {
    yield* Effect.forEach([n, n + 1, n + 2, n + 3, n + 4], one, { concurrency: "unbounded", discard: true })
  }
}).pipe(
  Effect.provide(SqlJournal.layerFile({ filename })),
  Effect.catchTag("DatabaseError", (error) => say(error.message))
)

await Effect.runPromise(program)
