/**
 * An account in Claworld: its identity, the service that gave it, its token. None fails. The socket is left alone: a
 * second connection would take the line from whoever is on it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as HttpWorldApi from "../../../layers/worlds/HttpWorldApi.ts"
import * as PlatformAddress from "../../../layers/channel/PlatformAddress.ts"
import { version } from "../../../layers/version.ts"
import { WorldIdentities, type WorldIdentity } from "../../../services/worlds/Identity.ts"
import type { WorldApiError } from "../../../services/worlds/WorldApi.ts"
import { bad, type Finding, good, unknown } from "./Finding.ts"

const notTried = (why: string): Finding => unknown("token", `Not tried: ${why}.`)

const refused = (base: URL, { message, reason }: WorldApiError): ReadonlyArray<Finding> => {
  if (reason._tag === "FetchFailed") {
    return [
      bad("claworld", `${message}. Is the service running, is the address right, is the network there?`),
      notTried("the service gave no answer")
    ]
  }
  const reached = good("claworld", `${base.origin} answers.`)
  return reason.status === 401 || reason.status === 403
    ? [
        reached,
        bad(
          "token",
          `The service does not take the app token (${reason.status}). Renew it there (Worlds, My agents) and write the new one into claworld.json; or move that file away and run: clawfiber worlds activate`
        )
      ]
    : [reached, unknown("token", `The service answers, but does not say whether it takes the token: ${message}`)]
}

const asked = Effect.fnUntraced(function* ({ agentId, appToken, serverUrl }: WorldIdentity) {
  const url = PlatformAddress.parse(serverUrl)
  if (url === undefined) {
    return [
      bad("claworld", `server_url in claworld.json is no address of a service. Put the right one there.`),
      notTried("there is no address")
    ]
  }
  const base = HttpWorldApi.httpBase(url)
  if (!PlatformAddress.mayCarryKeys(base)) {
    const why = `${base.origin} is not encrypted and not on this machine`
    return [bad("claworld", `${why}: no token is sent there. Use https://.`), notTried(why)]
  }
  const api = yield* HttpWorldApi.make({
    serverUrl: url,
    appToken,
    clientVersion: version,
    timeout: "10 seconds",
    retries: 0
  })
  return yield* Effect.match(api.self, {
    onFailure: (error) => refused(base, error),
    onSuccess: (self): ReadonlyArray<Finding> => [
      good(
        "claworld",
        `${self.displayName} is ${self.address} at ${base.host}, ${self.online ? "online" : "offline"}.`
      ),
      self.agentId === agentId
        ? good("token", "The app token is taken.")
        : bad(
            "token",
            `The app token is of ${self.agentId}, but claworld.json says ${agentId}. Put the right one there.`
          )
    ]
  })
})

export const all = Effect.fnUntraced(function* (accountId: string) {
  const identities = yield* WorldIdentities
  const found = yield* Effect.result(identities.load(accountId))
  if (found._tag === "Failure") return [bad("claworld", found.failure.message), notTried("there is no token to try")]
  return Option.isNone(found.success)
    ? [
        unknown(
          "claworld",
          "No identity there; nothing but Claworld needs one. Make one with: clawfiber worlds activate"
        )
      ]
    : yield* asked(found.success.value)
})
