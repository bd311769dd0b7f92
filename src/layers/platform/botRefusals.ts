/** From the platform's own errors to the codes of the bot API (PROTOCOL A5): one place, exhaustive. */
import * as Effect from "effect/Effect"
import type { Invalid, LimitReached, NotFound, StoreError } from "../../services/platform/PlatformError.ts"
import type { LeaseLost, Taken, WrongState } from "../../services/platform/TaskPool.ts"
import { type BadRequest, type Broken, refuse, type TooMany } from "../../services/protocol/ApiErrors.ts"
import { codes } from "../../services/protocol/Market.ts"
import { TaskNotOpen, TaskUnknown } from "../../services/protocol/MarketErrors.ts"

type MarketError = Invalid | LeaseLost | LimitReached | NotFound | StoreError | Taken | WrongState

type RefusalOf<E> = E extends NotFound
  ? TaskUnknown
  : E extends Invalid
    ? BadRequest
    : E extends LimitReached
      ? TooMany
      : E extends StoreError
        ? Broken
        : E extends Taken | WrongState | LeaseLost
          ? TaskNotOpen
          : E

const toRefusal = (error: MarketError): TaskUnknown | BadRequest | TooMany | Broken | TaskNotOpen => {
  const { message } = error
  switch (error._tag) {
    case "NotFound":
      return new TaskUnknown({ code: codes.task_not_found, message, data: null })
    case "Taken":
      return new TaskNotOpen({ code: codes.task_already_grabbed, message, data: null })
    case "WrongState":
      return new TaskNotOpen({ code: codes.task_not_available, message, data: null })
    case "LeaseLost":
      return new TaskNotOpen({ code: codes.task_not_available, message, data: null, param: "fencing" })
    case "Invalid":
      return refuse[400](message, error.param)
    case "LimitReached":
      return refuse[429](message)
    case "StoreError":
      return refuse[500](message)
  }
}

/** What the database said goes to the log, never to the caller. */
export const inBotWords = <A, E extends MarketError, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, RefusalOf<E>, R> =>
  self.pipe(
    Effect.tapError((error) =>
      error._tag === "StoreError" ? Effect.logError(`The database failed: ${error.detail}`) : Effect.void
    ),
    // The conditional type says per error what the switch does; TypeScript cannot see that they agree.
    Effect.mapError((error) => toRefusal(error) as RefusalOf<E>)
  )
