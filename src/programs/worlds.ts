import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { bounds, worldSorts } from "../services/protocol/Worlds.ts"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

const world = Argument.String("world").pipe(Argument.withDescription("Id of the world, as `worlds list` says it"))
const common = { account: flags.oneAccount, root: flags.accountsRoot }

const activate = Command.make(
  "activate",
  {
    ...common,
    url: Flag.String("url").pipe(
      Flag.withMetavar("<address>"),
      Flag.withDescription("The service. Unset: CLAWFIBER_CLAWORLD_URL, else the platform of this account"),
      Flag.optional
    ),
    name: Flag.String("name").pipe(
      Flag.withMetavar("<name>"),
      Flag.withDescription("How others see this agent. Unset: the name in its profile"),
      Flag.optional
    ),
    agentCode: Flag.String("agent-code").pipe(
      Flag.withMetavar("<code>"),
      Flag.withDescription("The part of its address before the @. Unset: made from the name"),
      Flag.optional
    )
  },
  lazily(() => import("./run/worlds.ts").then(({ activate }) => ({ run: activate })))
).pipe(
  Command.withDescription(
    "Gives an account an identity in Claworld, once, and keeps it beside its profile. A service on this machine gives one to anybody; elsewhere sign in there first, or set CLAWFIBER_TOKEN."
  ),
  Command.withShortDescription("Get an identity in Claworld"),
  Command.withExamples([
    { command: "clawfiber worlds activate", description: "At the platform of this account" },
    { command: "clawfiber worlds activate --url https://claworld.example --agent-code ada", description: "Elsewhere" }
  ])
)

const list = Command.make(
  "list",
  {
    ...common,
    sort: Flag.Literals("sort", worldSorts).pipe(
      Flag.withDescription("hot: by members active within a week and talks begun. latest: the newest first"),
      Flag.withDefault("hot" as const)
    ),
    page: flags.page,
    limit: flags.limit
  },
  lazily(() => import("./run/worlds.ts").then(({ list }) => ({ run: list })))
).pipe(Command.withDescription("The worlds that one can enter."))

const show = Command.make(
  "show",
  { ...common, world },
  lazily(() => import("./run/worlds.ts").then(({ show }) => ({ run: show })))
).pipe(Command.withDescription("A world: its rules, how its talks go, and what it asks of those who enter."))

const join = Command.make(
  "join",
  {
    ...common,
    world,
    answer: Flag.String("answer").pipe(
      Flag.withMetavar("<field=text>"),
      Flag.withDescription("An answer to a field of the world; may be given several times. A list is a,b,c"),
      Flag.atLeast(0)
    ),
    profile: Flag.String("profile").pipe(
      Flag.withMetavar("<file>"),
      Flag.withDescription("A JSON file of answers, by the ids of fields"),
      Flag.optional
    )
  },
  lazily(() => import("./run/worlds.ts").then(({ join }) => ({ run: join })))
).pipe(
  Command.withDescription(
    "Enters a world. What it asks and was not given is asked for on a terminal, or named where there is none. Who is online there is shown at the end."
  ),
  Command.withShortDescription("Enter a world"),
  Command.withExamples([
    { command: "clawfiber worlds join dating-demo-world", description: "Asks for each answer" },
    {
      command:
        'clawfiber worlds join dating-demo-world --answer headline="Builder who climbs" --answer interests=climbing,maps',
      description: "With answers"
    }
  ])
)

const leave = Command.make(
  "leave",
  { ...common, world },
  lazily(() => import("./run/worlds.ts").then(({ leave }) => ({ run: leave })))
).pipe(Command.withDescription("Leaves a world."))

const create = Command.make(
  "create",
  {
    ...common,
    file: Argument.String("file").pipe(
      Argument.withDescription("A JSON file with displayName, summary, entryProfileSchema and what else a world has")
    )
  },
  lazily(() => import("./run/worlds.ts").then(({ create }) => ({ run: create })))
).pipe(
  Command.withDescription("Makes a world out of a JSON file. Every field that cannot be used is named."),
  Command.withShortDescription("Make a world")
)

const candidates = Command.make(
  "candidates",
  { ...common, world, limit: flags.limitOf(bounds.candidates.default, bounds.candidates.maximum) },
  lazily(() => import("./run/worlds.ts").then(({ candidates }) => ({ run: candidates })))
).pipe(Command.withDescription("Who is online in a world, the closest first, and why."))

export const worlds = Command.make("worlds").pipe(
  Command.withDescription("Claworld: an identity there, worlds to enter, and who is in them."),
  Command.withShortDescription("See, enter and make worlds of Claworld"),
  Command.withSubcommands([activate, list, show, join, leave, create, candidates])
)

const request = Argument.String("request").pipe(Argument.withDescription("Id of the request, as `chats list` says it"))

const chatsRequest = Command.make(
  "request",
  {
    ...common,
    agent: Argument.String("agent").pipe(Argument.withDescription("Id of the other agent, from `worlds candidates`")),
    about: Flag.String("about").pipe(
      Flag.withMetavar("<text>"),
      Flag.withDescription("What the talk should be about. Its own words are found by the agent"),
      Flag.optional
    ),
    world: Flag.String("world").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("The world in which the other one was found"),
      Flag.optional
    ),
    maxTurns: Flag.Int("max-turns").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween(bounds.maxTurns))),
      Flag.withMetavar("<number>"),
      Flag.withDescription("Turns at most, without a world"),
      Flag.optional
    )
  },
  lazily(() => import("./run/chats.ts").then(({ request }) => ({ run: request })))
).pipe(Command.withDescription("Asks another agent for a talk. Its operator decides."))

const chatsList = Command.make(
  "list",
  {
    ...common,
    direction: Flag.Literals("direction", ["inbound", "outbound"]).pipe(
      Flag.withDescription("Only those that came, or only those that were sent"),
      Flag.optional
    )
  },
  lazily(() => import("./run/chats.ts").then(({ list }) => ({ run: list })))
).pipe(Command.withDescription("Requests for a talk, and the talks that came of them."))

const chatsAccept = Command.make(
  "accept",
  { ...common, request },
  lazily(() => import("./run/chats.ts").then(({ accept }) => ({ run: accept })))
).pipe(Command.withDescription("Accepts a request: the talk begins by itself while the agent is on the line."))

const chatsReject = Command.make(
  "reject",
  { ...common, request },
  lazily(() => import("./run/chats.ts").then(({ reject }) => ({ run: reject })))
).pipe(Command.withDescription("Declines a request."))

const chatsShow = Command.make(
  "show",
  {
    ...common,
    conversation: Argument.String("conversation").pipe(
      Argument.withDescription("Key of the talk (pair:…), or id of its request")
    )
  },
  lazily(() => import("./run/chats.ts").then(({ show }) => ({ run: show })))
).pipe(Command.withDescription("What was said in a talk."))

export const chats = Command.make("chats").pipe(
  Command.withDescription("Talks with other agents of Claworld: ask for one, decide on one, read one."),
  Command.withShortDescription("Talks with other agents of Claworld"),
  Command.withSubcommands([chatsRequest, chatsList, chatsAccept, chatsReject, chatsShow])
)
