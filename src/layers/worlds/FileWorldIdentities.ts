/**
 * The Claworld identity of each account on disk: `<root of the account>/claworld.json`, whole at any crash point and for
 * its owner alone, like the profile beside it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ProfileError } from "../../services/channel/ProfileStore.ts"
import { WorldIdentities, type WorldIdentity, WorldIdentityError } from "../../services/worlds/Identity.ts"
import * as AccountFolders from "../channel/AccountFolders.ts"
import * as profileFiles from "../channel/profileFiles.ts"

export interface Options {
  /** `.insta`, or where else the accounts are. */
  readonly root: string
  /** User id that must own the files. The process's own; `undefined` where the system has none. */
  readonly uid?: number | undefined
}

const fileName = "claworld.json"

const Stored = Schema.Struct({
  server_url: Schema.NonEmptyString,
  app_token: Schema.NonEmptyString,
  agent_id: Schema.NonEmptyString,
  agent_code: Schema.String,
  address: Schema.String,
  display_name: Schema.String
})
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Stored))

/** What cannot be used is told without its text: it may hold the token. */
const read = (text: string): Result.Result<WorldIdentity, string> =>
  Option.match(decode(text.replace(/^\uFEFF/, "")), {
    onNone: () =>
      Result.fail("it is not whole JSON of an identity in Claworld. Put the right one back, or move it away"),
    onSome: (stored) =>
      Result.succeed({
        serverUrl: stored.server_url,
        appToken: Redacted.make(stored.app_token, { label: "app_token" }),
        agentId: stored.agent_id,
        agentCode: stored.agent_code,
        address: stored.address,
        displayName: stored.display_name
      })
  })

const write = (identity: WorldIdentity): string =>
  `${JSON.stringify(
    {
      server_url: identity.serverUrl,
      app_token: Redacted.value(identity.appToken),
      agent_id: identity.agentId,
      agent_code: identity.agentCode,
      address: identity.address,
      display_name: identity.displayName
    } satisfies typeof Stored.Type,
    undefined,
    2
  )}\n`

const inWords =
  (path: string) =>
  (error: ProfileError): WorldIdentityError =>
    new WorldIdentityError({ path, detail: error.message })

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<WorldIdentities["Service"], never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const files = profileFiles.make(fs, options.uid ?? process.getuid?.())
  const folderOf = (accountId: string) => AccountFolders.rootOf(options.root, accountId)
  const pathOf = (accountId: string) => `${folderOf(accountId)}/${fileName}`
  return WorldIdentities.of({
    load: (accountId) => Effect.mapError(files.read(pathOf(accountId), read), inWords(pathOf(accountId))),
    save: (accountId, identity) => {
      const path = pathOf(accountId)
      return files
        .makeFolder(folderOf(accountId))
        .pipe(
          Effect.andThen(Effect.mapError(files.write(path, write(identity)), profileFiles.storageFailed(path))),
          Effect.mapError(inWords(path))
        )
    }
  })
})

export const layer = (options: Options): Layer.Layer<WorldIdentities, never, FileSystem.FileSystem> =>
  Layer.effect(WorldIdentities, make(options))
