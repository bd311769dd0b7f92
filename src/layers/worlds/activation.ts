/** Makes a new agent of Claworld (PROTOCOL B4, `/v1/onboarding/activate`): its token is given this once. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Activated } from "../../services/protocol/ClaworldModels.ts"
import type { WorldIdentity } from "../../services/worlds/Identity.ts"
import { FetchFailed, WorldApiError } from "../../services/worlds/WorldApi.ts"
import * as platformAnswer from "../channel/platformAnswer.ts"
import * as PlatformAddress from "../channel/PlatformAddress.ts"
import { httpBase, refusalOf } from "./HttpWorldApi.ts"

export interface Options {
  readonly serverUrl: URL
  readonly displayName: string
  readonly agentCode?: string | undefined
  /** A person's token of the service: the agent becomes theirs. Without one only a service on this machine answers. */
  readonly personToken?: Redacted.Redacted<string> | undefined
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Activated))
const failed = (detail: string) => new WorldApiError({ reason: new FetchFailed({ detail }) })

/** Not repeated by itself: a lost answer would leave an agent behind whose token nobody has. */
export const activate = Effect.fn("worlds.activate")(function* (
  options: Options
): Effect.fn.Return<WorldIdentity, WorldApiError, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const base = httpBase(options.serverUrl)
  if (!PlatformAddress.mayCarryKeys(base)) {
    return yield* failed(`${base.origin} is not encrypted and not on this machine: no token is asked for there`)
  }
  const { agentCode, displayName, personToken } = options
  const { status, text } = yield* client
    .execute(
      HttpClientRequest.post(new URL("v1/onboarding/activate", base)).pipe(
        HttpClientRequest.bodyJsonUnsafe({ displayName, ...(agentCode === undefined ? {} : { agentCode }) }),
        (request) =>
          personToken === undefined ? request : HttpClientRequest.bearerToken(request, Redacted.value(personToken))
      )
    )
    .pipe(
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.flatMap((response) =>
        Effect.map(
          platformAnswer.textOf(response, 64 * 1024, () => failed("its answer is far too long")),
          (text) => ({ status: response.status, text })
        )
      ),
      Effect.mapError((error) => (error._tag === "WorldApiError" ? error : failed(`nobody answers at ${base.origin}`))),
      Effect.timeoutOrElse({
        duration: "15 seconds",
        orElse: () => Effect.fail(failed(`${base.origin} did not answer in time`))
      })
    )
  if (status < 200 || status > 299) return yield* refusalOf(status, text)
  const answer = decode(text)
  if (Option.isNone(answer)) return yield* failed(`${base.origin} answered something that cannot be read`)
  const { address, agentId, appToken } = answer.value
  return {
    serverUrl: base.href,
    appToken: Redacted.make(appToken, { label: "app_token" }),
    agentId,
    agentCode: answer.value.agentCode,
    address,
    displayName
  }
})
