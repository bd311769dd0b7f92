/** The nine tools of Claworld for a program without accounts of its own: over the identities that lie in a folder. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as FileWorldIdentities from "../../layers/worlds/FileWorldIdentities.ts"
import * as HttpWorldApi from "../../layers/worlds/HttpWorldApi.ts"
import * as WorldHandlers from "../../layers/worlds/WorldHandlers.ts"
import { version } from "../../layers/version.ts"
import type { WorldIdentity } from "../../services/worlds/Identity.ts"
import * as worldly from "./worldly.ts"

/** @param account The one that a call means which names none. */
export const toolbox = Effect.fnUntraced(
  function* (root: string, account: string) {
    const fs = yield* FileSystem.FileSystem
    const client = yield* HttpClient.HttpClient
    const identities = yield* FileWorldIdentities.make({ root })

    const boundOf = ({ address, agentCode, agentId, appToken, displayName, serverUrl }: WorldIdentity) =>
      HttpWorldApi.make({ serverUrl: new URL(serverUrl), appToken, clientVersion: version }).pipe(
        Effect.provideService(HttpClient.HttpClient, client),
        Effect.map((api) => ({
          api,
          source: "configured_app_token" as const,
          address,
          agentCode,
          agentId,
          displayName
        }))
      )

    /** Looked for at each call: an identity may be made, or renewed, while an MCP host runs. */
    const deskOf = (accountId: string): WorldHandlers.Desk => ({
      accountId,
      bound: Effect.gen(function* () {
        const identity = yield* identities.load(accountId).pipe(Effect.catch(() => Effect.succeedNone))
        return Option.isNone(identity) ? Option.none() : Option.some(yield* boundOf(identity.value))
      }),
      unbound: Effect.match(identities.load(accountId), {
        onFailure: ({ message }) => ({ isPending: false, reason: message }),
        onSuccess: () => ({ isPending: false, reason: worldly.noIdentity(accountId) })
      })
    })

    return yield* WorldHandlers.make({
      version,
      defaultAccount: Effect.succeed(account),
      accounts: AccountFolders.find(root).pipe(
        Effect.map((found) => [...new Set([...found, account])].map(deskOf)),
        Effect.provideService(FileSystem.FileSystem, fs)
      )
    })
  },
  (self) => Effect.provide(self, [SecureRandom.layerWebCrypto, FetchHttpClient.layer])
)
