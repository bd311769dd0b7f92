/** The platform's HTTP doors, answered: identity, chat, operations. Files are in ApiFiles, `/v1` in Responses. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import type { Identity } from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import type * as Models from "../../services/protocol/ApiModels.ts"
import { Authorization, CurrentPerson, InstaClawApi, type Readable } from "../../services/protocol/InstaClawApi.ts"
import * as Files from "../../services/platform/Files.ts"
import * as ApiFiles from "./ApiFiles.ts"
import * as agentKeys from "./agentKeys.ts"
import { inWords, layerReadable } from "./apiRefusals.ts"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as Credential from "./Credential.ts"
import { Edge } from "./Edge.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
import * as Metrics from "./Metrics.ts"
import * as PersonFrames from "./PersonFrames.ts"
import * as secrets from "./secrets.ts"

/** A request of this very machine that no proxy passed on. */
const isLocal = (request: HttpServerRequest): boolean => {
  const address = Option.getOrUndefined(request.remoteAddress)?.replace(/^::ffff:/, "")
  const host = HttpGuards.hostname(request.headers["host"] ?? "")
  return (
    address !== undefined &&
    HttpGuards.isLoopback(address) &&
    host !== undefined &&
    HttpGuards.isLoopback(host) &&
    !ClientAddress.wasForwarded(request.headers)
  )
}

const signInClosed =
  "Signing in by a name alone is open on the platform's own machine only. Use a token you were given, or start the platform with --open-sign-in if everyone who reaches it may come in under any name."
const keyMakesNoKeys = "A key makes no other keys. Sign in, and make it there."
const registerClosed =
  "Registering an agent from another machine needs a token of this platform (Authorization: Bearer). Sign in on the platform's machine and use that token, or start the platform with --open-sign-in."

const bearerOf = (request: HttpServerRequest): Redacted.Redacted<string> | undefined => {
  const token = Credential.bearerOf(request.headers["authorization"])
  return token === undefined ? undefined : Redacted.make(token)
}

const wholeNumber = (value: number | string | undefined): number => {
  const number = typeof value === "string" ? Number(value) : (value ?? 0)
  return Number.isSafeInteger(number) ? number : 0
}

const identity = HttpApiBuilder.group(
  InstaClawApi,
  "identity",
  Effect.fn(function* (handlers) {
    const identities = yield* Identities.Identities
    const people = yield* People.People
    const edge = yield* Edge

    const { rotate } = yield* agentKeys.make

    /** Open on this machine; elsewhere a token says whose agent it will be. */
    const ownerOf = Effect.fnUntraced(function* (request: HttpServerRequest) {
      const bearer = bearerOf(request)
      const open = edge.openSignIn || isLocal(request)
      if (bearer === undefined) return open ? undefined : yield* refuse[403](registerClosed)
      const owner = people.authenticate(bearer).pipe(Effect.map((person) => person.userId))
      // A session token left over from another platform must not stop a registration that needs none.
      return yield* open
        ? owner.pipe(
            Effect.catchTag("Unauthorized", () => Effect.undefined),
            inWords
          )
        : inWords(owner)
    })

    return handlers.handleAll({
      createProfile: Effect.fnUntraced(function* ({ payload, request }) {
        const ownerId = yield* ownerOf(request)
        const { appSecret, identity: created } = yield* inWords(
          identities.create({
            ownerId,
            name: payload.name,
            description: payload.description ?? "",
            avatar: payload.avatar ?? "",
            hourlyRate: payload.hourly_rate ?? 0,
            sceneTags: payload.scene_tags ?? [],
            customTags: payload.custom_tags ?? [],
            instanceType: wholeNumber(payload.instance_type),
            dialect: payload.dialect
          })
        )
        return answer(
          {
            app_key: created.appKey,
            app_secret: Redacted.value(appSecret),
            claw_id: created.clawId,
            name: created.name,
            description: created.description,
            avatar: created.avatar,
            hourly_rate: created.hourlyRate,
            scene_tags: created.sceneTags,
            custom_tags: created.customTags,
            instance_type: created.instanceType
          },
          "The agent is registered. Keep app_secret: it is shown this once."
        )
      }),
      rotateProfile: Effect.fnUntraced(function* ({ headers, payload }) {
        const keys = Redacted.make(headers["x-app-secret"])
        const agent = yield* inWords(identities.authenticate(headers["x-app-key"], keys))
        return yield* rotate(agent.clawId, payload.grace_seconds ?? 0)
      }),
      signIn: Effect.fnUntraced(function* ({ payload, request }) {
        if (!edge.openSignIn && !isLocal(request)) return yield* refuse[403](signInClosed)
        const { person, token } = yield* inWords(people.signIn(payload.name))
        return answer({ token: Redacted.value(token), user_id: person.userId, name: person.name })
      })
    })
  })
)

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
    const { owned, revoke, rotate } = yield* agentKeys.make

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
        if (/^bearer ck_/i.test(request.headers["authorization"] ?? "")) return yield* refuse[403](keyMakesNoKeys)
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
        const page = yield* inWords(identities.list({ limit: query.limit ?? 50, after: query.after }))
        const items = yield* Effect.forEach(page.items, toAgent)
        return answer(page.next === undefined ? { items } : { items, next: page.next })
      }),
      agent: Effect.fnUntraced(function* ({ params }) {
        const agent = yield* inWords(identities.find(params.claw_id))
        return answer(yield* toAgent(agent))
      }),
      rotateAgent: Effect.fnUntraced(function* ({ params, payload, request }) {
        yield* owned(params.claw_id, yield* CurrentPerson, isLocal(request))
        return yield* rotate(params.claw_id, payload.grace_seconds ?? 0)
      }),
      revokeAgent: Effect.fnUntraced(function* ({ params, request }) {
        yield* owned(params.claw_id, yield* CurrentPerson, isLocal(request))
        yield* revoke(params.claw_id)
        return answer({})
      }),
      createSession: Effect.fnUntraced(function* ({ payload }) {
        const { userId } = yield* CurrentPerson
        const session = yield* inWords(sessions.create(userId, payload.claw_id))
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
  HttpApiGroup.Service<"instaclaw", "identity" | "chat" | "operations"> | Authorization | Readable,
  never,
  Broker.Broker | Edge | Identities.Identities | People.People | Sessions.Sessions | Files.Files
> = Layer.mergeAll(identity, chat, operations).pipe(Layer.provideMerge(Layer.mergeAll(authorization, layerReadable)))
