import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const doctor = Command.make(
  "doctor",
  {
    url: Flag.String("url").pipe(
      Flag.withMetavar("<address>"),
      Flag.withDescription("The platform to look at. Unset: INSTACLAW_WS_URL and its siblings"),
      Flag.optional
    ),
    account: flags.account,
    data: flags.data
  },
  lazily(() => import("./run/doctor.ts"))
).pipe(
  Command.withDescription(
    "Looks at the settings, the data folder and the journal; at the platform's name, certificate, health and clock; at each account's files, key and line, with a ping and a message there and back where nobody is on the line with it; at its identity and token in Claworld; and at the model. Says of each whether it is good, bad or unknown and what to do. Changes nothing but file modes that are too open; spends nothing."
  ),
  Command.withShortDescription("Say what is good, what is bad, and what to do"),
  Command.withExamples([
    { command: "clawfiber doctor", description: "This folder and the platform of its settings" },
    { command: "clawfiber doctor --url http://127.0.0.1:8787", description: "Another platform" },
    { command: "clawfiber doctor --account ada", description: "One account of several" }
  ])
)
