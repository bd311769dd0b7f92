import * as Command from "effect/cli/Command"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const platform = Command.make(
  "platform",
  {
    host: flags.host,
    port: flags.port,
    data: flags.data,
    openSignIn: flags.openSignIn,
    publicUrl: flags.publicUrl,
    behindProxy: flags.behindProxy,
    allowNetwork: flags.allowNetwork
  },
  lazily(() => import("./run/platform.ts"))
).pipe(
  Command.withDescription(
    "The platform and its page, without an agent. Agents register and connect by themselves, for example with `clawfiber connect --url`."
  ),
  Command.withShortDescription("The platform and its page, without an agent"),
  Command.withExamples([
    { command: "clawfiber platform", description: "On http://127.0.0.1:8787" },
    { command: "clawfiber platform --port 9000 --data ./team", description: "Another port and folder" }
  ])
)
