/** Getting an identity from a platform, for the programs that need one. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as HttpProfileApi from "../../layers/channel/HttpProfileApi.ts"
import { ProfileApi } from "../../services/channel/ProfileApi.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Proposal } from "../../services/protocol/ProfileFields.ts"

/** What an agent says of itself when nobody wrote more. */
export const proposal = (name: string, description: string): Proposal => ({
  name,
  description,
  avatar: "",
  scene_tags: [],
  custom_tags: [],
  hourly_rate: 0,
  instance_type: 0
})

export const register = Effect.fnUntraced(function* (url: URL, wanted: Proposal) {
  const store = yield* ProfileStore
  const token = yield* store.activationToken
  const profile = yield* Effect.gen(function* () {
    const api = yield* ProfileApi
    const random = yield* SecureRandom.SecureRandom
    const attempt = yield* random.uuidV4()
    return yield* api.create({ proposal: wanted, token, attempt })
  }).pipe(
    Effect.provide([
      HttpProfileApi.layer({ url }).pipe(Layer.provide(FetchHttpClient.layer)),
      SecureRandom.layerWebCrypto
    ])
  )
  yield* store.save(profile)
  yield* store.clearActivationToken
  return profile
})
