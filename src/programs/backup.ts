import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const backup = Command.make(
  "backup",
  {
    file: Argument.String("file").pipe(Argument.withDescription("The file to write, for example backup.tar.gz")),
    data: flags.data
  },
  lazily(() => import("./run/backup.ts"))
).pipe(
  Command.withDescription(
    "Writes everything the platform keeps (conversations, agents, people, files) into one file, as it is at this moment. The platform may go on running. With CLAWFIBER_DATABASE_URL it is read from that Postgres. Keep the file as you keep a key: whoever has it can sign in as anybody."
  ),
  Command.withShortDescription("Write all that the platform keeps into one file"),
  Command.withExamples([
    { command: "clawfiber backup backup.tar.gz", description: "Of the data folder .clawfiber" },
    { command: "clawfiber backup --data ./team team.tar.gz", description: "Of another folder" }
  ])
)

export const restore = Command.make(
  "restore",
  {
    file: Argument.String("file").pipe(Argument.withDescription("A file that `clawfiber backup` wrote")),
    data: flags.data,
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Replace what is there. It is gone afterwards"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/restore.ts"))
).pipe(
  Command.withDescription(
    "Puts a backup in place, all of it or nothing. The platform must not run. With CLAWFIBER_DATABASE_URL it goes into that Postgres, whichever database it is of; this is also the way from SQLite to Postgres and back."
  ),
  Command.withShortDescription("Put a backup in place"),
  Command.withExamples([
    { command: "clawfiber restore backup.tar.gz", description: "Into the data folder .clawfiber, if it is empty" },
    {
      command: "CLAWFIBER_DATABASE_URL=postgres://… clawfiber restore backup.tar.gz",
      description: "Into a Postgres; files go into the data folder"
    }
  ])
)
