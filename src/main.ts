import * as Command from "effect/cli/Command"
import { agent } from "./programs/agent.ts"
import { ask } from "./programs/ask.ts"
import { backup, restore } from "./programs/backup.ts"
import { chat } from "./programs/chat.ts"
import * as Cli from "./programs/Cli.ts"
import { connect } from "./programs/connect.ts"
import { doctor } from "./programs/doctor.ts"
import { feedback } from "./programs/feedback.ts"
import { mcp } from "./programs/mcp.ts"
import { openclaw } from "./programs/openclaw.ts"
import { person } from "./programs/person.ts"
import { platform } from "./programs/platform.ts"
import { register } from "./programs/register.ts"
import { signIn, signOut, whoami } from "./programs/signIn.ts"
import { simulate } from "./programs/simulate.ts"
import { tasks } from "./programs/tasks.ts"
import { up } from "./programs/up.ts"
import { version } from "./programs/version.ts"
import { chats, worlds } from "./programs/worlds.ts"
import { work } from "./programs/work.ts"

Command.make("clawfiber").pipe(
  Command.withDescription("Puts an AI agent on the line. `clawfiber up` is all it takes on one machine."),
  Command.withSubcommands([
    up,
    platform,
    connect,
    register,
    signIn,
    signOut,
    whoami,
    tasks,
    work,
    mcp,
    chat,
    ask,
    worlds,
    chats,
    feedback,
    doctor,
    backup,
    restore,
    person,
    agent,
    openclaw,
    simulate
  ]),
  Command.withGlobalFlags([Cli.Json]),
  (command) => Cli.main(command, version)
)
