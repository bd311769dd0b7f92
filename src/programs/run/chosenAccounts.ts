/** Which accounts a command is about: those that --account names, or all there are. */
import * as Effect from "effect/Effect"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import { Failure } from "../Failure.ts"

export interface Input {
  /** Empty: all. */
  readonly account: ReadonlyArray<string>
}

export const check = ({ account }: Input): Effect.Effect<void, Failure> => {
  const wrong = account.find((id) => !AccountFolders.isId(id))
  return wrong === undefined
    ? Effect.void
    : Effect.fail(
        new Failure({
          message: `${JSON.stringify(wrong.slice(0, 100))} cannot be the name of an account. Take letters, digits, dots, dashes and underscores, and begin with a letter or a digit.`
        })
      )
}

/** At this moment. */
export const idsOf = (input: Input, root: string) =>
  input.account.length > 0 ? Effect.succeed([...new Set(input.account)]) : AccountFolders.find(root)
