/** What is asked of the platform of an account that does not run in this process. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Outreach from "../../layers/channel/Outreach.ts"
import * as PlatformLook from "../../layers/channel/PlatformLook.ts"
import type { Correspondent } from "../../services/protocol/Sayings.ts"
import { Failure } from "../Failure.ts"
import type { Account } from "./config.ts"
import { settingsOf } from "./settings.ts"

/** Never rejects: what is wrong is what it says. */
export const probe = (account: Account, timeoutMs: number): Promise<PlatformLook.Look> => {
  const { appKey, appSecret } = account
  return Effect.runPromise(
    settingsOf(account).pipe(
      Effect.flatMap(({ wsUrl }) =>
        PlatformLook.look({
          url: wsUrl,
          keys:
            appKey === undefined || appSecret === undefined
              ? undefined
              : { appKey, appSecret: Redacted.make(appSecret, { label: "app_secret" }) },
          timeoutMs
        })
      ),
      Effect.provide(NodeHttpClient.layerNodeHttp),
      Effect.catch((error) =>
        Effect.succeed<PlatformLook.Look>({
          ok: false,
          platform: "",
          elapsedMs: 0,
          keys: "none",
          error: error.message
        })
      )
    )
  )
}

/** Who has a conversation with this agent. Rejects with a sentence. */
export const people = ({ appKey = "", appSecret = "", ...account }: Account): Promise<ReadonlyArray<Correspondent>> =>
  Effect.runPromise(
    settingsOf({ ...account, appKey, appSecret }).pipe(
      Effect.flatMap(({ wsUrl }) =>
        Outreach.make({ url: wsUrl, appKey, appSecret: Redacted.make(appSecret, { label: "app_secret" }) })
      ),
      Effect.flatMap((outreach) => outreach.people),
      Effect.mapError(({ message }) => new Failure({ message })),
      Effect.provide(NodeHttpClient.layerNodeHttp)
    )
  )
