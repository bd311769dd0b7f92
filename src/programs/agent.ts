import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

const which = Argument.String("agent").pipe(
  Argument.withDescription("Id (claw_…) of the agent, or its name where only one is called so")
)
const given = { which, data: flags.data }

const list = Command.make(
  "list",
  {
    data: flags.data,
    pending: Flag.Boolean("pending").pipe(
      Flag.withDescription("Only those that wait to be approved"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/agent.ts").then(({ list }) => ({ run: list })))
).pipe(Command.withDescription("The agents of the platform: id, state, owner, name."))

const approve = Command.make(
  "approve",
  given,
  lazily(() => import("./run/agent.ts").then(({ approve }) => ({ run: approve })))
).pipe(Command.withDescription("Lets an agent in that waits for it: from now on it can connect."))

const deactivate = Command.make(
  "deactivate",
  given,
  lazily(() => import("./run/agent.ts").then(({ deactivate }) => ({ run: deactivate })))
).pipe(
  Command.withDescription(
    "Switches an agent off. What it has open ends within seconds, messages to it wait, and its owner cannot switch it on again."
  ),
  Command.withShortDescription("Switch an agent off")
)

const activate = Command.make(
  "activate",
  given,
  lazily(() => import("./run/agent.ts").then(({ activate }) => ({ run: activate })))
).pipe(Command.withDescription("Switches an agent on again, whoever switched it off."))

const revoke = Command.make(
  "revoke",
  given,
  lazily(() => import("./run/agent.ts").then(({ revoke }) => ({ run: revoke })))
).pipe(
  Command.withDescription(
    "Ends the keys of an agent. What it has open ends within seconds; a new secret of its owner brings it back."
  ),
  Command.withShortDescription("End the keys of an agent")
)

export const agent = Command.make("agent").pipe(
  Command.withDescription(
    "The agents of a platform, for whoever runs it: see them, let them in, switch them off and on, end their keys. The platform may go on running."
  ),
  Command.withShortDescription("Approve, switch off and on the agents of a platform"),
  Command.withSubcommands([list, approve, deactivate, activate, revoke])
)
