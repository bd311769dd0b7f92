/** What the commands share that work on what a platform keeps: where it is, how far they are, and their words. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import * as ArchiveClient from "../../layers/platform/archive/ArchiveClient.ts"
import type { ArchiveError } from "../../layers/platform/archive/Archive.ts"
import type { DatabaseError } from "../../layers/sql/DatabaseError.ts"
import * as Stores from "../../layers/platform/Stores.ts"
import { StoreError } from "../../services/platform/PlatformError.ts"
import * as Settings from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import type { Failure } from "../Failure.ts"
import { withSettings } from "../Environment.ts"
import * as serve from "./serve.ts"

export interface Input {
  readonly data: string
}

/** Where what is kept is. */
export interface Place {
  readonly folder: string
  readonly filesFolder: string
  /** What its operator calls it. */
  readonly name: string
  /** What `up` keeps beside the platform that must fit to it: the key of its agent. */
  readonly extras: ReadonlyArray<string>
}

/** One line on a terminal that tells how far it is, written over itself; nothing where nobody looks on. */
export const progress = (json: boolean) => {
  let written = 0
  let last = ""
  const shown = !json && process.stderr.isTTY
  const show = (line: string) => {
    process.stderr.write(`\r${line.padEnd(written)}`)
    written = line.length
  }
  return {
    tell: (step: string, done: number) => {
      // Not more than one line in a thousand rows: a terminal is slower than a disk.
      if (!shown || (step === last && done % 1_000 !== 0)) return
      last = step
      show(`${step}${done > 0 ? ` ${done}` : ""} …`)
    },
    clear: Effect.sync(() => {
      if (shown && written > 0) process.stderr.write(`\r${" ".repeat(written)}\r`)
    })
  }
}

/** Runs a program over the database that the settings name. `alone`: no platform may use the folder meanwhile. */
export const over = <E>(
  input: Input & Common,
  options: { readonly access: ArchiveClient.Options["access"]; readonly alone?: boolean },
  program: (
    place: Place
  ) => Effect.Effect<void, E, SqlClient.SqlClient | FileSystem.FileSystem | Path.Path | Scope.Scope>
): Effect.Effect<void, E | Failure | ArchiveError | DatabaseError | Settings.SettingsError> =>
  withSettings({ json: input.json, ignore: Settings.allBut("log", "databaseUrl", "databaseConnections") }, (settings) =>
    Effect.gen(function* () {
      if (options.alone === true) yield* serve.dataFolder(input.data)
      const path = yield* Path.Path
      const client = { folder: input.data, postgres: serve.database(settings) }
      const place: Place = {
        folder: input.data,
        filesFolder: Stores.filesOf(path, input.data),
        name: yield* ArchiveClient.nameOf(client),
        extras: ["agent/.insta/config/profile.json"]
      }
      // A `StoreError` speaks to users of a platform; here its operator reads.
      const told = program(place).pipe(
        Effect.mapError((error) => (error instanceof StoreError ? serve.failureOf(error) : error))
      )
      yield* Effect.provide(told, ArchiveClient.layer({ ...client, access: options.access }))
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)))
  )

export const sizeOf = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 / 102.4) / 10} MiB`

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
