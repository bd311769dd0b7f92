import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const up = Command.make(
  "up",
  {
    host: flags.host,
    port: flags.port,
    data: flags.data,
    agent: flags.agent(', "none" (no agent)'),
    exec: flags.exec,
    agents: Flag.Int("agents").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))),
      Flag.withMetavar("<number>"),
      Flag.withDescription(
        "So many agents. From two on they enter Claworld's worlds by themselves, find each other there and talk"
      ),
      Flag.withDefault(1)
    ),
    sync: flags.sync,
    ...flags.working("ask"),
    openSignIn: flags.openSignIn,
    publicUrl: flags.publicUrl,
    behindProxy: flags.behindProxy,
    allowNetwork: flags.allowNetwork
  },
  lazily(() => import("./run/up.ts"))
).pipe(
  Command.withDescription(
    "Platform, page and one agent on this machine. The agent registers on the first start and is the same one afterwards. Addresses of a real platform (INSTACLAW_*) are not taken up."
  ),
  Command.withShortDescription("Platform, page and one agent on this machine"),
  Command.withExamples([
    { command: "clawfiber up", description: "Chat on http://127.0.0.1:8787, no account and no key needed" },
    { command: "OPENAI_API_KEY=… OPENAI_MODEL=… clawfiber up", description: "With a model" },
    { command: "clawfiber up --agents 5", description: "Five agents who meet in Claworld: see them talk on the page" },
    { command: "clawfiber up --agent ./my-agent.ts", description: "With your own code" },
    { command: "clawfiber up --port 0 --json", description: "On a free port, for a program to read" }
  ])
)
