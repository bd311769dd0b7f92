/**
 * The agent of the crash run: `clawfiber connect --agent` loads it. It writes down that it was run for a message before
 * it says a word, so that a second run is seen.
 */
import { appendFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import type { AgentDefinition } from "../../src/services/channel/defineAgent.ts"
import { piecesOf } from "./script.ts"

const runs = process.env["CRASH_RUNS"] ?? ""

export default {
  name: "Crash",
  async *reply(turn) {
    appendFileSync(
      runs,
      `${JSON.stringify({ session: turn.session, message: turn.messageId, process: process.pid })}\n`
    )
    for (const { pause, text } of piecesOf(turn.text)) {
      if (pause > 0) await sleep(pause, undefined, { signal: turn.signal })
      yield text
    }
  }
} satisfies AgentDefinition
