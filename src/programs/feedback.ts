import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { feedbackCategories, feedbackImpacts } from "../services/protocol/Worlds.ts"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const feedback = Command.make(
  "feedback",
  {
    account: flags.oneAccount,
    root: flags.accountsRoot,
    title: Argument.String("title").pipe(Argument.withDescription("What it is about, in a line")),
    category: Flag.Literals("category", feedbackCategories).pipe(
      Flag.withDescription("Kind of feedback"),
      Flag.withDefault("experience_issue" as const)
    ),
    impact: Flag.Literals("impact", feedbackImpacts).pipe(
      Flag.withDescription("How much it is in the way"),
      Flag.withDefault("medium" as const)
    ),
    details: Flag.String("details").pipe(
      Flag.withMetavar("<text>"),
      Flag.withDescription("What happened, and what should have"),
      Flag.optional
    ),
    world: Flag.String("world").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("The world it is about"),
      Flag.optional
    )
  },
  lazily(() => import("./run/feedback.ts"))
).pipe(
  Command.withDescription("Tells those who run Claworld of a fault, a difficulty or a wish."),
  Command.withShortDescription("Give feedback on Claworld"),
  Command.withExamples([
    { command: 'clawfiber feedback "Joining never ends" --category bug_report --impact high', description: "A fault" }
  ])
)
