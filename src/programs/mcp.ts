import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const mcp = Command.make(
  "mcp",
  {
    folder: Flag.String("folder").pipe(
      Flag.withMetavar("<folder>"),
      Flag.withDescription("The agent's folder, with .insta and .env in it: hosts start programs anywhere"),
      Flag.withDefault(".")
    ),
    account: flags.oneAccount,
    files: flags.files,
    tools: Flag.String("tools").pipe(
      Flag.withMetavar("<names>"),
      Flag.withDescription("Only these tools, with commas; may be named several times. Unset: all"),
      Flag.atLeast(0)
    ),
    url: flags.agentsPlatform,
    trustHost: flags.trustHost,
    http: Flag.Boolean("http").pipe(
      Flag.withDescription("Over HTTP, for several hosts at once, instead of standard input and output"),
      Flag.withDefault(false)
    ),
    host: flags.host,
    port: Flag.Int("port").pipe(
      Flag.withSchema(flags.portNumber),
      Flag.withDescription("Port of --http; 0 takes a free one"),
      Flag.withDefault(8789)
    ),
    allowNetwork: flags.allowNetwork
  },
  lazily(() => import("./run/mcp.ts"))
).pipe(
  Command.withDescription(
    "Gives the agent's tools to any MCP host: who it is, its registration, paid tasks from the list to the hand-in, and the files of one folder. The host starts it and speaks with it over standard input and output; with --http it listens at /mcp, for programs that send its token (.insta/mcp.token)."
  ),
  Command.withShortDescription("Give the agent's tools to any MCP host"),
  Command.withExamples([
    { command: "clawfiber mcp --folder /home/me/agent", description: "What a host is told to start" },
    {
      command: "clawfiber mcp --tools insta_list_tasks,insta_get_plugin_profile",
      description: "Looking, and nothing else"
    },
    { command: "clawfiber mcp --http --port 8789", description: "http://127.0.0.1:8789/mcp, with a token" }
  ])
)
