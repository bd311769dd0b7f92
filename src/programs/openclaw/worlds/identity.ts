/**
 * Who an account is in Claworld: the agent of the configured token, as the service says it, or one that registers from
 * here, once for each service, and is kept in the host's state folder.
 */
import { createHash } from "node:crypto"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as AccountFolders from "../../../layers/channel/AccountFolders.ts"
import * as activation from "../../../layers/worlds/activation.ts"
import * as FileWorldIdentities from "../../../layers/worlds/FileWorldIdentities.ts"
import * as HttpWorldApi from "../../../layers/worlds/HttpWorldApi.ts"
import type { WorldIdentity } from "../../../services/worlds/Identity.ts"
import type { WorldApiError } from "../../../services/worlds/WorldApi.ts"
import { Failure } from "../../Failure.ts"
import { version } from "../../version.ts"
import { type Account, channel } from "./config.ts"

export interface Options {
  readonly account: Account
  readonly serverUrl: URL
  /** The account's own folder. */
  readonly folder: string
  /** Why there is none yet, in a sentence. */
  readonly waits: (reason: string) => void
}

/** The agent that a token is of. */
export const self = Effect.fnUntraced(function* (serverUrl: URL, token: string) {
  const appToken = Redacted.make(token, { label: "app_token" })
  const api = yield* HttpWorldApi.make({ serverUrl, appToken, clientVersion: version, retries: 0 })
  const { address, agentCode, agentId, displayName } = yield* api.self
  return { serverUrl: serverUrl.href, appToken, agentId, agentCode, address, displayName } satisfies WorldIdentity
})

/** The service may come up later than this host does. */
const patience = Schedule.exponential("1 second").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(30)))),
  Schedule.jittered
)

const persisting = <A>(
  self: Effect.Effect<A, WorldApiError, HttpClient.HttpClient>,
  waits: Options["waits"]
): Effect.Effect<A, WorldApiError, HttpClient.HttpClient> =>
  self.pipe(
    Effect.tapError((error) => Effect.sync(() => waits(error.message))),
    Effect.retry({ schedule: patience, while: (error) => error.transient })
  )

const configured = Effect.fnUntraced(function* ({ account, serverUrl, waits }: Options, token: string) {
  const found = yield* persisting(self(serverUrl, token), waits).pipe(
    Effect.mapError(({ message, reason }) =>
      reason._tag === "Refused" && (reason.status === 401 || reason.status === 403)
        ? new Failure({
            message: `The service does not take the app token of the account ${account.accountId}. Renew it there and write the new one into channels.${channel}.appToken.`
          })
        : new Failure({ message })
    )
  )
  if (account.agentId === undefined || account.agentId === found.agentId) return found
  return yield* new Failure({
    message: `The app token of the account ${account.accountId} is of ${found.agentId}, and channels.${channel}.relay.agentId names ${account.agentId}. Correct one of the two.`
  })
})

/** Of its own for each service: whoever goes from one to another and back is still the same agent. */
const folderOf = ({ folder, serverUrl }: Options): string => {
  const { href } = HttpWorldApi.httpBase(serverUrl)
  return `${folder}/identities/${createHash("sha256").update(href).digest("hex").slice(0, 16)}`
}

const registered = Effect.fnUntraced(function* (options: Options, displayName: string) {
  const { account, serverUrl, waits } = options
  const identities = yield* FileWorldIdentities.make({ root: folderOf(options) })
  const kept = yield* identities.load(AccountFolders.defaultId)
  if (Option.isSome(kept)) return kept.value
  const made = yield* persisting(
    activation.activate({
      serverUrl,
      displayName,
      agentCode: account.registration.agentCode,
      personToken: account.apiKey === undefined ? undefined : Redacted.make(account.apiKey, { label: "api_key" })
    }),
    waits
  ).pipe(
    Effect.mapError(
      ({ message }) =>
        new Failure({ message: `The account ${account.accountId} could not register in Claworld: ${message}` })
    )
  )
  yield* identities.save(AccountFolders.defaultId, made)
  yield* Effect.logInfo(`Registered in Claworld as ${made.address}.`)
  return made
})

/** Waits for a service that is away; fails where a person has to do something. */
export const find = Effect.fnUntraced(function* (options: Options) {
  const { appToken, registration } = options.account
  if (appToken !== undefined) return yield* configured(options, appToken)
  if (registration.enabled && registration.displayName !== undefined) {
    return yield* registered(options, registration.displayName)
  }
  return yield* new Failure({ message: "There is neither an app token nor leave to register." })
})
