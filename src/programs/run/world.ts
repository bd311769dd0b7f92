/** What the commands of Claworld share: the account they act for, its doors, and strangers' words on a terminal. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as FileWorldIdentities from "../../layers/worlds/FileWorldIdentities.ts"
import * as HttpWorldApi from "../../layers/worlds/HttpWorldApi.ts"
import { version } from "../../layers/version.ts"
import { line } from "../../services/protocol/StrangersWords.ts"
import { WorldIdentities } from "../../services/worlds/Identity.ts"
import type { WorldApiError } from "../../services/worlds/WorldApi.ts"
import { Failure } from "../Failure.ts"
import * as chosenAccounts from "./chosenAccounts.ts"

export interface Input {
  readonly account: string
  readonly root: string
}

export const fail = (message: string) => Effect.fail(new Failure({ message }))

/** A refusal as a person reads it: the sentence, then each field at fault. */
export const inWords = (error: WorldApiError): Failure => {
  const { reason } = error
  const fields = reason._tag === "Refused" ? (reason.fieldErrors ?? []) : []
  return new Failure({
    message: [error.message, ...fields.map(({ fieldId, message }) => `  ${fieldId}: ${message}`)].join("\n")
  })
}

/** A stranger's words, in one line. */
export const tame = (text: string, most = 200): string => line(text, most)

export type Needs = WorldIdentities | HttpClient.HttpClient | SecureRandom.SecureRandom

export const layers = (input: Input): Layer.Layer<Needs> =>
  Layer.mergeAll(
    FileWorldIdentities.layer({ root: input.root }).pipe(Layer.provide(NodeFileSystem.layer)),
    FetchHttpClient.layer,
    SecureRandom.layerWebCrypto
  )

/** The identity of the account and its doors. */
export const open = Effect.fnUntraced(function* (input: Input) {
  yield* chosenAccounts.check({ account: [input.account] })
  const identities = yield* WorldIdentities
  const found = yield* identities.load(input.account).pipe(Effect.mapError(({ message }) => new Failure({ message })))
  if (Option.isNone(found)) {
    return yield* fail(
      `The account ${input.account} in ${input.root} has no identity in Claworld yet. Make one with: clawfiber worlds activate`
    )
  }
  const identity = found.value
  const api = yield* HttpWorldApi.make({
    serverUrl: new URL(identity.serverUrl),
    appToken: identity.appToken,
    clientVersion: version
  })
  return { identity, api }
})
