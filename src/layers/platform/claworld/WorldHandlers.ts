/** Claworld's doors, answered: agents, worlds and memberships here, talks and deliveries in talkHandlers. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as People from "../../../services/platform/People.ts"
import { Talks } from "../../../services/platform/Talks.ts"
import { WorldAgents, WorldCatalog } from "../../../services/platform/Worlds.ts"
import { WorldCaller } from "../../../services/protocol/ClaworldApi.ts"
import * as Errors from "../../../services/protocol/ClaworldErrors.ts"
import { InstaClawApi } from "../../../services/protocol/InstaClawApi.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import { Edge } from "../Edge.ts"
import { bearerOf, isLocal } from "../requests.ts"
import * as talkHandlers from "./talkHandlers.ts"
import { inWords, invalid, layerAuthorization, layerReadable, personOf, tokenOf } from "./worldAnswers.ts"
import { deliveryOf, paginationOf, readFeedback } from "./worldPages.ts"

const activationClosed = new Errors.WorldForbidden({
  error: "sign_in_needed",
  message:
    "Activating an agent from another machine needs a person's token (Authorization: Bearer), whose agent it becomes. Sign in on this platform's page and make a key there.",
  requiredAction: "sign_in"
})

const ownerRenews = new Errors.WorldForbidden({
  error: "not_the_owner",
  message:
    "An agent's token is renewed by the person who owns the agent, so that whoever found the old one cannot take it over. Use that person's token."
})

const shown = <A extends { readonly appToken: Redacted.Redacted<string> }>(made: A) => ({
  ...made,
  appToken: Redacted.value(made.appToken)
})

const onboarding = HttpApiBuilder.group(
  InstaClawApi,
  "onboarding",
  Effect.fn(function* (handlers) {
    const agents = yield* WorldAgents
    const people = yield* People.People
    const edge = yield* Edge

    return handlers.handleAll({
      activate: Effect.fnUntraced(function* ({ payload, request }) {
        const bearer = bearerOf(request)
        const token = tokenOf(request, bearer === undefined ? "" : Redacted.value(bearer))
        if (token === "" && !edge.openSignIn && !isLocal(request)) return yield* activationClosed
        const person = token === "" ? undefined : yield* personOf(people, token)
        const ownerId = person?._tag === "Person" ? person.userId : undefined
        return shown(yield* inWords(agents.activate({ ...payload, ownerId })))
      })
    })
  })
)

const worlds = HttpApiBuilder.group(
  InstaClawApi,
  "worlds",
  Effect.fn(function* (handlers) {
    const agents = yield* WorldAgents
    const catalog = yield* WorldCatalog
    const talks = yield* Talks
    const edge = yield* Edge

    return handlers.handleAll({
      agents: Effect.fnUntraced(function* () {
        const caller = yield* WorldCaller
        return {
          agents:
            caller._tag === "Agent"
              ? [yield* inWords(agents.find(caller.agentId))]
              : yield* inWords(agents.owned(caller))
        }
      }),
      editAgent: Effect.fnUntraced(function* ({ params, payload }) {
        return yield* inWords(agents.edit(yield* WorldCaller, params.agentId, payload))
      }),
      renewToken: Effect.fnUntraced(function* ({ params }) {
        const caller = yield* WorldCaller
        if (caller._tag === "Agent") return yield* ownerRenews
        const renewed = yield* inWords(agents.renew(caller, params.agentId))
        edge.relay.shut(params.agentId)
        return shown(renewed)
      }),
      blocked: Effect.fnUntraced(function* ({ params }) {
        return { items: yield* inWords(agents.blocked(yield* WorldCaller, params.agentId)) }
      }),
      worldsOfAgent: Effect.fnUntraced(function* ({ params }) {
        return { items: yield* inWords(catalog.ofAgent(yield* WorldCaller, params.agentId)) }
      }),
      block: Effect.fnUntraced(function* ({ params: { agentId, otherId } }) {
        yield* inWords(agents.block(yield* WorldCaller, agentId, otherId))
        yield* inWords(talks.stop(agentId, { reason: "blocked", otherId }))
        return { blocked: true }
      }),
      unblock: Effect.fnUntraced(function* ({ params }) {
        yield* inWords(agents.unblock(yield* WorldCaller, params.agentId, params.otherId))
        return { blocked: false }
      }),
      worlds: Effect.fnUntraced(function* ({ query }) {
        const { limit = bounds.page.default, page = 1, sort = "hot" } = query
        const found = yield* inWords(catalog.list({ sort, page, limit }))
        return { worlds: found.items, pagination: paginationOf(found) }
      }),
      createWorld: Effect.fnUntraced(function* ({ payload }) {
        return yield* inWords(catalog.create(yield* WorldCaller, payload))
      }),
      world: ({ params }) => inWords(catalog.find(params.worldId)),
      editWorld: Effect.fnUntraced(function* ({ params, payload }) {
        return yield* inWords(catalog.edit(yield* WorldCaller, params.worldId, payload))
      }),
      join: Effect.fnUntraced(function* ({ params, payload }) {
        const { agentId, ...round } = payload
        return yield* inWords(catalog.join(yield* WorldCaller, params.worldId, agentId, round))
      }),
      leave: Effect.fnUntraced(function* ({ params: { agentId, worldId } }) {
        yield* inWords(catalog.leave(yield* WorldCaller, worldId, agentId))
        yield* inWords(talks.stop(agentId, { reason: "left", worldId }))
        return { membershipStatus: "left" as const }
      }),
      memberships: Effect.fnUntraced(function* ({ params, query }) {
        const { limit = bounds.page.default, page = 1 } = query
        const found = yield* inWords(catalog.members(yield* WorldCaller, params.worldId, { page, limit }))
        return { items: found.items, pagination: paginationOf(found) }
      }),
      search: Effect.fnUntraced(function* ({ params, payload: { agentId, input, limit } }) {
        const most = Math.min(Math.max(1, Math.trunc(limit ?? bounds.candidates.default)), bounds.candidates.maximum)
        const candidateFeed = yield* inWords(
          catalog.candidates(yield* WorldCaller, params.worldId, agentId, { limit: most, input })
        )
        return { candidateFeed, candidateDelivery: deliveryOf(candidateFeed) }
      }),
      feedback: Effect.fnUntraced(function* ({ payload }) {
        const agent = yield* inWords(agents.actFor(yield* WorldCaller, payload.agentId))
        const { errors, feedback } = readFeedback(payload)
        if (feedback === undefined) return yield* invalid(errors)
        const kept = yield* inWords(agents.giveFeedback(agent.agentId, feedback))
        return {
          status: "submitted" as const,
          feedbackId: kept.feedbackId,
          category: feedback.category,
          impact: feedback.impact,
          title: feedback.title,
          reporterAgentId: agent.agentId,
          reporterAgentCode: agent.agentCode,
          worldId: feedback.worldId ?? null,
          sessionId: feedback.sessionId ?? null,
          tags: feedback.tags,
          createdAt: kept.createdAt,
          nextAction: "keep_feedback_id_for_follow_up" as const
        }
      }),
      ...talkHandlers.make(agents, talks)
    })
  })
)

export const layer = Layer.mergeAll(onboarding, worlds).pipe(
  Layer.provideMerge(Layer.mergeAll(layerAuthorization, layerReadable))
)
