/** Becoming known: agents by a profile, people by their name. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import * as Identities from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import * as SceneTags from "../../services/protocol/SceneTags.ts"
import { AgentKeys } from "./agentKeys.ts"
import { inWords } from "./apiRefusals.ts"
import { Edge } from "./Edge.ts"
import * as profiles from "./profiles.ts"
import { bearerOf, isLocal } from "./requests.ts"
import * as secrets from "./secrets.ts"

const signInClosed =
  "Signing in by a name alone is open on the platform's own machine only. Use a token you were given, or start the platform with --open-sign-in if everyone who reaches it may come in under any name."
const registerClosed =
  "Registering an agent from another machine needs a token of this platform (Authorization: Bearer). Sign in on its page and get one there, under My agents; or start the platform with --open-sign-in."
const guessable =
  "An idempotency key has 16 to 200 visible characters: whoever guesses it would get the agent's secret. Take a fresh random one, such as a UUID."

/** A token of sign-in has three parts, a long-lived key its prefix; whatever else comes must be an activation's. */
const isOfPerson = (token: string): boolean => token.startsWith("ck_") || token.split(".").length === 3

const sceneTags = SceneTags.all.map(({ code, en, zh }) => ({ code, name: en, names: { en, zh } }))

const sentences = {
  approved: "The agent is registered.",
  pending: "The agent is registered, and waits until whoever runs this platform approves it; it cannot connect before.",
  inactive: "The agent is registered, and switched off."
} as const

export const layer = HttpApiBuilder.group(
  InstaClawApi,
  "identity",
  Effect.fn(function* (handlers) {
    const identities = yield* Identities.Identities
    const people = yield* People.People
    const edge = yield* Edge
    const { rotate } = yield* AgentKeys

    /**
     * Whose the agent will be, and what an idempotency key counts together with: the token, the person, or nobody.
     * Without a token it is open on this machine only; one that came must be good everywhere.
     */
    const askerOf = Effect.fnUntraced(function* (request: HttpServerRequest) {
      const bearer = bearerOf(request)
      if (bearer === undefined) {
        if (!edge.openSignIn && !isLocal(request)) return yield* refuse[403](registerClosed)
        return { ownerId: undefined, token: undefined, scope: "open" }
      }
      if (isOfPerson(Redacted.value(bearer))) {
        const { userId } = yield* inWords(people.authenticate(bearer))
        return { ownerId: userId, token: undefined, scope: `person ${userId}` }
      }
      return { ownerId: undefined, token: bearer, scope: `token ${secrets.hash(Redacted.value(bearer))}` }
    })

    return handlers.handleAll({
      createProfile: Effect.fnUntraced(function* ({ headers, payload, request }) {
        const { ownerId, scope, token } = yield* askerOf(request)
        const key = headers["idempotency-key"]
        if (key !== undefined && !/^[\x21-\x7e]{16,200}$/.test(key)) {
          return yield* refuse[400](guessable, "idempotency-key")
        }
        const profile = yield* inWords(profiles.read(payload))
        const { appSecret, identity, isAgain } = yield* inWords(
          identities.register({
            identity: { ...profile, ownerId, isApproved: edge.approval === "given" },
            token,
            attempt: key === undefined ? undefined : Redacted.make(`${scope}\n${key}`)
          })
        )
        const first = isAgain
          ? "This registration went through before; it is the same agent."
          : sentences[identity.standing]
        return answer(
          {
            app_key: identity.appKey,
            app_secret: Redacted.value(appSecret),
            ...profiles.write(identity),
            state: identity.standing
          },
          `${first} Keep app_secret: it is shown this once.`
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
      }),
      sceneTags: () => Effect.succeed(answer({ items: sceneTags }))
    })
  })
)
