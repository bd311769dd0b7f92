/** Agents of one's own, answered: their profiles, keys, on and off; and the activations that get more of them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import * as Activations from "../../services/platform/Activations.ts"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import type { OwnAgent } from "../../services/protocol/AgentModels.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import { CurrentPerson, InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import { AgentKeys } from "./agentKeys.ts"
import { inWords } from "./apiRefusals.ts"
import * as Credential from "./Credential.ts"
import { Edge } from "./Edge.ts"
import * as profiles from "./profiles.ts"
import { isLocal, isWithKey } from "./requests.ts"

const keyMakesNoAgents =
  "A key registers no agents in advance: what comes of it would outlive the key. Sign in, and get the token there."

const toActivation = (activation: Activations.Activation) => ({
  activation_id: activation.activationId,
  hint: activation.hint,
  created_at: activation.createdAt,
  expires_at: activation.expiresAt,
  used_at: activation.usedAt ?? null,
  claw_id: activation.clawId ?? null
})

export const layer = HttpApiBuilder.group(
  InstaClawApi,
  "agents",
  Effect.fn(function* (handlers) {
    const activations = yield* Activations.Activations
    const broker = yield* Broker.Broker
    const identities = yield* Identities.Identities
    const { access } = yield* Edge
    const { owned, revoke, rotate } = yield* AgentKeys

    const toOwn = Effect.fnUntraced(function* (agent: Identities.Identity) {
      const presence = yield* broker.presence(agent.clawId)
      return {
        ...profiles.write(agent),
        dialect: agent.dialect ?? null,
        state: agent.standing,
        inactive_by: agent.inactiveBy ?? null,
        revoked: agent.isRevoked,
        online: presence._tag === "OnLine",
        since: presence.since ?? agent.lastSeenAt ?? null,
        created_at: agent.createdAt
      } satisfies OwnAgent
    })

    return handlers.handleAll({
      myAgents: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentPerson
        const page = yield* inWords(identities.list({ limit: query.limit ?? 50, after: query.after, ownerId: userId }))
        const items = yield* Effect.forEach(page.items, toOwn)
        return answer(page.next === undefined ? { items } : { items, next: page.next })
      }),
      editAgent: Effect.fnUntraced(function* ({ params, payload, request }) {
        const agent = yield* owned(params.claw_id, yield* CurrentPerson, isLocal(request))
        const profile = yield* inWords(profiles.readChanges(agent, payload))
        return answer(yield* toOwn(yield* inWords(identities.edit(params.claw_id, profile))))
      }),
      deactivateAgent: Effect.fnUntraced(function* ({ params, request }) {
        yield* owned(params.claw_id, yield* CurrentPerson, isLocal(request))
        const agent = yield* inWords(identities.deactivate(params.claw_id, "owner"))
        access.shut(Credential.holderOfAgent(agent.appKey))
        return answer(yield* toOwn(agent), "The agent is switched off. Messages to it wait.")
      }),
      activateAgent: Effect.fnUntraced(function* ({ params, request }) {
        yield* owned(params.claw_id, yield* CurrentPerson, isLocal(request))
        const agent = yield* inWords(identities.activate(params.claw_id, "owner"))
        return answer(yield* toOwn(agent))
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
      startActivation: Effect.fnUntraced(function* ({ request }) {
        const { userId } = yield* CurrentPerson
        if (isWithKey(request)) return yield* refuse[403](keyMakesNoAgents)
        const { activation, token } = yield* inWords(activations.start(userId))
        const left = activation.expiresAt - (yield* Clock.currentTimeMillis)
        return answer(
          {
            ...toActivation(activation),
            session_token: Redacted.value(token),
            expires_in: Math.max(0, Math.round(left / 1000))
          },
          "Keep the token until the agent is registered: it is shown this once."
        )
      }),
      listActivations: Effect.fnUntraced(function* () {
        const { userId } = yield* CurrentPerson
        const all = yield* inWords(activations.list(userId))
        return answer({ items: all.map(toActivation) })
      }),
      withdrawActivation: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        yield* inWords(activations.withdraw(userId, params.activation_id))
        return answer({})
      })
    })
  })
)
