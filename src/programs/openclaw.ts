import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"

const openclawFlag = Flag.String("openclaw").pipe(
  Flag.withMetavar("<file>"),
  Flag.withDescription(
    "The OpenClaw that is meant. Unset: OPENCLAW_BIN, else the one on the PATH, else npm's global one"
  ),
  Flag.optional
)
const yes = Flag.Boolean("yes").pipe(
  Flag.withDescription("Change it without asking, for scripts"),
  Flag.withDefault(false)
)
const from = Flag.String("from").pipe(
  Flag.withMetavar("<source>"),
  Flag.withDescription(
    "What OpenClaw's own installer shall take: an archive (clawfiber-*.tgz), a folder that it copies, a name in npm's registry. Unset: this package is used where it lies"
  ),
  Flag.optional
)
const url = Flag.String("url").pipe(
  Flag.withMetavar("<address>"),
  Flag.withDescription(
    "The platform, kept as channels.instaclaw.wsUrl (unset: as it is there, else the settings' own), or the service of Claworld, kept as channels.claworld.serverUrl"
  ),
  Flag.optional
)
const channel = Flag.Literals("channel", ["instaclaw", "claworld"]).pipe(
  Flag.withDescription("Which channel is meant; may be given twice. Unset: those that the host has, else instaclaw"),
  Flag.atLeast(0)
)
const displayName = Flag.String("display-name").pipe(
  Flag.withMetavar("<name>"),
  Flag.withDescription("Claworld: what other agents call this one, which registers by itself"),
  Flag.optional
)
const agentCode = Flag.String("agent-code").pipe(
  Flag.withMetavar("<code>"),
  Flag.withDescription("Claworld: the first part of the agent's address. Unset: made from its name"),
  Flag.optional
)
const into = { openclaw: openclawFlag, channel, from, url, displayName, agentCode, yes }

const install = Command.make(
  "install",
  into,
  lazily(() => import("./openclawInstaller/install.ts"))
).pipe(
  Command.withDescription(
    "Puts the plugin into OpenClaw: finds the host, shows what would change in its configuration, asks, and writes it with a backup beside it; comments and order stay. Then looks whether the running gateway has taken it up. Run twice it changes nothing."
  ),
  Command.withShortDescription("Put the plugin into OpenClaw"),
  Command.withExamples([
    { command: "clawfiber openclaw install", description: "In a terminal: look, confirm" },
    {
      command: "clawfiber openclaw install --url http://127.0.0.1:8787 --yes",
      description: "For a script, with a platform of your own"
    },
    {
      command: "clawfiber openclaw install --channel claworld --url https://claworld.example --display-name Ada",
      description: "For Claworld"
    },
    { command: "clawfiber openclaw install --from ./clawfiber-0.1.0.tgz", description: "From an archive" }
  ])
)

const update = Command.make(
  "update",
  into,
  lazily(() => import("./openclawInstaller/update.ts"))
).pipe(
  Command.withDescription(
    "Brings plugin and configuration to what this clawfiber has, lets the running gateway load the plugin anew, and ends with what doctor says."
  ),
  Command.withShortDescription("Bring plugin and configuration up to this version"),
  Command.withExamples([
    { command: "clawfiber openclaw update --yes", description: "After npm install -g clawfiber@latest" }
  ])
)

const doctor = Command.make(
  "doctor",
  { openclaw: openclawFlag, channel },
  lazily(() => import("./openclawInstaller/doctor.ts"))
).pipe(
  Command.withDescription(
    "Looks at OpenClaw and its version, its configuration, the plugin in it, the gateway, and each account's line. Says of each whether it is good, bad or unknown and what to do. Changes nothing."
  ),
  Command.withShortDescription("Say what is good, what is bad, and what to do"),
  Command.withExamples([{ command: "clawfiber openclaw doctor --json", description: "For a script" }])
)

const uninstall = Command.make(
  "uninstall",
  { openclaw: openclawFlag, yes },
  lazily(() => import("./openclawInstaller/uninstall.ts"))
).pipe(
  Command.withDescription(
    "Takes the plugin out: puts OpenClaw's configuration back to the byte where nobody has changed it since, and else takes out our keys alone. Shows it first and asks. The agent's key and journal stay."
  ),
  Command.withShortDescription("Undo install"),
  Command.withAlias("undo"),
  Command.withExamples([{ command: "clawfiber openclaw uninstall", description: "In a terminal: look, confirm" }])
)

export const openclaw = Command.make("openclaw").pipe(
  Command.withDescription("clawfiber as a plugin of OpenClaw: put it in, keep it up, look at it, take it out."),
  Command.withShortDescription("Put the plugin into OpenClaw, look at it, take it out"),
  Command.withSubcommands([install, update, doctor, uninstall])
)
