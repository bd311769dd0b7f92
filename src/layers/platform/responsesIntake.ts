/** What comes in at `/v1/responses`, over HTTP or a socket: who asks, what is asked, and its beginning. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { CreateResponse } from "../../services/protocol/ApiResponses.ts"
import * as OpenAiError from "./OpenAiError.ts"
import { bringsFile, partsOf } from "./responsesInput.ts"

const decode = Schema.decodeUnknownEffect(CreateResponse)
const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

export const make = Effect.gen(function* () {
  const broker = yield* Broker.Broker
  const identities = yield* Identities.Identities
  const people = yield* People.People
  const sessions = yield* Sessions.Sessions
  const random = yield* SecureRandom.SecureRandom

  /** Whose key came in the header `authorization`. */
  const personOf = Effect.fnUntraced(function* (authorization: string | undefined) {
    const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1]
    if (bearer === undefined)
      return yield* OpenAiError.unauthorized(
        "No key came with this request. Send Authorization: Bearer with a token or a key."
      )
    return yield* people.authenticate(Redacted.make(bearer)).pipe(
      Effect.catchTags({
        Unauthorized: (error) => Effect.fail(OpenAiError.unauthorized(error.message)),
        StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
      })
    )
  })

  const read = (body: unknown) =>
    decode(body).pipe(
      Effect.mapError((error) => {
        const issue = formatter(error.issue).issues[0]
        const param = issue?.path?.map((part) => String(typeof part === "object" ? part.key : part)).join(".")
        return OpenAiError.bad(
          `${param === undefined || param === "" ? "The body" : param} cannot be used: ${issue?.message.split(/, (?:actual|got) /, 1)[0] ?? "it has another shape"}.`,
          param ?? null
        )
      })
    )

  const made = (session: Sessions.Session) => Effect.sync(() => broker.sessionMade(session))

  /** The session that a request goes on in, or a new one. */
  const sessionOf = Effect.fnUntraced(function* (userId: string, body: CreateResponse) {
    const previous = body.previous_response_id ?? undefined
    if (previous !== undefined) {
      const exchange = yield* sessions.findExchange(previous).pipe(
        Effect.catchTag("NotFound", () => Effect.undefined),
        Effect.mapError(OpenAiError.unavailable)
      )
      if (exchange === undefined || exchange.userId !== userId) {
        return yield* OpenAiError.bad(
          "previous_response_id names no response of yours.",
          "previous_response_id",
          "previous_response_not_found"
        )
      }
      if (exchange.clawId !== body.model) {
        return yield* OpenAiError.bad("previous_response_id is a response of another agent.", "previous_response_id")
      }
      return exchange.sessionId
    }
    const named = body.metadata?.["session_id"]
    const session =
      named === undefined
        ? yield* sessions.create(userId, body.model).pipe(Effect.tap(made), Effect.mapError(OpenAiError.ofPlatform))
        : yield* sessions.find(userId, named).pipe(Effect.mapError(OpenAiError.ofPlatform))
    if (session.clawId !== body.model) {
      return yield* OpenAiError.bad("metadata.session_id is a session with another agent.", "metadata.session_id")
    }
    return session.sessionId
  })

  /** Was this message taken before? Then it is told what became of it, whether its agent is there or not (law once). */
  const isKnown = Effect.fnUntraced(function* (userId: string, body: CreateResponse) {
    const messageId = body.metadata?.["message_id"]
    const previous = body.previous_response_id ?? undefined
    if (messageId === undefined || (previous === undefined && body.metadata?.["session_id"] === undefined)) return false
    return yield* sessions.findByMessage(yield* sessionOf(userId, body), messageId).pipe(
      Effect.as(true),
      Effect.catchTag("NotFound", () => Effect.succeed(false)),
      Effect.mapError(OpenAiError.unavailable)
    )
  })

  /** Makes a message of the request. Unless it may wait (`background`), the agent must be on the line. */
  const start = Effect.fnUntraced(function* (userId: string, body: CreateResponse) {
    const agent = yield* identities.find(body.model).pipe(
      Effect.catchTags({
        NotFound: () => Effect.fail(OpenAiError.noModel(body.model)),
        StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
      })
    )
    if (bringsFile(body)) {
      return yield* OpenAiError.bad(
        "file_data is not taken here. Send the file with POST /api/files, and name it with file_id.",
        "input",
        "unsupported_parameter"
      )
    }
    const parts = partsOf(body)
    if (parts.length === 0) {
      return yield* OpenAiError.bad("input is empty: send a text, or items with content.", "input", "empty_input")
    }
    const isAway = body.background !== true && (yield* broker.presence(agent.clawId))._tag === "Away"
    if (isAway && !(yield* isKnown(userId, body))) return yield* OpenAiError.away
    const sessionId = yield* sessionOf(userId, body)
    const { exchange } = yield* broker
      .submit(
        {
          sessionId,
          userId,
          messageId: body.metadata?.["message_id"] ?? `msg_${yield* random.uuidV4()}`,
          previousResponseId: body.previous_response_id ?? undefined,
          parts,
          stream: true,
          metadata: body.metadata ?? {}
        },
        { awaited: body.background !== true }
      )
      .pipe(Effect.mapError(OpenAiError.ofPlatform))
    return exchange
  })

  return { personOf, read, start }
})
