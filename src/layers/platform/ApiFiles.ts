/** Files of messages: taken as multipart, streamed to disk; given to the person and to the agent of the session. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Multipart from "effect/http/Multipart"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Files from "../../services/platform/Files.ts"
import type { FileMeta } from "../../services/platform/Files.ts"
import * as Identities from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import type { Invalid, LimitReached, NotFound, StoreError } from "../../services/platform/PlatformError.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import type * as ApiErrors from "../../services/protocol/ApiErrors.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { InstaClawApi, type Readable } from "../../services/protocol/InstaClawApi.ts"
import { inWords } from "./apiRefusals.ts"
import * as Credential from "./Credential.ts"
import * as fileAnswer from "./fileAnswer.ts"

const toStored = (meta: FileMeta) =>
  ({
    file_id: meta.fileId,
    filename: meta.filename,
    media_type: meta.mediaType,
    size: meta.size,
    sha256: meta.sha256,
    url: `/files/${meta.fileId}`
  }) as const

const noFile = refuse[400]("The field file is missing: send one file in it, as multipart/form-data.", "file")

export const ofMultipart = (error: Multipart.MultipartError) => {
  switch (error.reason._tag) {
    case "FileTooLarge":
    case "BodyTooLarge":
    case "FieldTooLarge":
    case "TooManyParts":
      return refuse[413]("This upload is larger than the platform takes. Send a smaller file.")
    case "Parse":
    case "InternalError":
      return refuse[400]("This upload cannot be read. Send it again as multipart/form-data.", "file")
  }
}

const ofStore = (
  error: Invalid | LimitReached | StoreError | Multipart.MultipartError
): Effect.Effect<never, ApiErrors.BadRequest | ApiErrors.TooLarge | ApiErrors.NotNow> => {
  switch (error._tag) {
    case "Invalid":
      return Effect.fail(refuse[400](error.message, error.param))
    case "LimitReached":
      return Effect.fail(refuse[413](error.message))
    case "StoreError":
      return Effect.andThen(Effect.logError(error.detail), Effect.fail(refuse[503](error.message)))
    case "MultipartError":
      return Effect.fail(ofMultipart(error))
  }
}

/** Takes the first file of the field `file`; whatever else comes is not read. */
export const makeUpload = Effect.map(
  Files.Files,
  (files) => (userId: string, parts: Stream.Stream<Multipart.Part, Multipart.MultipartError>) =>
    parts.pipe(
      Stream.filter((part): part is Multipart.File => Multipart.isFile(part) && part.key === "file"),
      Stream.take(1),
      Stream.mapEffect((part) =>
        files.store({ userId, filename: part.name, mediaType: part.contentType }, part.content)
      ),
      Stream.runHead,
      Effect.catch(ofStore),
      Effect.flatMap(
        Option.match({
          onNone: () => Effect.fail(noFile),
          onSome: (meta) => Effect.succeed(toStored(meta))
        })
      )
    )
)

const needsKeys = refuse[401](
  "This file is for the people and the agent of its session. Send Authorization: Bearer, or x-app-key and x-app-secret."
)

export const layer: Layer.Layer<
  HttpApiGroup.Service<"instaclaw", "files">,
  never,
  Files.Files | Identities.Identities | People.People | Sessions.Sessions | Readable
> = HttpApiBuilder.group(
  InstaClawApi,
  "files",
  Effect.fn(function* (handlers) {
    const files = yield* Files.Files
    const identities = yield* Identities.Identities
    const people = yield* People.People
    const sessions = yield* Sessions.Sessions

    /**
     * Who asks, and whether they may read a file. Known before the file is looked up: unknown, foreign and forbidden
     * look alike, and whoever is nobody learns nothing at all.
     */
    const readerOf = Effect.fnUntraced(function* (request: HttpServerRequest) {
      const among = (session: Effect.Effect<unknown, NotFound | StoreError>) =>
        session.pipe(
          Effect.as(true),
          Effect.catchTag("NotFound", () => Effect.succeed(false))
        )
      const appKey = request.headers["x-app-key"]
      if (appKey !== undefined) {
        const secret = Redacted.make(request.headers["x-app-secret"] ?? "")
        const agent = yield* identities.authenticate(appKey, secret)
        return ({ sessionId }: FileMeta) =>
          sessionId === undefined ? Effect.succeed(false) : among(sessions.findForAgent(agent.clawId, sessionId))
      }
      const bearer = Credential.bearerOf(request.headers["authorization"])
      if (bearer === undefined) return yield* needsKeys
      const person = yield* people.authenticate(Redacted.make(bearer))
      return ({ sessionId, userId }: FileMeta) =>
        person.userId === userId
          ? Effect.succeed(true)
          : sessionId === undefined
            ? Effect.succeed(false)
            : among(sessions.find(person.userId, sessionId))
    })

    return handlers.handleAll({
      download: Effect.fnUntraced(function* ({ params, request }) {
        const missing = refuse[404]("There is no such file, or it is not yours.")
        const mayRead = yield* readerOf(request).pipe(
          Effect.catchTags({
            NotAdmitted: (error) => inWords(Effect.fail(error)),
            Unauthorized: (error) => inWords(Effect.fail(error)),
            StoreError: (error) => inWords(Effect.fail(error))
          })
        )
        const meta = yield* files.find(params.file_id).pipe(
          Effect.catchTags({
            NotFound: () => Effect.fail(missing),
            StoreError: (error) => inWords(Effect.fail(error))
          })
        )
        if (!(yield* inWords(mayRead(meta)))) return yield* missing
        return fileAnswer.of(meta, files.read(meta.fileId))
      })
    })
  })
)
