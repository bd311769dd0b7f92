/** What surrounds every program: the variables (of the process, and of `.env` beside it), and the log. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { parseEnv } from "node:util"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Logging from "../layers/Logging.ts"
import * as Telemetry from "../layers/Telemetry.ts"
import * as Settings from "../services/channel/Settings.ts"
import { Failure } from "./Failure.ts"
import * as Output from "./Output.ts"
import { version } from "./version.ts"

const readDotEnv = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(".env").pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "NotFound",
      () => Effect.succeed("")
    ),
    Effect.mapError(
      () => new Failure({ message: ".env in this folder cannot be read. Mend its permissions or move it away." })
    )
  )
  return parseEnv(text)
}).pipe(Effect.provide(NodeFileSystem.layer))

/** It is the user's own file, so its mode stays as it is; but that others can read a key in it is said. */
export const tellLoose = Effect.gen(function* () {
  if (process.getuid === undefined) return
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(".env"))
  if (Option.isNone(info) || (info.value.mode & 0o077) === 0) return
  const held = Object.entries(yield* Effect.orElseSucceed(readDotEnv, (): Variables => ({})))
  const keys = held.filter(([name, value]) => /(?:KEY|TOKEN|SECRET|PASSWORD|DATABASE_URL)$/.test(name) && value !== "")
  if (keys.length === 0) return
  const names = keys.map(([name]) => name).join(", ")
  yield* Effect.logWarning(
    `.env holds ${names}, and other users of this machine can read it. Shut it with: chmod 600 .env`
  )
}).pipe(Effect.provide(NodeFileSystem.layer))

export type Variables = Readonly<Record<string, string | undefined>>

/** The process's own variables win over those of `.env`. */
export const variables = Effect.map(readDotEnv, (file): Variables => ({ ...file, ...process.env }))

const levels: Readonly<Record<string, LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

export const logging = (json: boolean, level: string | undefined): Layer.Layer<never> =>
  Logging.layer({
    json,
    level: levels[level ?? "info"] ?? "Info",
    colors: Output.colors("stderr"),
    write: (line) => void process.stderr.write(line)
  })

/**
 * Reads the settings and runs a program with them and the log. `ignore`: settings of the environment that this program
 * never takes up.
 */
export const withSettings = <E>(
  options: { readonly json: boolean; readonly ignore?: ReadonlyArray<Settings.SettingName> },
  program: (settings: Settings.Settings, environment: Variables) => Effect.Effect<void, E>
): Effect.Effect<void, E | Failure | Settings.SettingsError> =>
  Effect.gen(function* () {
    const environment = yield* variables
    const settings = yield* Settings.load({ ignore: options.ignore ?? [] }).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(environment))
    )
    yield* Effect.gen(function* () {
      for (const name of Settings.unknownNames(environment)) {
        yield* Effect.logWarning(`${name} is set, but there is no such setting. Is it misspelt?`)
      }
      yield* program(settings, environment)
    }).pipe(
      Effect.provide(
        Telemetry.layer(environment, version).pipe(Layer.provideMerge(logging(options.json, settings.log)))
      )
    )
  })
