/** What agents say by themselves, and to whom they may: the two calls of the bot API. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { Broker } from "../../services/platform/Broker.ts"
import { Invalid } from "../../services/platform/PlatformError.ts"
import { Sessions } from "../../services/platform/Sessions.ts"
import { NoSuchThing } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import type { Correspondent, Said, Say } from "../../services/protocol/Sayings.ts"
import { inWords } from "./apiRefusals.ts"
import * as BotUploads from "./BotUploads.ts"
import * as secrets from "./secrets.ts"

/** Says which of the two names nothing, so that it is told from a platform that has no such call. */
const unknown = (param: keyof Say) => (error: { readonly message: string }) =>
  new NoSuchThing({ code: 40400, message: error.message, data: null, param })

export const make = Effect.gen(function* () {
  const broker = yield* Broker
  const sessions = yield* Sessions
  const random = yield* SecureRandom.SecureRandom

  const sessionOf = Effect.fnUntraced(function* (
    clawId: string,
    key: string | undefined,
    { session_id, user_id }: Say
  ) {
    if (session_id !== undefined && user_id === undefined) return session_id
    if (user_id === undefined || session_id !== undefined) {
      return yield* inWords(
        Effect.fail(
          new Invalid({
            detail: "Name the conversation in session_id, or the person in user_id: one of the two.",
            param: "session_id"
          })
        )
      )
    }
    const { sessionId } = yield* sessions.latestWith(clawId, user_id, key).pipe(
      Effect.catchTags({
        NotFound: (error) => Effect.fail(unknown("user_id")(error)),
        StoreError: (error) => inWords(Effect.fail(error))
      })
    )
    return sessionId
  })

  const say = Effect.fnUntraced(function* (clawId: string, key: string | undefined, payload: Say) {
    const attempt = yield* inWords(BotUploads.checkAttempt(key))
    const sessionId = yield* sessionOf(clawId, attempt, payload)
    const messageId = attempt ?? (yield* secrets.drawId(random, "said_"))
    const { exchange, fresh } = yield* broker.say({ clawId, sessionId, messageId, text: payload.text }).pipe(
      Effect.catchTags({
        NotFound: (error) => Effect.fail(unknown("session_id")(error)),
        Invalid: (error) => inWords(Effect.fail(error)),
        LimitReached: (error) => inWords(Effect.fail(error)),
        StoreError: (error) => inWords(Effect.fail(error))
      })
    )
    const said: Said = {
      message_id: exchange.messageId,
      response_id: exchange.responseId,
      session_id: exchange.sessionId,
      user_id: exchange.userId,
      created_at: exchange.createdAt
    }
    return answer(said, fresh ? "Said." : "Was said before under this key, and is not said again.")
  })

  const correspondents = Effect.fnUntraced(function* (clawId: string, limit = 100) {
    const found = yield* inWords(sessions.correspondents(clawId, limit))
    return answer({
      items: found.map(({ name, session, userId }): Correspondent => ({
        user_id: userId,
        name,
        session_id: session.sessionId,
        title: session.title,
        updated_at: session.updatedAt
      }))
    })
  })

  return { say, correspondents }
})
