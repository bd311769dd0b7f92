/**
 * Every variable the programs read, in one table: name, meaning, default, what is allowed. `load` reads them all and
 * lists all faults at once. The seed's names keep their meaning; ours begin with CLAWFIBER_. Durations are whole
 * milliseconds. An empty variable counts as absent.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export type Topic = "InstaClaw" | "Model" | "Replies" | "Journal" | "Limits" | "Platform" | "Program"

export interface Variable<A> {
  readonly name: string
  readonly topic: Topic
  /** One or two sentences for `.env.example` and the README. */
  readonly about: string
  /** What may stand there, as it is said in an error. */
  readonly allowed: string
  /** The default as one would write it. Empty: nothing is set. */
  readonly fallback: string
  /** Its value is never shown. */
  readonly secret: boolean
  readonly config: Config.Config<A>
}

type Words = Pick<Variable<unknown>, "name" | "topic" | "about">

const longestTimer = 2_147_483_647
/** Ten years. Compared with clocks, never slept through. */
const longestAge = 315_360_000_000

const wholeBetween = (minimum: number, maximum: number) =>
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))

const whole = (words: Words, fallback: number, minimum: number, maximum: number): Variable<number> => ({
  ...words,
  allowed: `a whole number from ${minimum} to ${maximum}`,
  fallback: String(fallback),
  secret: false,
  config: Config.withDefault(Config.schema(wholeBetween(minimum, maximum), words.name), fallback)
})

const millis = (
  words: Words,
  fallback: number,
  minimum: number,
  maximum = longestTimer
): Variable<Duration.Duration> => ({
  ...words,
  allowed: `whole milliseconds from ${minimum} to ${maximum}`,
  fallback: String(fallback),
  secret: false,
  config: Config.schema(wholeBetween(minimum, maximum), words.name).pipe(
    Config.withDefault(fallback),
    Config.map(Duration.millis)
  )
})

const isUrl = (schemes: ReadonlyArray<string>) => (text: string) => {
  const url = URL.parse(text)
  return (
    url !== null && schemes.includes(url.protocol) && url.hostname !== "" && url.username === "" && url.password === ""
  )
}

const isDatabaseUrl = (text: string) => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "postgres:" || url.protocol === "postgresql:")
}

const url = (words: Words, fallback: string, scheme: "ws" | "http"): Variable<URL> => ({
  ...words,
  allowed: `an address that begins with ${scheme}s:// (or ${scheme}:// on this machine), without a user name in it`,
  fallback,
  secret: false,
  config: Config.schema(Schema.String.check(Schema.makeFilter(isUrl([`${scheme}:`, `${scheme}s:`]))), words.name).pipe(
    Config.withDefault(fallback),
    Config.map((text) => new URL(text))
  )
})

const rate = (name: string, about: string, fallback: number): Variable<number> =>
  whole({ name, topic: "Limits", about }, fallback, 1, 1_000_000_000)

const choice = <const L extends string>(words: Words, literals: ReadonlyArray<L>): Variable<L | undefined> => ({
  ...words,
  allowed: `one of ${literals.join(", ")}`,
  fallback: "",
  secret: false,
  config: Config.schema(Schema.Literals(literals), words.name).pipe(Config.withDefault(undefined))
})

const text = (words: Words): Variable<string | undefined> => ({
  ...words,
  allowed: "any text",
  fallback: "",
  secret: false,
  config: Config.String(words.name).pipe(Config.withDefault(undefined))
})

const secret = (words: Words): Variable<Redacted.Redacted<string> | undefined> => ({
  ...words,
  allowed: "printable characters without spaces",
  fallback: "",
  secret: true,
  config: Config.schema(
    Schema.RedactedFromValue(Schema.String.check(Schema.isPattern(/^[\x21-\x7e]+$/))),
    words.name
  ).pipe(Config.withDefault(undefined))
})

/** In the order in which `.env.example` and the README show them. */
export const table = {
  wsUrl: url(
    { name: "INSTACLAW_WS_URL", topic: "InstaClaw", about: "The platform's socket." },
    "wss://claw.int-os.com/ws/chat",
    "ws"
  ),
  profileCreateUrl: url(
    { name: "INSTACLAW_PROFILE_CREATE_URL", topic: "InstaClaw", about: "Where an agent registers." },
    "https://claw.int-os.com/profiles/create",
    "http"
  ),
  taskApiBaseUrl: url(
    { name: "INSTACLAW_TASK_API_BASE_URL", topic: "InstaClaw", about: "The task pool's API." },
    "https://claw.int-os.com",
    "http"
  ),
  artifactUrl: url(
    {
      name: "INSTACLAW_ARTIFACT_UPLOAD_AND_BIND_URL",
      topic: "InstaClaw",
      about: "Where results are uploaded. The family's own http:// default is raised to https://."
    },
    "https://claw.int-os.com/artifact/upload-and-bind",
    "http"
  ),
  claworldUrl: {
    name: "CLAWFIBER_CLAWORLD_URL",
    topic: "InstaClaw",
    about: "The service of Claworld. Unset: the platform that an account is registered at.",
    allowed:
      "an address that begins with https://, wss:// (or http://, ws:// on this machine), without a user name in it",
    fallback: "",
    secret: false,
    config: Config.schema(
      Schema.String.check(Schema.makeFilter(isUrl(["http:", "https:", "ws:", "wss:"]))),
      "CLAWFIBER_CLAWORLD_URL"
    ).pipe(
      Config.withDefault(undefined),
      Config.map((text): URL | undefined => (text === undefined ? undefined : new URL(text)))
    )
  },
  registrationInterval: millis(
    {
      name: "CLAWFIBER_REGISTRATION_INTERVAL",
      topic: "InstaClaw",
      about:
        "Milliseconds between two looks for the profile. A file that changes is seen at once; this is the net under it."
    },
    10_000,
    100,
    3_600_000
  ),
  registrationCooldown: millis(
    {
      name: "CLAWFIBER_REGISTRATION_COOLDOWN",
      topic: "InstaClaw",
      about: "Milliseconds from a cancelled proposal to the agent's next one."
    },
    60_000,
    0
  ),
  selfRegistration: choice(
    {
      name: "CLAWFIBER_SELF_REGISTRATION",
      topic: "InstaClaw",
      about:
        "allowed: an agent that is given the tool insta_register_identity registers with it at once. Unset: asked, you confirm each proposal."
    },
    ["asked", "allowed"]
  ),
  heartbeatInterval: millis(
    {
      name: "INSTACLAW_HEARTBEAT_INTERVAL",
      topic: "InstaClaw",
      about: "Milliseconds between two pings. Three without an answer end the link."
    },
    30_000,
    100,
    3_600_000
  ),
  timeoutThreshold: millis(
    {
      name: "INSTACLAW_TIMEOUT_THRESHOLD",
      topic: "InstaClaw",
      about: "Milliseconds of silence after which the link no longer counts as connected. Longer than the heartbeat."
    },
    60_000,
    100
  ),
  openaiApiKey: secret({
    name: "OPENAI_API_KEY",
    topic: "Model",
    about: "The key of the model's provider. Without one (and without OPENAI_BASE_URL) the offline agent answers."
  }),
  openaiBaseUrl: {
    ...url(
      {
        name: "OPENAI_BASE_URL",
        topic: "Model",
        about: "Another provider that speaks OpenAI's API, for example http://127.0.0.1:11434/v1."
      },
      "",
      "http"
    ),
    config: Config.schema(Schema.String.check(Schema.makeFilter(isUrl(["http:", "https:"]))), "OPENAI_BASE_URL").pipe(
      Config.withDefault(undefined)
    )
  } satisfies Variable<string | undefined>,
  openaiModel: text({
    name: "OPENAI_MODEL",
    topic: "Model",
    about: "The model's name. Unset: gpt-5-mini where only OPENAI_API_KEY is set."
  }),
  openaiApi: choice(
    {
      name: "OPENAI_API",
      topic: "Model",
      about: "Which of the provider's two APIs is used. Unset: responses, and chat where a server has only that."
    },
    ["responses", "chat"]
  ),
  systemPrompt: text({
    name: "CLAWFIBER_SYSTEM_PROMPT",
    topic: "Replies",
    about: "What the agent is told before every message."
  }),
  dialect: choice(
    {
      name: "CLAWFIBER_DIALECT",
      topic: "Replies",
      about: "Answers in this dialect whatever a request came in. Unset: as it came."
    },
    ["envelope", "gateway", "legacy"]
  ),
  maxConcurrent: whole(
    { name: "MAX_CONCURRENT_REQUESTS", topic: "Replies", about: "How many replies run at once." },
    10,
    1,
    10_000
  ),
  maxQueued: whole(
    {
      name: "CLAWFIBER_MAX_QUEUED",
      topic: "Replies",
      about: "How many requests may wait for their turn; the next one is refused with RATE_LIMIT."
    },
    100,
    0,
    100_000
  ),
  requestTimeout: millis(
    { name: "SDK_REQUEST_TIMEOUT", topic: "Replies", about: "The longest that one reply may take, in milliseconds." },
    43_200_000,
    1
  ),
  stallTimeout: millis(
    {
      name: "CLAWFIBER_STALL_TIMEOUT",
      topic: "Replies",
      about: "A reply without text or activity for so many milliseconds ends as TIMEOUT."
    },
    600_000,
    1
  ),
  grace: millis(
    {
      name: "CLAWFIBER_GRACE",
      topic: "Replies",
      about: "How many milliseconds replies under way may go on when the program stops; then they end as INTERRUPTED."
    },
    500,
    0,
    1_500
  ),
  deltaSize: whole(
    { name: "CLAWFIBER_DELTA_SIZE", topic: "Replies", about: "The longest piece of a streamed reply, in characters." },
    50,
    1,
    100_000
  ),
  sync: choice(
    {
      name: "CLAWFIBER_SYNC",
      topic: "Journal",
      about:
        "What the journal waits for before a message counts as taken. Unset: normal, which survives a killed program; a power cut may lose the last moments. full survives that too, and waits for the disk each time. --sync wins."
    },
    ["normal", "full"]
  ),
  rerunInterrupted: choice(
    {
      name: "CLAWFIBER_RERUN_INTERRUPTED",
      topic: "Journal",
      about:
        "Messages that a crash cut off end as INTERRUPTED. if-silent: those of which nothing had been shown yet are run once more; whatever else the agent had done by then may be done twice. Unset: never."
    },
    ["never", "if-silent"]
  ),
  staleAfter: millis(
    {
      name: "CLAWFIBER_STALE_AFTER",
      topic: "Journal",
      about: "What a crash cut off longer ago than so many milliseconds ends in the journal alone: nobody is told."
    },
    3_600_000,
    0,
    longestAge
  ),
  journalMaxAge: millis(
    {
      name: "CLAWFIBER_JOURNAL_MAX_AGE",
      topic: "Journal",
      about: "How many milliseconds an ended reply is remembered. A message that comes again later is answered anew."
    },
    604_800_000,
    60_000,
    longestAge
  ),
  journalMaxEntries: whole(
    {
      name: "CLAWFIBER_JOURNAL_MAX_ENTRIES",
      topic: "Journal",
      about: "How many ended replies are remembered."
    },
    100_000,
    1,
    10_000_000
  ),
  maxFrameBytes: whole(
    { name: "CLAWFIBER_MAX_FRAME_BYTES", topic: "Limits", about: "The largest message on a socket, in bytes." },
    1_048_576,
    1_024,
    268_435_456
  ),
  maxBodyBytes: whole(
    {
      name: "CLAWFIBER_MAX_BODY_BYTES",
      topic: "Limits",
      about: "The largest body of a call to the platform, in bytes. Files have a bound of their own."
    },
    2_097_152,
    16_384,
    268_435_456
  ),
  maxSocketsPerKey: whole(
    {
      name: "CLAWFIBER_MAX_SOCKETS_PER_KEY",
      topic: "Limits",
      about: "How many sockets may be open at once under one key of the platform."
    },
    64,
    1,
    100_000
  ),
  handshakeTimeout: millis(
    {
      name: "CLAWFIBER_HANDSHAKE_TIMEOUT",
      topic: "Limits",
      about: "How many milliseconds a connection to the platform may take until its headers have come."
    },
    10_000,
    100,
    600_000
  ),
  connectRate: whole(
    {
      name: "CLAWFIBER_CONNECT_RATE",
      topic: "Limits",
      about: "How many connections per second the accounts of one process dial at most, together."
    },
    50,
    1,
    10_000
  ),
  rateSignIn: rate("CLAWFIBER_RATE_SIGN_IN", "Sign-ins, and registrations of agents, per minute and address.", 20),
  rateMessages: rate(
    "CLAWFIBER_RATE_MESSAGES",
    "Messages per minute and key; an address may send five times as many, here and below.",
    120
  ),
  rateUploads: rate("CLAWFIBER_RATE_UPLOADS", "Files sent per minute and key.", 60),
  rateSockets: rate("CLAWFIBER_RATE_SOCKETS", "Sockets opened per minute and key.", 120),
  rateCalls: rate("CLAWFIBER_RATE_CALLS", "All other calls per minute and key.", 1_200),
  rateLoopback: choice(
    {
      name: "CLAWFIBER_RATE_LOOPBACK",
      topic: "Limits",
      about: "Whether the rates also hold for what comes from this very machine. Unset: off."
    },
    ["on", "off"]
  ),
  maxOutboxBytes: whole(
    {
      name: "CLAWFIBER_MAX_OUTBOX_BYTES",
      topic: "Limits",
      about: "How many bytes may wait to be sent while the link is down or slow."
    },
    8_388_608,
    65_536,
    1_073_741_824
  ),
  mailboxMaxMessages: whole(
    {
      name: "CLAWFIBER_MAILBOX_MAX_MESSAGES",
      topic: "Platform",
      about: "How many messages may wait on the platform for one agent that is away or behind; the next one is refused."
    },
    1_000,
    1,
    10_000_000
  ),
  mailboxLifetime: millis(
    {
      name: "CLAWFIBER_MAILBOX_LIFETIME",
      topic: "Platform",
      about: "A message that has waited for its agent for so many milliseconds ends as TIMEOUT."
    },
    604_800_000,
    1_000,
    longestAge
  ),
  databaseUrl: {
    ...secret({
      name: "CLAWFIBER_DATABASE_URL",
      topic: "Platform",
      about:
        "The Postgres that the platform keeps everything but files in. Unset: SQLite in the data folder. A bare DATABASE_URL is never taken up."
    }),
    allowed: "an address like postgres://user:password@host:5432/database",
    config: Config.schema(
      Schema.RedactedFromValue(Schema.String.check(Schema.makeFilter(isDatabaseUrl))),
      "CLAWFIBER_DATABASE_URL"
    ).pipe(Config.withDefault(undefined))
  } satisfies Variable<Redacted.Redacted<string> | undefined>,
  databaseConnections: whole(
    {
      name: "CLAWFIBER_DATABASE_CONNECTIONS",
      topic: "Platform",
      about: "How many connections to Postgres there are at most."
    },
    10,
    1,
    1_000
  ),
  issuer: text({
    name: "CLAWFIBER_ISSUER",
    topic: "Platform",
    about: "Another issuer whose tokens people may come with, as it stands in their iss. Needs the audience."
  }),
  issuerAudience: text({
    name: "CLAWFIBER_ISSUER_AUDIENCE",
    topic: "Platform",
    about: "What stands in aud of the tokens that are meant for this platform."
  }),
  issuerJwks: text({
    name: "CLAWFIBER_ISSUER_JWKS_URL",
    topic: "Platform",
    about:
      "Where the issuer's public keys are. Unset: .well-known/jwks.json under the issuer. https, or http on this machine."
  }),
  approval: choice(
    {
      name: "CLAWFIBER_APPROVAL",
      topic: "Platform",
      about:
        "needed: an agent that registers cannot connect until you let it in with `clawfiber agent approve`. Unset: given, at once."
    },
    ["given", "needed"]
  ),
  activationLifetime: millis(
    {
      name: "CLAWFIBER_ACTIVATION_LIFETIME",
      topic: "Platform",
      about: "How long the token is good with which a person gets an agent registered as theirs."
    },
    900_000,
    1_000
  ),
  grantPoints: whole(
    {
      name: "CLAWFIBER_GRANT_POINTS",
      topic: "Platform",
      about: "How many points a new person of the platform has to pay for tasks with. They are no money."
    },
    1_000,
    0,
    1_000_000_000
  ),
  taskLease: millis(
    {
      name: "CLAWFIBER_TASK_LEASE",
      topic: "Platform",
      about: "How long an agent's sign of life keeps its grab of a task; then the task is open to others."
    },
    300_000,
    1_000
  ),
  taskReview: millis(
    {
      name: "CLAWFIBER_TASK_REVIEW",
      topic: "Platform",
      about: "After how long a deliverable that nobody looked at is accepted, and paid."
    },
    259_200_000,
    1_000,
    longestAge
  ),
  token: secret({
    name: "CLAWFIBER_TOKEN",
    topic: "Program",
    about: "Your own token or key on a platform, for `chat` and `tasks`. Wins over what `clawfiber sign-in` has kept."
  }),
  log: choice(
    {
      name: "CLAWFIBER_LOG",
      topic: "Program",
      about: "How much is logged (on standard error). Unset: info."
    },
    ["trace", "debug", "info", "warn", "error", "none"]
  )
} as const

export type SettingName = keyof typeof table
export type Settings = { readonly [K in SettingName]: Config.Success<(typeof table)[K]["config"]> }

/** Every setting but these, to be ignored by a program that reads no others. */
export const allBut = (...names: ReadonlyArray<SettingName>): ReadonlyArray<SettingName> =>
  (Object.keys(table) as Array<SettingName>).filter((name) => !names.includes(name))

/** `holds` is undefined where it may not be shown. */
export interface Fault {
  readonly name: string
  readonly holds: string | undefined
  readonly allowed: string
}

/** The environment holds what cannot be used. A person mends it; nothing was started. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  faults: Schema.Array(
    Schema.Struct({ name: Schema.String, holds: Schema.UndefinedOr(Schema.String), allowed: Schema.String })
  )
}) {
  override get message(): string {
    const lines = this.faults.map(
      ({ allowed, holds, name }) =>
        `${name} holds ${holds === undefined ? "something" : JSON.stringify(holds)}; allowed: ${allowed}.`
    )
    return lines.length === 1 ? (lines[0] ?? "") : `${lines.length} settings cannot be used:\n  ${lines.join("\n  ")}`
  }
}

/** An address may carry a password or a token: only what names the place is shown. */
export const showable = (value: string): string =>
  value
    .replace(/\/\/[^/@]*@/, "//…@")
    .replace(/[?#].*$/s, "?…")
    .slice(0, 200)

const seedArtifactUrl = "http://claw.int-os.com/artifact/upload-and-bind"

/**
 * All settings, or all faults. Those in `ignore` keep their defaults whatever the environment says: `up` never takes
 * the addresses of a real platform.
 */
export const load = Effect.fn("Settings.load")(function* (
  options: { readonly ignore?: ReadonlyArray<SettingName> } = {}
): Effect.fn.Return<Settings, SettingsError> {
  const provider = yield* ConfigProvider.ConfigProvider
  const nothing = ConfigProvider.fromUnknown({})
  const faults: Array<Fault> = []
  const values: Record<string, unknown> = {}
  for (const [key, variable] of Object.entries<Variable<unknown>>(table)) {
    const ignored = options.ignore?.some((name) => name === key) === true
    const parsed = yield* Effect.result(variable.config.parse(ignored ? nothing : provider))
    if (Result.isSuccess(parsed)) {
      values[key] = parsed.success
      continue
    }
    const held = variable.secret ? Option.none() : yield* Effect.option(Config.String(variable.name).parse(provider))
    faults.push({
      name: variable.name,
      holds: Option.getOrUndefined(Option.map(held, showable)),
      allowed: variable.allowed
    })
  }
  if (faults.length > 0) return yield* new SettingsError({ faults })
  // Every key of the table was read with its own config, which is what the type says.
  const settings = values as Settings
  if (Duration.isLessThanOrEqualTo(settings.timeoutThreshold, settings.heartbeatInterval)) {
    return yield* new SettingsError({
      faults: [
        {
          name: table.timeoutThreshold.name,
          holds: String(Duration.toMillis(settings.timeoutThreshold)),
          allowed: `more than ${table.heartbeatInterval.name} (${Duration.toMillis(settings.heartbeatInterval)})`
        }
      ]
    })
  }
  return settings.artifactUrl.href === seedArtifactUrl
    ? { ...settings, artifactUrl: new URL(table.artifactUrl.fallback) }
    : settings
})

/** Names that begin like ours and are none: most likely misspelt. */
export const unknownNames = (environment: Readonly<Record<string, string | undefined>>): ReadonlyArray<string> => {
  const known = new Set(Object.values(table).map((variable) => variable.name))
  return Object.keys(environment).filter((name) => /^(CLAWFIBER|INSTACLAW)_/.test(name) && !known.has(name))
}

/** What answers when only OpenAI's own key is set. It is named at start, so nobody spends without knowing on what. */
const defaultModel = "gpt-5-mini"

/** The model that answers; undefined = none is set up. */
export const modelOf = (settings: Settings): string | undefined =>
  settings.openaiModel ??
  (settings.openaiApiKey !== undefined && settings.openaiBaseUrl === undefined ? defaultModel : undefined)
