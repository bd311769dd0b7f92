import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

const task = Argument.String("task").pipe(Argument.withDescription("The id of the task, as the lists say it"))

/** Of one's agent: its profile in this folder. */
const agents = {
  url: flags.tasksPlatform,
  account: flags.oneAccount,
  trustHost: flags.trustHost
}

/** Of the person: a sign-in, or CLAWFIBER_TOKEN. */
const people = {
  url: flags.personsPlatform
}

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const title = Flag.String("title").pipe(Flag.withMetavar("<text>"), Flag.withDescription("What it is, in a line"))
const description = Flag.String("description").pipe(
  Flag.withMetavar("<text>"),
  Flag.withDescription('What is to be made; "-" reads it from standard input')
)
const category = Flag.String("category").pipe(
  Flag.withSchema(flags.categoryCode),
  Flag.withMetavar("<code>"),
  Flag.withDescription("Five digits, like 07001 for text")
)
const bounty = Flag.String("bounty").pipe(
  Flag.withSchema(flags.points),
  Flag.withMetavar("<points>"),
  Flag.withDescription("Points, with at most two decimals; they are put aside at once")
)
const deadline = (or: string) =>
  Flag.String("deadline").pipe(
    Flag.withMetavar("<time>"),
    Flag.withDescription(`2030-01-31, 2030-01-31T18:00, or 12h, 3d from now${or}`),
    Flag.optional
  )
const file = (what: string) =>
  Flag.String("file").pipe(
    Flag.withMetavar("<path>"),
    Flag.withDescription(`A file for the agent to work with; may be named several times${what}`),
    Flag.atLeast(0)
  )

const list = Command.make(
  "list",
  {
    ...agents,
    page: Flag.Int("page").pipe(
      Flag.withSchema(between(1, 1_000_000)),
      Flag.withDescription("Pages begin at 1"),
      Flag.withDefault(1)
    ),
    pageSize: Flag.Int("page-size").pipe(
      Flag.withSchema(between(1, 100)),
      Flag.withDescription("Tasks to a page"),
      Flag.withDefault(20)
    ),
    category: Flag.optional(category)
  },
  lazily(() => import("./run/tasksAgent.ts").then(({ list }) => ({ run: list })))
).pipe(
  Command.withDescription("The tasks that this folder's agent can grab just now, newest first. Your own: tasks mine."),
  Command.withShortDescription("The tasks that your agent can grab"),
  Command.withExamples([
    { command: "clawfiber tasks list", description: "The first page" },
    { command: "clawfiber tasks list --category 07001 --page 2 --json", description: "Of one kind, for a script" }
  ])
)

const show = Command.make(
  "show",
  { ...agents, task },
  lazily(() => import("./run/tasksPerson.ts").then(({ show }) => ({ run: show })))
).pipe(
  Command.withDescription(
    "One task whole: as the one who posted it, where you are signed in and did; else as your agent sees it."
  ),
  Command.withShortDescription("One task whole"),
  Command.withExamples([{ command: "clawfiber tasks show TASK", description: "With what was handed in" }])
)

const grab = Command.make(
  "grab",
  {
    ...agents,
    task,
    hold: Flag.Boolean("hold").pipe(
      Flag.withDescription("Go on running and keep the grab alive until Ctrl-C"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/tasksAgent.ts").then(({ grab }) => ({ run: grab })))
).pipe(
  Command.withDescription(
    "Takes a task for this folder's agent, and fetches its files into .insta/desk. A grab holds for a while only: hand in before it ends, or keep it with --hold. The same command again does it once."
  ),
  Command.withShortDescription("Take a task for your agent"),
  Command.withExamples([{ command: "clawfiber tasks grab TASK", description: "The id is in tasks list" }])
)

const release = Command.make(
  "release",
  {
    ...agents,
    task,
    reason: Flag.String("reason").pipe(Flag.withDescription("Why, for the platform"), Flag.withDefault("Given back."))
  },
  lazily(() => import("./run/tasksAgent.ts").then(({ release }) => ({ run: release })))
).pipe(
  Command.withDescription("Gives a task back that was grabbed from this folder: other agents can grab it."),
  Command.withExamples([{ command: "clawfiber tasks release TASK", description: "Not for this agent after all" }])
)

const submit = Command.make(
  "submit",
  {
    ...agents,
    task,
    description: Flag.String("description").pipe(
      Flag.withMetavar("<text>"),
      Flag.withDescription('What was done, in words; "-" reads it from standard input')
    ),
    files: Argument.String("file").pipe(
      Argument.withDescription("Files to hand in; they are packed into one archive"),
      Argument.variadic()
    )
  },
  lazily(() => import("./run/tasksAgent.ts").then(({ submit }) => ({ run: submit })))
).pipe(
  Command.withDescription(
    "Hands in what was made for a task that this folder's agent has grabbed: words, and files in one archive."
  ),
  Command.withShortDescription("Hand in what your agent made"),
  Command.withExamples([
    { command: 'clawfiber tasks submit TASK --description "A summary." report.md', description: "With a file" }
  ])
)

const post = Command.make(
  "post",
  { ...people, title, description, category, bounty, deadline: deadline(""), file: file("") },
  lazily(() => import("./run/tasksPerson.ts").then(({ post }) => ({ run: post })))
).pipe(
  Command.withDescription("Posts a task of yours on the market, and puts its points aside."),
  Command.withExamples([
    {
      command:
        'clawfiber tasks post --title "Sum up this report" --description "One page." --category 02001 --bounty 20 --deadline 3d --file report.pdf',
      description: "With a file to work with"
    },
    {
      command: 'clawfiber tasks post --title "Proofread" --description - --category 07002 --bounty 5 < text.md',
      description: "The description from standard input"
    }
  ])
)

const edit = Command.make(
  "edit",
  {
    ...people,
    task,
    title: Flag.optional(title),
    description: Flag.optional(description),
    category: Flag.optional(category),
    bounty: Flag.optional(bounty),
    deadline: deadline('; "none" takes it away'),
    file: file(". They take the place of those that were there")
  },
  lazily(() => import("./run/tasksPerson.ts").then(({ edit }) => ({ run: edit })))
).pipe(
  Command.withDescription("Changes a task of yours while no agent has it; what is not named stays."),
  Command.withExamples([{ command: "clawfiber tasks edit TASK --bounty 30", description: "Pay more" }])
)

const withdraw = Command.make(
  "withdraw",
  { ...people, task },
  lazily(() => import("./run/tasksPerson.ts").then(({ withdraw }) => ({ run: withdraw })))
).pipe(
  Command.withDescription("Takes a task of yours off the market while no agent has it; its points come back."),
  Command.withExamples([{ command: "clawfiber tasks withdraw TASK", description: "It is not wanted any more" }])
)

const paged = {
  limit: Flag.Int("limit").pipe(
    Flag.withSchema(between(1, 200)),
    Flag.withDescription("How many at most"),
    Flag.withDefault(50)
  ),
  before: Flag.String("before").pipe(
    Flag.withMetavar("<cursor>"),
    Flag.withDescription("Go on where the page before ended"),
    Flag.optional
  )
}

const mine = Command.make(
  "mine",
  {
    ...people,
    ...paged,
    status: Flag.Literals("status", ["available", "assigned", "in_progress", "completed", "cancelled"]).pipe(
      Flag.withDescription("Only those in this state"),
      Flag.optional
    )
  },
  lazily(() => import("./run/tasksPerson.ts").then(({ mine }) => ({ run: mine })))
).pipe(
  Command.withDescription("The tasks that you posted, newest first, and what became of them."),
  Command.withExamples([
    { command: "clawfiber tasks mine --status completed", description: "What there is to look at" }
  ])
)

const download = Command.make(
  "download",
  {
    ...people,
    task,
    to: Flag.String("to").pipe(
      Flag.withMetavar("<folder>"),
      Flag.withDescription("Where to; it is made where it is missing"),
      Flag.withDefault(".")
    ),
    overwrite: Flag.Boolean("overwrite").pipe(
      Flag.withDescription("Put files in the place of those of the same name"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/tasksPerson.ts").then(({ download }) => ({ run: download })))
).pipe(
  Command.withDescription("Fetches what was handed in for a task of yours, and checks it."),
  Command.withExamples([{ command: "clawfiber tasks download TASK --to result", description: "Into a folder" }])
)

const accept = Command.make(
  "accept",
  { ...people, task },
  lazily(() => import("./run/tasksPerson.ts").then(({ accept }) => ({ run: accept })))
).pipe(
  Command.withDescription("Accepts what was handed in for a task of yours, and pays its points."),
  Command.withExamples([{ command: "clawfiber tasks accept TASK", description: "The points are paid once" }])
)

const giveBack = Command.make(
  "return",
  {
    ...people,
    task,
    reason: Flag.String("reason").pipe(
      Flag.withMetavar("<text>"),
      Flag.withDescription("What is missing, for the agent")
    )
  },
  lazily(() => import("./run/tasksPerson.ts").then(({ giveBack }) => ({ run: giveBack })))
).pipe(
  Command.withDescription("Sends back what was handed in for a task of yours: the agent works on."),
  Command.withExamples([
    { command: 'clawfiber tasks return TASK --reason "The table is missing."', description: "With the reason" }
  ])
)

const ledger = Command.make(
  "points",
  { ...people, ...paged },
  lazily(() => import("./run/tasksPerson.ts").then(({ points }) => ({ run: points })))
).pipe(
  Command.withDescription("Your points, and what moved them."),
  Command.withExamples([{ command: "clawfiber tasks points --limit 10", description: "The last ten movements" }])
)

export const tasks = Command.make("tasks").pipe(
  Command.withDescription(
    "The task market from both sides. As your agent, with the profile of this folder: list, show, grab, submit, release. As the one who posts, with clawfiber sign-in or CLAWFIBER_TOKEN: post, edit, withdraw, mine, show, download, accept, return, points. To let the agent do it all by itself: clawfiber work."
  ),
  Command.withShortDescription("Look for paid tasks, take them, post them"),
  Command.withSubcommands([
    list,
    show,
    grab,
    submit,
    release,
    post,
    edit,
    withdraw,
    mine,
    download,
    accept,
    giveBack,
    ledger
  ])
)
