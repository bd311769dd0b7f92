/** Flags that several commands share. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"

export const portNumber = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))
/** Of a category of tasks. */
export const categoryCode = Schema.String.check(Schema.isPattern(/^\d{5}$/))
/** With at most two decimals. */
export const points = Schema.String.check(Schema.isPattern(/^\d{1,9}(?:\.\d{1,2})?$/))

export const host = Flag.String("host").pipe(
  Flag.withDescription("Address to listen on. Anything but this machine itself needs --allow-network"),
  Flag.withDefault("127.0.0.1")
)

export const port = Flag.Int("port").pipe(
  Flag.withSchema(portNumber),
  Flag.withDescription("Port to listen on; 0 takes a free one"),
  Flag.withDefault(8787)
)

/** `unset`: what holds where it is not given. */
export const platform = (unset: string) =>
  Flag.String("url").pipe(
    Flag.withMetavar("<address>"),
    Flag.withDescription(`The platform. Unset: ${unset}`),
    Flag.optional
  )
/** Of one who was signed in from this folder. */
export const personsPlatform = platform("the one signed in to from this folder, else http://127.0.0.1:8787")
/** Of one's agent, where it works. */
export const tasksPlatform = platform("INSTACLAW_TASK_API_BASE_URL, or the platform that issued the key")
/** Of one's agent, with all its tools. */
export const agentsPlatform = platform("the one that issued the key, or that of the settings")

export const trustHost = Flag.Boolean("trust-host").pipe(
  Flag.withDescription("Send the key to this platform although another one issued it"),
  Flag.withDefault(false)
)

/** What the tools of one's agent may touch. */
export const files = Flag.String("files").pipe(
  Flag.withMetavar("<folder>"),
  Flag.withDescription("The one folder whose files may be read, written and handed in. Unset: .insta/desk"),
  Flag.optional
)

export const data = Flag.String("data").pipe(
  Flag.withSchema(Schema.NonEmptyString),
  Flag.withMetavar("<folder>"),
  Flag.withDescription("Folder that everything is kept in"),
  Flag.withDefault(".clawfiber")
)

export const exec = Flag.String("exec").pipe(
  Flag.withMetavar("<command>"),
  Flag.withDescription("Answer with a command: it gets the message on standard input, its output is the reply"),
  Flag.optional
)

export const account = Flag.String("account").pipe(
  Flag.withMetavar("<id>"),
  Flag.withDescription(
    "An account in .insta/accounts, or default for .insta itself; may be named several times. Unset: all there are"
  ),
  Flag.atLeast(0)
)

export const controlPort = Flag.Int("control-port").pipe(
  Flag.withSchema(portNumber),
  Flag.withMetavar("<port>"),
  Flag.withDescription("Port of the control page, on this machine alone. 0, or one in use: any free one"),
  Flag.withDefault(8788)
)

export const control = Flag.Boolean("control").pipe(
  Flag.withDescription("--no-control: no control page. A single agent that is stuck then ends the program with 1"),
  Flag.withDefault(true)
)

export const agent = (none: string) =>
  Flag.String("agent").pipe(
    Flag.withMetavar("<file>"),
    Flag.withDescription(
      `Who answers: a file that exports an agent, "openai", "offline"${none}. Unset: the model of OPENAI_*, else offline`
    ),
    Flag.optional
  )

export const sync = Flag.Literals("sync", ["normal", "full"]).pipe(
  Flag.withDescription(
    "normal: what was taken survives a killed program, not always a power cut. full: that too, slower. Unset: CLAWFIBER_SYNC, else normal"
  ),
  Flag.optional
)

export const openSignIn = Flag.Boolean("open-sign-in").pipe(
  Flag.withDescription("Whoever reaches it may sign in by name alone and register agents. For a network you trust"),
  Flag.withDefault(false)
)

export const publicUrl = Flag.String("public-url").pipe(
  Flag.withMetavar("<address>"),
  Flag.withDescription("Its address from outside, where a proxy stands before it"),
  Flag.optional
)

export const allowNetwork = Flag.Boolean("allow-network").pipe(
  Flag.withDescription(
    "Listen beyond this machine: whoever is on that network reaches it, and keys and messages travel in clear"
  ),
  Flag.withDefault(false)
)

export const behindProxy = Flag.Int("behind-proxy").pipe(
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 16 }))),
  Flag.withMetavar("<number>"),
  Flag.withDescription(
    "How many proxies of yours stand before it, each adding to X-Forwarded-For. Only with it is that header believed"
  ),
  Flag.withDefault(0)
)

/** Paid work beside the chat; `standard`: how it is where nothing is said. */
export const working = (standard: "off" | "ask") => ({
  work: Flag.Literals("work", ["off", "ask", "auto"]).pipe(
    Flag.withDescription(
      "Paid tasks of the platform. ask: the control page asks before one is taken. auto: taken without asking, within the limits below"
    ),
    Flag.withDefault(standard)
  ),
  workCategory: Flag.String("work-category").pipe(
    Flag.withSchema(categoryCode),
    Flag.withMetavar("<code>"),
    Flag.withDescription("Only tasks of this category (five digits); may be named several times"),
    Flag.atLeast(0)
  ),
  workMaxBounty: Flag.String("work-max-bounty").pipe(
    Flag.withSchema(points),
    Flag.withMetavar("<points>"),
    Flag.withDescription("Leave tasks alone that pay more"),
    Flag.optional
  ),
  workLimit: Flag.Int("work-limit").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
    Flag.withMetavar("<number>"),
    Flag.withDescription("Take so many tasks and no more, until the next start"),
    Flag.optional
  )
})

/** For commands about one account. */
export const oneAccount = Flag.String("account").pipe(
  Flag.withMetavar("<id>"),
  Flag.withDescription("An account in .insta/accounts; default is .insta itself"),
  Flag.withDefault("default")
)

/** Where the accounts are: the agent of `up` has its own folder. */
export const accountsRoot = Flag.String("root").pipe(
  Flag.withMetavar("<folder>"),
  Flag.withDescription("Folder of the accounts. The agent of `clawfiber up` is in .clawfiber/agent/.insta"),
  Flag.withDefault(".insta")
)

export const page = Flag.Int("page").pipe(
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
  Flag.withMetavar("<number>"),
  Flag.withDescription("Pages begin at 1"),
  Flag.withDefault(1)
)

export const limitOf = (standard: number, maximum: number) =>
  Flag.Int("limit").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))),
    Flag.withMetavar("<number>"),
    Flag.withDescription("So many at most"),
    Flag.withDefault(standard)
  )
export const limit = limitOf(20, 100)
