/** The words of the task market that both sides share (PROTOCOL A5), and their schemas. Pure. */
import * as Schema from "effect/Schema"
import { amount } from "./MarketWords.ts"

export * from "./MarketWords.ts"

/** Points, as an exact decimal of at most two places: `"12.5"`, `"100"`. Never a float. */
export const Amount = Schema.String.check(Schema.isPattern(amount))
