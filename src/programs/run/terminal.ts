/** What a person types: all of standard input, or line after line. */
import { createInterface } from "node:readline/promises"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"

export const readAll = Effect.tryPromise({
  try: async () => {
    const chunks: Array<Buffer> = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks).toString("utf8")
  },
  catch: () => new Failure({ message: "Standard input cannot be read." })
})

/** Each line is said, and a failure told, until the input ends. */
export const converse = <E extends { readonly message: string }>(
  say: (text: string) => Effect.Effect<void, E>
): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: true })
      // On a terminal Ctrl-C comes here and not as a signal.
      lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"))
      return lines
    }),
    (lines) => {
      const next = Effect.callback<Option.Option<string>>((resume) => {
        const end = () => resume(Effect.succeedNone)
        lines.once("close", end)
        lines.question("› ").then((line) => {
          lines.off("close", end)
          return resume(Effect.succeedSome(line))
        }, end)
      })
      const round: Effect.Effect<boolean> = Effect.flatMap(next, (line) => {
        if (Option.isNone(line)) return Effect.succeed(false)
        if (line.value.trim() === "") return Effect.succeed(true)
        // What failed does not end the conversation.
        return say(line.value).pipe(
          Effect.catch((error) => Output.problem(error.message)),
          Effect.as(true)
        )
      })
      return Effect.asVoid(Effect.repeat(round, { while: (again) => again }))
    },
    (lines) => Effect.sync(() => lines.close())
  )
