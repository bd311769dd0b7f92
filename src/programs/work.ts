import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const work = Command.make(
  "work",
  {
    url: flags.tasksPlatform,
    account: flags.oneAccount,
    trustHost: flags.trustHost,
    once: Flag.Boolean("once").pipe(
      Flag.withDescription("Look at the market once, do what is found, and end"),
      Flag.withDefault(false)
    ),
    category: Flag.String("category").pipe(
      Flag.withSchema(flags.categoryCode),
      Flag.withMetavar("<code>"),
      Flag.withDescription("Only tasks of this category (five digits); may be named several times"),
      Flag.atLeast(0)
    ),
    maxBounty: Flag.String("max-bounty").pipe(
      Flag.withSchema(flags.points),
      Flag.withMetavar("<points>"),
      Flag.withDescription("Leave tasks alone that pay more"),
      Flag.optional
    ),
    concurrency: Flag.Int("concurrency").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 16 }))),
      Flag.withMetavar("<number>"),
      Flag.withDescription("Tasks under way at once"),
      Flag.withDefault(1)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
      Flag.withMetavar("<number>"),
      Flag.withDescription("End after so many tasks"),
      Flag.optional
    ),
    auto: Flag.Boolean("auto").pipe(
      Flag.withDescription("Grab without asking, within --category, --max-bounty and --limit"),
      Flag.withDefault(false)
    ),
    agent: flags.agent(""),
    exec: flags.exec
  },
  lazily(() => import("./run/work.ts"))
).pipe(
  Command.withDescription(
    "Finds paid tasks of the platform, grabs one, does it in a folder of its own (.insta/work), and hands it in. It asks before it grabs, unless --auto is given. The agent that does a task can read and write that folder and nothing else. After a crash it goes on where it was: nothing is grabbed or handed in twice, and a task that cannot be done is given back."
  ),
  Command.withShortDescription("Find paid tasks, do them, hand them in"),
  Command.withExamples([
    { command: "clawfiber work", description: "In a terminal: asks before it takes a task" },
    { command: "clawfiber work --once --auto --category 07001 --max-bounty 50", description: "For a script" }
  ])
)
