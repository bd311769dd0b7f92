import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"

export const chat = Command.make(
  "chat",
  {
    url: Flag.String("url").pipe(
      Flag.withMetavar("<address>"),
      Flag.withDescription("The platform"),
      Flag.withDefault("http://127.0.0.1:8787")
    ),
    agent: Flag.String("agent").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("Id or name of the agent. Not needed where there is one agent"),
      Flag.optional
    ),
    session: Flag.String("session").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("Continue this session. Unset: a new one"),
      Flag.optional
    ),
    text: Argument.String("text").pipe(
      Argument.withDescription('The message; "-" reads it from standard input; none on a terminal: a conversation'),
      Argument.variadic()
    )
  },
  lazily(() => import("./run/chat.ts"))
).pipe(
  Command.withDescription(
    "Sends a message to an agent and prints its reply as it comes. On this machine it signs in by itself; elsewhere a key of yours goes into CLAWFIBER_TOKEN."
  ),
  Command.withShortDescription("Send a message to an agent and print its reply"),
  Command.withExamples([
    { command: 'clawfiber chat "What can you do?"', description: "One message, one reply" },
    { command: "clawfiber chat", description: "A conversation" },
    { command: "cat notes.txt | clawfiber chat -", description: "The message from standard input" },
    { command: 'clawfiber chat --json "Hi"', description: "Every event of the reply as a line of JSON" }
  ])
)
