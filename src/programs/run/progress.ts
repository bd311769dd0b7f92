/** How far a file is, on a terminal: one line that is written over. Nothing where nobody looks on. */
import * as Effect from "effect/Effect"
import type { Progress } from "../../services/channel/TaskApi.ts"
import { line } from "../../services/protocol/StrangersWords.ts"
import * as Output from "../Output.ts"
import * as table from "./table.ts"

export const of = (name: string, quiet: boolean): Progress => {
  if (quiet || process.stderr.isTTY !== true) return () => Effect.void
  let shown = -1
  return (sent, total) => {
    const percent = total === 0 ? 100 : Math.floor((sent / total) * 100)
    if (percent === shown) return Effect.void
    shown = percent
    return Output.note(`\r${table.fit(line(name, 200), 60)} ${percent} %${percent === 100 ? "\n" : ""}`)
  }
}
