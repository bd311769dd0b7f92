/**
 * All tools of one account, for whoever acts for its operator at this machine: an MCP host, or the agent's own model when
 * the operator asks it for something. The line may be another program's.
 */
import { resolve } from "node:path"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as AccountTasks from "../../layers/channel/AccountTasks.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as FileTools from "../../layers/channel/FileTools.ts"
import * as HttpProfileApi from "../../layers/channel/HttpProfileApi.ts"
import * as LoopRegistrar from "../../layers/channel/LoopRegistrar.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as TaskHandlers from "../../layers/channel/TaskHandlers.ts"
import * as ToolHandlers from "../../layers/channel/ToolHandlers.ts"
import * as Workspace from "../../layers/channel/Workspace.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import { Registrar } from "../../services/channel/Registrar.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import * as Toolbox from "../../services/channel/Toolbox.ts"
import { Failure } from "../Failure.ts"
import * as taskAddresses from "./taskAddresses.ts"
import * as worldTools from "./worldTools.ts"

export interface Input extends taskAddresses.Input {
  readonly account: string
  readonly files: Option.Option<string>
}

const root = ".insta"

/** The tools of the task market, over the profile there is at the moment of each call. */
const marketOf = Effect.fnUntraced(function* (input: Input, settings: Settings, folder: string) {
  const { load } = yield* ProfileStore
  const given = Option.isNone(input.url) ? undefined : yield* taskAddresses.named(input.url.value)
  const desk = yield* AccountTasks.make({
    settings: given === undefined ? settings : PlatformAddress.derive(given),
    folder,
    line: Effect.gen(function* () {
      const profile = yield* load
      if (Option.isNone(profile)) return Option.none()
      const { taskApiBaseUrl } = yield* taskAddresses.of(input, profile.value, settings)
      return Option.some({ profile: profile.value, url: taskApiBaseUrl })
    }).pipe(Effect.catch(({ message }) => Effect.as(Effect.logWarning(message), Option.none())))
  })
  return yield* TaskHandlers.make({ desk })
})

/** All that an operator's host may be given: one line for each family of tools. */
const toolboxes = Effect.fnUntraced(function* (input: Input, settings: Settings, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const registrar = yield* Registrar
  const profiles = yield* ProfileStore
  const own = ToolHandlers.make({
    registrar,
    profiles,
    // The line is another program's (`connect`, `up`), and what it sees is not known here.
    connection: Effect.succeedNone,
    registersAtOnce: settings.selfRegistration === "allowed",
    tasks: yield* marketOf(input, settings, folder)
  })
  return [
    ToolHandlers.toolbox(own, ToolHandlers.names),
    FileTools.toolbox(Workspace.make(fs, folder), "named"),
    yield* worldTools.toolbox(root, input.account)
  ]
})

/** The box, and the folder of the account. The folder whose files the tools see is made where it is not there. */
export const open = Effect.fnUntraced(function* (input: Input, settings: Settings) {
  const folder = AccountFolders.rootOf(root, input.account)
  const profile = yield* Effect.flatMap(ProfileStore, ({ load }) => load).pipe(
    Effect.mapError(({ message }) => new Failure({ message }))
  )
  if (Option.isSome(profile)) yield* taskAddresses.of(input, profile.value, settings)
  const fs = yield* FileSystem.FileSystem
  const files = resolve(Option.getOrElse(input.files, () => `${folder}/desk`))
  yield* Effect.mapError(
    fs.makeDirectory(files, { recursive: true, mode: 0o700 }),
    () => new Failure({ message: `${files} cannot be made or is no folder. Name another with --files.` })
  )
  return { box: Toolbox.join(yield* toolboxes(input, settings, files)), folder }
})

/** With the profile and the registrar of the account. */
export const provided = Effect.fnUntraced(function* <A, E, R>(
  program: Effect.Effect<A, E, R | ProfileStore | Registrar | SecureRandom.SecureRandom>,
  input: Input,
  settings: Settings
) {
  const given = Option.isNone(input.url) ? undefined : yield* taskAddresses.named(input.url.value)
  const url = given === undefined ? settings.profileCreateUrl : PlatformAddress.derive(given).profileCreateUrl
  return yield* program.pipe(
    Effect.provide(
      LoopRegistrar.layer({
        propose: undefined,
        interval: settings.registrationInterval,
        cooldown: settings.registrationCooldown
      }).pipe(
        Layer.provideMerge(FileProfileStore.layer({ root: AccountFolders.rootOf(root, input.account) })),
        Layer.provide(HttpProfileApi.layer({ url }).pipe(Layer.provide(FetchHttpClient.layer))),
        Layer.provideMerge(SecureRandom.layerWebCrypto)
      )
    )
  )
})
