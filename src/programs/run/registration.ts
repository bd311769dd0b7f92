/** Getting an identity from a platform, for the programs that need one. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as HttpRegistrar from "../../layers/channel/HttpRegistrar.ts"
import { type Proposal, Registrar } from "../../services/channel/Registrar.ts"

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

export const register = (url: URL, wanted: Proposal) =>
  Effect.flatMap(Registrar, (registrar) => registrar.register(wanted)).pipe(
    Effect.provide(HttpRegistrar.layer({ url }).pipe(Layer.provide(FetchHttpClient.layer)))
  )
