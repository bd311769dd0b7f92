/** The platform's HTTP doors, answered. Becoming known is in ApiIdentity, one's own agents in ApiAgents, files in ApiFiles, `/v1` in Responses. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Activations } from "../../services/platform/Activations.ts"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import type { Identity } from "../../services/platform/Identities.ts"
import { NotFound } from "../../services/platform/PlatformError.ts"
import * as People from "../../services/platform/People.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import type * as Models from "../../services/protocol/ApiModels.ts"
import { Authorization, CurrentPerson, InstaClawApi, type Readable } from "../../services/protocol/InstaClawApi.ts"
import * as Files from "../../services/platform/Files.ts"
import * as ApiAgents from "./ApiAgents.ts"
import * as ApiFiles from "./ApiFiles.ts"
import * as ApiIdentity from "./ApiIdentity.ts"
import * as agentKeys from "./agentKeys.ts"
import { inWords, layerReadable } from "./apiRefusals.ts"
import * as Credential from "./Credential.ts"
import { Edge } from "./Edge.ts"
import * as Metrics from "./Metrics.ts"
import * as PersonFrames from "./PersonFrames.ts"
import { isWithKey } from "./requests.ts"
import * as secrets from "./secrets.ts"

const noAgent = inWords(Effect.fail(new NotFound({ what: "agent" })))
const keyMakesNoKeys = "A key makes no other keys. Sign in, and make it there."

const chat = HttpApiBuilder.group(
  InstaClawApi,
  "chat",
  Effect.fn(function* (handlers) {
    const broker = yield* Broker.Broker
    const identities = yield* Identities.Identities
    const people = yield* People.People
    const sessions = yield* Sessions.Sessions
    const uploads = yield* ApiFiles.makeUpload
    const edge = yield* Edge

    const toAgent = Effect.fnUntraced(function* (agent: Identity) {
      const presence = yield* broker.presence(agent.clawId)
      return {
        claw_id: agent.clawId,
        name: agent.name,
        description: agent.description,
        avatar: agent.avatar,
        online: presence._tag === "OnLine",
        since: presence.since ?? agent.lastSeenAt ?? null,
        scene_tags: agent.sceneTags,
        custom_tags: agent.customTags,
        hourly_rate: agent.hourlyRate
      } satisfies Models.Agent
    })

    return handlers.handleAll({
      me: () =>
        Effect.map(CurrentPerson, (person) =>
          answer({ user_id: person.userId, name: person.name, created_at: person.createdAt })
        ),
      ticket: Effect.fnUntraced(function* ({ request }) {
        const { userId } = yield* CurrentPerson
        const ticket = yield* inWords(people.issueTicket(userId))
        const shown = Credential.of(request.headers, undefined)
        if (shown !== undefined) edge.access.ticket(secrets.hash(Redacted.value(ticket)), shown)
        return answer({ ticket: Redacted.value(ticket), expires_in: 90 })
      }),
      listKeys: Effect.fnUntraced(function* () {
        const { userId } = yield* CurrentPerson
        const keys = yield* inWords(people.listKeys(userId))
        return answer({ items: keys.map(toKey) })
      }),
      createKey: Effect.fnUntraced(function* ({ payload, request }) {
        const { userId } = yield* CurrentPerson
        // Else a key that was lost could outlive its revocation in the keys that it made.
        if (isWithKey(request)) return yield* refuse[403](keyMakesNoKeys)
        const { key, secret } = yield* inWords(people.createKey(userId, payload.name))
        return answer({ ...toKey(key), key: Redacted.value(secret) }, "Keep the key: it is shown this once.")
      }),
      revokeKey: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        const { hash } = yield* inWords(people.revokeKey(userId, params.key_id))
        edge.access.end(hash)
        return answer({})
      }),
      agents: Effect.fnUntraced(function* ({ query }) {
        const page = yield* inWords(
          identities.list({ limit: query.limit ?? 50, after: query.after, standing: "public" })
        )
        const items = yield* Effect.forEach(page.items, toAgent)
        return answer(page.next === undefined ? { items } : { items, next: page.next })
      }),
      agent: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        const agent = yield* inWords(identities.find(params.claw_id))
        if (agent.standing === "pending" && agent.ownerId !== userId) return yield* noAgent
        return answer(yield* toAgent(agent))
      }),
      createSession: Effect.fnUntraced(function* ({ payload }) {
        const { userId } = yield* CurrentPerson
        const session = yield* inWords(sessions.create(userId, payload.claw_id))
        broker.sessionMade(session)
        broker.notify(userId, { _tag: "SessionChanged", session })
        return answer(PersonFrames.toSession(session))
      }),
      listSessions: Effect.fnUntraced(function* () {
        const { userId } = yield* CurrentPerson
        const own = yield* inWords(sessions.list(userId))
        return own.map(PersonFrames.toSession)
      }),
      messages: Effect.fnUntraced(function* ({ params, query }) {
        const { userId } = yield* CurrentPerson
        yield* inWords(sessions.find(userId, params.session_id))
        const page = yield* inWords(
          sessions.history(params.session_id, { limit: query.limit ?? 50, before: query.before })
        )
        return answer({
          items: page.items.map((exchange) => PersonFrames.toMessage(exchange, broker.peek(exchange.responseId)?.text)),
          next: page.next ?? null
        })
      }),
      renameSession: Effect.fnUntraced(function* ({ params, payload }) {
        const { userId } = yield* CurrentPerson
        const session = yield* inWords(sessions.rename(userId, params.session_id, payload.title))
        broker.notify(userId, { _tag: "SessionChanged", session })
        return answer(PersonFrames.toSession(session))
      }),
      removeSession: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        yield* inWords(broker.abandon(userId, params.session_id))
        yield* inWords(sessions.remove(userId, params.session_id))
        broker.notify(userId, { _tag: "SessionRemoved", userId, sessionId: params.session_id })
        return answer({})
      }),
      uploadFile: Effect.fnUntraced(function* ({ payload }) {
        const { userId } = yield* CurrentPerson
        return answer(yield* uploads(userId, payload))
      })
    })
  })
)

const toKey = (key: People.ApiKey) => ({
  key_id: key.keyId,
  name: key.name,
  hint: key.hint,
  created_at: key.createdAt,
  last_used_at: key.lastUsedAt ?? null
})

const operations = HttpApiBuilder.group(
  InstaClawApi,
  "operations",
  Effect.fn(function* (handlers) {
    const edge = yield* Edge
    const identities = yield* Identities.Identities
    const metrics = yield* Metrics.make
    return handlers.handleAll({
      healthz: () =>
        Effect.map(Clock.currentTimeMillis, (now) =>
          answer({ uptime_seconds: Math.floor((now - edge.startedAt) / 1000) })
        ),
      readyz: Effect.fnUntraced(function* () {
        if (edge.isStopping()) return yield* refuse[503]("The platform is stopping.")
        yield* inWords(identities.list({ limit: 1 }))
        return answer({})
      }),
      metrics
    })
  })
)

const authorization = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const people = yield* People.People
    return Authorization.of({
      bearer: (httpEffect, { credential }) =>
        Redacted.value(credential) === ""
          ? Effect.fail(refuse[401]("This needs a sign-in: send Authorization: Bearer with a token or a key."))
          : Effect.flatMap(inWords(people.authenticate(credential)), (person) =>
              Effect.provideService(httpEffect, CurrentPerson, person)
            )
    })
  })
)

/** All groups but `files` and `responses`, with the middlewares of the definition. */
export const layer: Layer.Layer<
  HttpApiGroup.Service<"instaclaw", "identity" | "agents" | "chat" | "operations"> | Authorization | Readable,
  never,
  Activations | Broker.Broker | Edge | Identities.Identities | People.People | Sessions.Sessions | Files.Files
> = Layer.mergeAll(ApiIdentity.layer, ApiAgents.layer, chat, operations).pipe(
  Layer.provide(agentKeys.layer),
  Layer.provideMerge(Layer.mergeAll(authorization, layerReadable))
)
