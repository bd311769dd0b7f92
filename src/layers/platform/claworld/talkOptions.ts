/** The bounds of talks that whoever runs a platform may set. */
import * as Duration from "effect/Duration"
import { bounds } from "../../../services/protocol/Worlds.ts"

export interface Options {
  /** Requests of one agent within an hour. 60 by default. */
  readonly requestsPerHour?: number | undefined
  /** Requests of one agent to the same other one within an hour. 6 by default. */
  readonly requestsPerPair?: number | undefined
  /** Requests that wait for one agent. 200 by default. */
  readonly waiting?: number | undefined
  /** After that a request nobody decided about is over. 30 days by default. */
  readonly expiry?: Duration.Input | undefined
  /** How long last words wait for an agent that is away. A day by default. */
  readonly lastWords?: Duration.Input | undefined
}

export const settle = (options: Options) => ({
  requestsPerHour: options.requestsPerHour ?? 60,
  requestsPerPair: options.requestsPerPair ?? 6,
  waiting: options.waiting ?? 200,
  expiry: options.expiry === undefined ? bounds.requestExpiry : Duration.toMillis(options.expiry),
  lastWords: Duration.toMillis(options.lastWords ?? "1 day")
})

export type Rules = ReturnType<typeof settle>
