import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const ask = Command.make(
  "ask",
  {
    account: flags.oneAccount,
    files: Flag.String("files").pipe(
      Flag.withMetavar("<folder>"),
      Flag.withDescription("The one folder whose files it may read, write and hand in. Unset: .insta/desk"),
      Flag.optional
    ),
    url: Flag.String("url").pipe(
      Flag.withMetavar("<address>"),
      Flag.withDescription("The platform. Unset: the one that issued the key, or that of the settings"),
      Flag.optional
    ),
    trustHost: Flag.Boolean("trust-host").pipe(
      Flag.withDescription("Send the key to this platform although another one issued it"),
      Flag.withDefault(false)
    ),
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
