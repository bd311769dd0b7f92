/** A worker for every account of the process. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import { type Worker, Working } from "../../services/channel/Working.ts"
import * as perAccount from "./perAccount.ts"

export const make = <R>(
  accounts: Accounts["Service"],
  worker: (account: Account) => Effect.Effect<Worker, never, R | Scope.Scope>
): Effect.Effect<Working["Service"], never, R | Scope.Scope> =>
  Effect.map(perAccount.make(accounts, worker), ({ of }) => Working.of({ of }))
