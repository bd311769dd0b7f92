/** Whether the model can be asked. Asks for the list of models, which costs nothing. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as PlatformAddress from "../../../layers/channel/PlatformAddress.ts"
import { modelOf, type Settings } from "../../../services/channel/Settings.ts"
import { bad, good, unknown } from "./Finding.ts"

const defaultBaseUrl = "https://api.openai.com/v1"

export const model = Effect.fnUntraced(function* (settings: Settings) {
  const client = yield* HttpClient.HttpClient
  const name = modelOf(settings)
  if (name === undefined) {
    return settings.openaiBaseUrl === undefined
      ? unknown("model", "None is set up: the offline agent answers. Set OPENAI_API_KEY for one.")
      : bad("model", "OPENAI_MODEL is not set, so no model is used. Set it to the name of the one that should answer.")
  }
  const base = new URL(`${(settings.openaiBaseUrl ?? defaultBaseUrl).replace(/\/*$/, "")}/`)
  const key = settings.openaiApiKey
  if (key !== undefined && !PlatformAddress.mayCarryKeys(base)) {
    return bad("model", `${base.origin} is not encrypted and not on this machine: no key is sent there. Use https://.`)
  }
  const bare = HttpClientRequest.get(new URL(`models/${encodeURIComponent(name)}`, base))
  const answer = yield* client.execute(key === undefined ? bare : HttpClientRequest.bearerToken(bare, key)).pipe(
    Effect.tap((response) => Effect.ignore(response.text)),
    Effect.timeout("10 seconds"),
    Effect.option
  )
  if (Option.isNone(answer)) {
    return bad("model", `Nobody answers at ${base.origin}. Look at OPENAI_BASE_URL and the network.`)
  }
  const status = answer.value.status
  if (status === 200) return good("model", `${name} at ${base.host}.`)
  if (status === 401 || status === 403)
    return bad("model", `${base.host} refused the key (${status}). Look at OPENAI_API_KEY.`)
  return status === 404 && settings.openaiBaseUrl === undefined
    ? bad("model", `${base.host} knows no model ${name}, or not for this key. Look at OPENAI_MODEL.`)
    : unknown("model", `${base.host} answers, but does not say whether it has ${name} (${status}).`)
})
