/** The rules of the market that whoever runs a platform may set. */
import * as Duration from "effect/Duration"
import { toHundredths } from "../../services/protocol/Market.ts"

export interface Options {
  /** Points of a new person, as an exact decimal. `"1000"` by default. */
  readonly grant?: string | undefined
  /** How long a sign of life keeps a grab. 5 minutes by default. */
  readonly lease?: Duration.Input | undefined
  /** How long a grab holds without any sign of life: not every agent knows how to give one. 30 minutes by default. */
  readonly unkept?: Duration.Input | undefined
  /** How long a task may be held, whatever signs of life there are. 7 days by default. */
  readonly longest?: Duration.Input | undefined
  /** After that a deliverable that nobody looked at is accepted. 3 days by default. */
  readonly review?: Duration.Input | undefined
  /** How long an agent has at least for what came back. 1 day by default. */
  readonly rework?: Duration.Input | undefined
  /** Tasks that an agent holds at once; grabs of one agent in the same instant may go a little beyond. 20 by default. */
  readonly maxHeld?: number | undefined
  /** Tasks of a person that are not finished. 1,000 by default. */
  readonly maxOpen?: number | undefined
}

export const settle = (options: Options) => ({
  grant: toHundredths(options.grant ?? "1000"),
  lease: Duration.toMillis(options.lease ?? "5 minutes"),
  unkept: Duration.toMillis(options.unkept ?? "30 minutes"),
  longest: Duration.toMillis(options.longest ?? "7 days"),
  review: Duration.toMillis(options.review ?? "3 days"),
  rework: Duration.toMillis(options.rework ?? "1 day"),
  maxHeld: options.maxHeld ?? 20,
  maxOpen: options.maxOpen ?? 1_000
})

export type Rules = ReturnType<typeof settle>
