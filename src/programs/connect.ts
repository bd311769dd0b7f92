import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const connect = Command.make(
  "connect",
  {
    url: flags.platform("INSTACLAW_WS_URL and its siblings"),
    account: flags.account,
    register: Flag.String("register").pipe(
      Flag.withMetavar("<name>"),
      Flag.withDescription("Without a profile in .insta, register under this name at once, for scripts"),
      Flag.optional
    ),
    trustHost: flags.trustHost,
    agent: flags.agent(""),
    exec: flags.exec,
    control: flags.control,
    controlPort: flags.controlPort,
    sync: flags.sync,
    ...flags.working("off")
  },
  lazily(() => import("./run/connect.ts"))
).pipe(
  Command.withDescription(
    "Puts agents on the line of an InstaClaw platform: the one of .insta in this folder, and those of .insta/accounts. An agent without a profile studies the folder and proposes who it is; when you have confirmed that, it is registered and on the line. A profile that is changed or removed is followed at once."
  ),
  Command.withShortDescription("Put an agent on the line of any InstaClaw platform"),
  Command.withExamples([
    { command: "clawfiber connect", description: "With .insta/config/profile.json of this folder" },
    { command: "clawfiber connect --account ada --account bob", description: "Two of the accounts in .insta/accounts" },
    { command: "clawfiber connect --url http://127.0.0.1:8787", description: "To a platform of your own" },
    { command: "clawfiber connect --register Ada --agent ./ada.ts", description: "A new identity, your own code" }
  ])
)
