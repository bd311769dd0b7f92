import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
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
    account: Flag.String("account").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("The account in .insta/accounts. Unset: that of .insta itself"),
      Flag.withDefault("default")
    ),
    files: Flag.String("files").pipe(
      Flag.withMetavar("<folder>"),
      Flag.withDescription("The one folder whose files may be read, written and handed in. Unset: .insta/desk"),
      Flag.optional
    ),
    tools: Flag.String("tools").pipe(
      Flag.withMetavar("<names>"),
      Flag.withDescription("Only these tools, with commas; may be named several times. Unset: all"),
      Flag.atLeast(0)
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
    http: Flag.Boolean("http").pipe(
      Flag.withDescription("Over HTTP, for several hosts at once, instead of standard input and output"),
      Flag.withDefault(false)
    ),
    host: flags.host,
    port: Flag.Int("port").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
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
