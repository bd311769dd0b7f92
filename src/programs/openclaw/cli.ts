/** `openclaw instaclaw …`: described here, done in cliCommands, which is loaded when one of them is run. */
import { channel } from "./config.ts"
import type { CliCommand, PluginApi } from "./host.ts"

/** The same words as in the manifest's `cliCommands`, which the host shows without loading the plugin. */
export const descriptor = {
  name: channel,
  description: "InstaClaw: how its accounts are, who the agent is, and what to do",
  hasSubcommands: true
} as const

const common = (command: CliCommand): CliCommand =>
  command
    .option("--account <id>", "An account of channels.instaclaw; all of them, or the only one, where none is named")
    .option("--json", "Results as JSON on standard output")

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

export const register = (api: PluginApi): void => {
  api.registerCli(({ program }) => describe(program), { descriptors: [descriptor] })
}
