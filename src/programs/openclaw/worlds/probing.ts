/** What is asked of the service for `openclaw channels status --probe`. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { Failure } from "../../Failure.ts"
import type { Account } from "./config.ts"
import * as identity from "./identity.ts"
import type { Probe } from "./status.ts"

/** Never rejects: what is wrong is what it says. Without a token only whether there is one is known. */
export const probe = (account: Account, timeoutMs: number): Promise<Probe> => {
  const { appToken, serverUrl = "" } = account
  const began = Date.now()
  const since = () => Date.now() - began
  if (appToken === undefined) return Promise.resolve({ ok: true, elapsedMs: 0 })
  return Effect.runPromise(
    identity.self(new URL(serverUrl), appToken).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(new Failure({ message: "The service did not answer in time." }))
      }),
      Effect.match({
        onFailure: ({ message }): Probe => ({ ok: false, elapsedMs: since(), error: message }),
        onSuccess: ({ address }): Probe => ({ ok: true, elapsedMs: since(), address })
      }),
      Effect.provide(FetchHttpClient.layer)
    )
  )
}
