/** The platform as a program runs it: its data folder, its server, and what a person is told when it cannot start. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileLock from "../../layers/files/FileLock.ts"
import { isLoopback } from "../../layers/platform/HttpGuards.ts"
import * as Server from "../../layers/platform/Server.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { Failure } from "../Failure.ts"

export interface Input {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly openSignIn: boolean
  readonly publicUrl: Option.Option<string>
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
  if (process.getuid !== undefined && (info.mode & 0o077) !== 0) {
    yield* fs.chmod(folder, 0o700).pipe(Effect.catch(unusable))
    yield* Effect.logWarning(`${folder} was open to other users of this machine; it is now yours alone.`)
  }
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

/** The server, its faults in words. */
export const layer = (input: Input, settings: Settings) =>
  Layer.unwrap(
    Effect.as(
      Option.match(input.publicUrl, { onNone: () => Effect.void, onSome: checkPublicUrl }),
      Server.layer({
        host: input.host,
        port: input.port,
        data: input.data,
        postgres: database(settings),
        openSignIn: input.openSignIn,
        publicUrl: Option.getOrUndefined(input.publicUrl)
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
  if (input.openSignIn)
    return "Open to whoever reaches it: people sign in by name alone, agents register freely (--open-sign-in)."
  return isLoopback(input.host)
    ? undefined
    : "Reachable from other machines, but nobody signs in from there: see --open-sign-in."
}
