import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { lazily } from "./Cli.ts"
import * as flags from "./flags.ts"

export const signIn = Command.make(
  "sign-in",
  {
    url: flags.platform("http://127.0.0.1:8787"),
    name: Flag.String("name").pipe(
      Flag.withMetavar("<name>"),
      Flag.withDescription("Under which name. Unset: the one of your user on this machine"),
      Flag.optional
    ),
    key: Flag.Boolean("key").pipe(
      Flag.withDescription("With a key made on the platform's page: asked for unseen, or read from standard input"),
      Flag.withDefault(false)
    )
  },
  lazily(() => import("./run/signIn.ts"))
).pipe(
  Command.withDescription(
    "Signs you in on a platform, for `tasks` and `chat`. A name is enough on the platform's own machine; elsewhere it takes a key from its page. What comes of it is kept in .insta/people, for you alone, and sent to that platform alone. A key never goes on the command line."
  ),
  Command.withShortDescription("Sign in on a platform"),
  Command.withExamples([
    { command: "clawfiber sign-in", description: "On the platform of this machine" },
    { command: "clawfiber sign-in --url https://claw.example.org --key", description: "With a key, asked for unseen" },
    { command: "clawfiber sign-in --url https://claw.example.org --key < key.txt", description: "For a script" }
  ])
)

export const signOut = Command.make(
  "sign-out",
  { url: flags.personsPlatform },
  lazily(() => import("./run/signIn.ts").then(({ signOut }) => ({ run: signOut })))
).pipe(Command.withDescription("Forgets your sign-in on a platform."))

export const whoami = Command.make(
  "whoami",
  { url: flags.personsPlatform },
  lazily(() => import("./run/signIn.ts").then(({ whoami }) => ({ run: whoami })))
).pipe(Command.withDescription("Says who you are on a platform."))
