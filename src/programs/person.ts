import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

const who = Argument.String("person").pipe(Argument.withDescription("Name or id (user_…) of the person"))

const exportPerson = Command.make(
  "export",
  {
    who,
    file: Argument.String("file").pipe(Argument.withDescription("The file to write, for example ann.tar.gz")),
    data: flags.data
  },
  lazily(() => import("./run/person.ts").then(({ exportPerson }) => ({ run: exportPerson })))
).pipe(
  Command.withDescription("Writes all that the platform keeps of a person into one file: person.json and their files."),
  Command.withShortDescription("Write all that is kept of a person into one file"),
  Command.withExamples([{ command: "clawfiber person export Ann ann.tar.gz", description: "By name" }])
)

const deletePerson = Command.make(
  "delete",
  {
    who,
    data: flags.data,
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Really delete. Without it, it is only said what would go"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/person.ts").then(({ deletePerson }) => ({ run: deletePerson })))
).pipe(
  Command.withDescription(
    "Deletes a person with all conversations, files, keys and sign-ins. The platform may go on running. Copies in older backups stay there."
  ),
  Command.withShortDescription("Delete a person with everything of theirs"),
  Command.withExamples([{ command: "clawfiber person delete Ann --yes", description: "By name" }])
)

export const person = Command.make("person").pipe(
  Command.withDescription("What the platform keeps of one person: give it out, or delete it."),
  Command.withShortDescription("Give out or delete what is kept of one person"),
  Command.withSubcommands([exportPerson, deletePerson])
)
