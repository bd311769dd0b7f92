/** The platform as a program runs it: its data folder, its server, and what a person is told when it cannot start. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileLock from "../../layers/files/FileLock.ts"
import { isLoopback } from "../../layers/http/HttpGuards.ts"
import * as Server from "../../layers/platform/Server.ts"
import type { SettingName, Settings } from "../../services/channel/Settings.ts"
import { tellLoose } from "../Environment.ts"
import { Failure } from "../Failure.ts"

export interface Input {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly openSignIn: boolean
  readonly publicUrl: Option.Option<string>
  readonly behindProxy: number
  readonly allowNetwork: boolean
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** Makes the folder where it is missing, and holds it: two platforms on one folder would answer for each other. */
export const dataFolder = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const unusable = () =>
    fail(`${folder} cannot be written. Mend its permissions, free some space, or name another with --data.`)
  yield* fs
    .makeDirectory(folder, { recursive: true, mode: 0o700 })
    .pipe(
      Effect.catch((error) =>
        error.reason._tag === "AlreadyExists"
          ? fail(`${folder} is not a folder. Name another with --data.`)
          : unusable()
      )
    )
  const info = yield* fs.stat(folder).pipe(Effect.catch(unusable))
  const uid = process.getuid?.()
  if (uid !== undefined && Option.isSome(info.uid) && info.uid.value !== uid) {
    return yield* fail(
      `${folder} belongs to another user of this machine, who could read and change all that is kept there. Name a folder of your own with --data, or run clawfiber as its owner.`
    )
  }
  if (uid !== undefined && (info.mode & 0o077) !== 0) {
    yield* fs.chmod(folder, 0o700).pipe(Effect.catch(unusable))
    yield* Effect.logWarning(`${folder} was open to other users of this machine; it is now yours alone.`)
  }
  yield* tellLoose
  yield* FileLock.hold(`${folder}/.lock`, { wait: 0 }).pipe(
    Effect.catch((error) =>
      error._tag === "Held"
        ? fail(`${error.owner} uses ${folder} already. Stop it first, or name another folder with --data.`)
        : unusable()
    )
  )
})

const checkPublicUrl = (text: string) => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol)
    ? Effect.void
    : fail(`--public-url ${text} is no address. Write it like https://chat.example.org.`)
}

/** What the platform itself is set up with. */
export const settingNames: ReadonlyArray<SettingName> = [
  "log",
  "databaseUrl",
  "databaseConnections",
  "mailboxMaxMessages",
  "mailboxLifetime",
  "maxBodyBytes",
  "maxFrameBytes",
  "maxSocketsPerKey",
  "handshakeTimeout",
  "rateSignIn",
  "rateMessages",
  "rateUploads",
  "rateSockets",
  "rateCalls",
  "rateLoopback",
  "issuer",
  "issuerAudience",
  "issuerJwks",
  "approval",
  "activationLifetime",
  "grantPoints",
  "taskLease",
  "taskReview"
]

/** Beyond this machine only where that is meant: there is no encryption, and everyone there may try. */
const checkHost = (input: Input) =>
  isLoopback(input.host) || input.allowNetwork
    ? Effect.void
    : fail(
        `--host ${input.host} opens the platform to everyone who reaches this machine over the network, and their keys and messages travel in clear: it speaks no TLS of its own. If that is meant, add --allow-network. Better: stay on 127.0.0.1, with a proxy that speaks TLS before it (--behind-proxy 1 --public-url https://…).`
      )

/** What the settings say of limits and of whose tokens are taken. */
const guardsOf = (settings: Settings) => ({
  maxBodyBytes: settings.maxBodyBytes,
  maxFrameBytes: settings.maxFrameBytes,
  maxSocketsPerKey: settings.maxSocketsPerKey,
  connections: { handshakeTimeout: Duration.toMillis(settings.handshakeTimeout) },
  limits: {
    loopback: settings.rateLoopback === "on",
    rates: {
      signIn: settings.rateSignIn,
      register: settings.rateSignIn,
      messages: settings.rateMessages,
      uploads: settings.rateUploads,
      sockets: settings.rateSockets,
      calls: settings.rateCalls
    }
  },
  issuer:
    settings.issuer === undefined
      ? undefined
      : { issuer: settings.issuer, audience: settings.issuerAudience ?? "", jwks: settings.issuerJwks }
})

const checkIssuer = (settings: Settings) =>
  settings.issuer === undefined
    ? settings.issuerAudience === undefined && settings.issuerJwks === undefined
      ? Effect.void
      : fail(
          "CLAWFIBER_ISSUER_AUDIENCE or CLAWFIBER_ISSUER_JWKS_URL is set, but no CLAWFIBER_ISSUER: no tokens of another issuer would be taken. Set it, or remove them."
        )
    : settings.issuerAudience === undefined
      ? fail(
          "CLAWFIBER_ISSUER is set without CLAWFIBER_ISSUER_AUDIENCE: tokens that the issuer made for other services would be taken. Set it to what the issuer writes into aud for this platform."
        )
      : Effect.void

/** Postgres where the settings name one. */
export const database = (settings: Settings) =>
  settings.databaseUrl === undefined
    ? undefined
    : { url: settings.databaseUrl, maxConnections: settings.databaseConnections }

/** Where everything is kept, in words. */
export const place = (input: Pick<Input, "data">, settings: Settings): string => {
  const url = settings.databaseUrl && URL.parse(Redacted.value(settings.databaseUrl))
  return url === undefined || url === null
    ? input.data
    : `Postgres at ${url.host === "" ? "localhost" : url.host}${url.pathname}, files in ${input.data}`
}

/** The server, its faults in words. `control`: the door of the operator of the agent in the same program. */
export const layer = (input: Input, settings: Settings, control?: Server.ServeOptions["control"]) =>
  Layer.unwrap(
    Effect.as(
      Effect.all([
        checkHost(input),
        checkIssuer(settings),
        Option.match(input.publicUrl, { onNone: () => Effect.void, onSome: checkPublicUrl })
      ]),
      Server.layer({
        ...guardsOf(settings),
        control,
        host: input.host,
        port: input.port,
        data: input.data,
        sessions: { maxWaiting: settings.mailboxMaxMessages, waitingLifetime: settings.mailboxLifetime },
        postgres: database(settings),
        openSignIn: input.openSignIn,
        approval: settings.approval,
        activations: { lifetime: settings.activationLifetime },
        market: {
          grant: String(settings.grantPoints),
          lease: settings.taskLease,
          review: settings.taskReview
        },
        publicUrl: Option.getOrUndefined(input.publicUrl),
        behindProxy: input.behindProxy
      })
    )
  )

/** A `StoreError` speaks to users of a platform; the operator is told what it is about. */
export const failureOf = (error: { readonly detail: string }): Failure =>
  new Failure({ message: `The platform's database cannot be used: ${error.detail}.` })

export const inWords = (error: { readonly detail: string }) => Effect.fail(failureOf(error))

const everywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" }

/** Where this machine itself reaches the server. */
export const url = Effect.map(Server.Server, ({ host, port, url }) =>
  everywhere[host] === undefined ? url : `http://${everywhere[host]}:${port}`
)

/** What an operator should know who opens the platform to others. */
export const caution = (input: Input): string | undefined => {
  const cautions: Array<string> = []
  if (input.openSignIn) {
    cautions.push("Open to whoever reaches it: people sign in by name alone, agents register freely (--open-sign-in).")
  } else if (!isLoopback(input.host)) {
    cautions.push("Reachable from other machines, but nobody signs in by name from there: see --open-sign-in.")
  }
  if (!isLoopback(input.host)) {
    cautions.push(
      input.behindProxy > 0
        ? "Whoever reaches it past the proxy may say to come from anywhere, and speaks in clear: shut that way."
        : "Keys and messages travel in clear on that network (--allow-network)."
    )
  }
  return cautions.length === 0 ? undefined : cautions.join(" ")
}
