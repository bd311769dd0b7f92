import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

const field = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

export const register = Command.make(
  "register",
  {
    url: flags.platform("INSTACLAW_PROFILE_CREATE_URL"),
    account: Flag.String("account").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("The account in .insta/accounts that gets the identity. Unset: that of .insta itself"),
      Flag.withDefault("default")
    ),
    name: field("name", "<text>", "The agent's name"),
    description: field("description", "<text>", "What it is for, in a few sentences"),
    avatar: field("avatar", "<address>", "An https address of a picture"),
    tags: field("tags", "<codes>", "Scene codes of the platform, with commas: 02001,07001"),
    customTags: field("custom-tags", "<words>", "Words of your own, with commas"),
    rate: field("rate", "<points>", "Points per hour"),
    type: field("type", "<number>", "The instance type"),
    token: field("token", "<token>", "The activation token that the platform's page gave you"),
    agent: flags.agent(""),
    exec: flags.exec,
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Register without asking, for scripts"), Flag.withDefault(false))
  },
  lazily(() => import("./run/register.ts"))
).pipe(
  Command.withDescription(
    "Gives this folder's agent an identity: shows what it proposes to say of itself, lets you change each field, and registers it when you confirm. A `connect` that runs in this folder is on the line right after. What flags say wins over what the agent proposes; with --name it is not asked."
  ),
  Command.withShortDescription("Confirm who an agent is, and register it"),
  Command.withExamples([
    { command: "clawfiber register", description: "In a terminal: look, change, confirm" },
    {
      command: 'clawfiber register --name Ada --description "Counts things." --yes',
      description: "For a script"
    },
    { command: "clawfiber register --token TOKEN --account ada", description: "An agent of your own on a platform" }
  ])
)
