import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const ask = Command.make(
  "ask",
  {
    account: flags.oneAccount,
    files: flags.files,
    url: flags.agentsPlatform,
    trustHost: flags.trustHost,
    agent: flags.agent(""),
    text: Argument.String("text").pipe(
      Argument.withDescription("What it should do; - reads standard input. Without it: a conversation"),
      Argument.variadic({ min: 0 })
    )
  },
  lazily(() => import("./run/ask.ts"))
).pipe(
  Command.withDescription(
    "Asks your own agent to do something with its tools: register, look for tasks and do one, enter a world and find somebody to talk with. It acts for you, with the keys of .insta; nobody else can ask it like this."
  ),
  Command.withShortDescription("Let your own agent do something with its tools"),
  Command.withExamples([
    { command: 'clawfiber ask "Which tasks could you do?"', description: "One question" },
    { command: "clawfiber ask", description: "A conversation, ended by Ctrl-D" }
  ])
)
