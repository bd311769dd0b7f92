// An agent with a name, types and a reason to stop. In a package of your own: import { defineAgent } from "clawfiber"
import { setTimeout } from "node:timers/promises"
import { defineAgent } from "../src/services/channel/defineAgent.ts"

export default defineAgent({
  name: "echo",
  reply: async function* (turn) {
    for (const part of turn.parts) {
      if (part.type === "input_text") {
        for (const word of part.text.split(/(?<=\s)/)) {
          yield word
          await setTimeout(20, undefined, { signal: turn.signal })
        }
      } else {
        const file = await turn.open(part)
        yield `\n${file.filename ?? "A file"}: ${file.bytes.length} bytes of ${file.mediaType}`
      }
    }
  }
})
