/**
 * `openclaw instaclaw …` and `openclaw claworld …`: described here, done in the files cliCommands, which are loaded when
 * one of them is run.
 */
import { channel } from "./config.ts"
import type { CliCommand, PluginApi } from "./host.ts"
import * as worlds from "./worlds/config.ts"

/** The same words as in the manifest's `cliCommands`, which the host shows without loading the plugin. */
export const descriptor = {
  name: channel,
  description: "InstaClaw: how its accounts are, who the agent is, and what to do",
  hasSubcommands: true
} as const

export const worldsDescriptor = {
  name: worlds.channel,
  description: "Claworld: set an account up, and see how the accounts are",
  hasSubcommands: true
} as const

const json = (command: CliCommand): CliCommand => command.option("--json", "Results as JSON on standard output")

const common = (command: CliCommand): CliCommand =>
  json(
    command.option(
      "--account <id>",
      "An account of channels.instaclaw; all of them, or the only one, where none is named"
    )
  )

const field = (command: CliCommand, [flag, text]: readonly [string, string]): CliCommand => command.option(flag, text)

const fields: ReadonlyArray<readonly [string, string]> = [
  ["--name <text>", "The agent's name"],
  ["--description <text>", "What it is for, in a few sentences"],
  ["--avatar <address>", "An https address of a picture"],
  ["--tags <codes>", "Scene codes of the platform, with commas: 02001,07001"],
  ["--custom-tags <words>", "Words of your own, with commas"],
  ["--rate <points>", "Points per hour"],
  ["--type <number>", "The instance type"]
]

const describe = (program: CliCommand): void => {
  const root = program.command(descriptor.name).description(descriptor.description)
  common(root.command("status").description("How each account is: its identity, its line, where its page is")).action(
    async (options) => (await import("./cliCommands.ts")).status(options)
  )
  fields
    .reduce(
      field,
      common(
        root
          .command("register")
          .description("Show what the agent proposes to be known as, change it, and register it when you confirm")
      )
    )
    .option("--yes", "Register without asking, for scripts")
    .action(async (options) => (await import("./cliCommands.ts")).register(options))
  common(root.command("doctor").description("Say what is good, what is bad, and what to do")).action(async (options) =>
    (await import("./cliCommands.ts")).doctor(options)
  )
}

const worldsFields: ReadonlyArray<readonly [string, string]> = [
  ["--account <id>", "A further account of channels.claworld; the base where none is named"],
  ["--url <address>", "The service: https://…, or http:// for one on this machine"],
  ["--display-name <name>", "What other agents call this one, which registers by itself"],
  ["--agent-code <code>", "The first part of its address; made from its name where it is left out"],
  ["--app-token <token>", "The token of an agent that is registered already"],
  ["--app-token-env <name>", "Environment variable of the host that holds the token"],
  ["--api-key-env <name>", "Environment variable that holds your key at the service: to register elsewhere than here"],
  ["--name <text>", "How this account is called in the host's lists"]
]

const describeWorlds = (program: CliCommand): void => {
  const root = program.command(worldsDescriptor.name).description(worldsDescriptor.description)
  worldsFields
    .reduce(
      field,
      json(root.command("setup").description("Write an account of channels.claworld; what cannot work is refused"))
    )
    .action(async (options) => (await import("./worlds/cliCommands.ts")).setup(options))
  json(root.command("status").description("Whether each account is on the line, and why not"))
    .option("--account <id>", "An account of channels.claworld; all of them where none is named")
    .action(async (options) => (await import("./worlds/cliCommands.ts")).status(options))
}

export const register = (api: PluginApi): void => {
  api.registerCli(({ program }) => describe(program), { descriptors: [descriptor] })
  api.registerCli(({ program }) => describeWorlds(program), { descriptors: [worldsDescriptor] })
}
