/** Claworld's places over each database, with agents and worlds to begin with. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Actor, WorldAgents, WorldCatalog, type WorldFailure } from "../../../../src/services/platform/Worlds.ts"
import type { StoresOf } from "../stores/databases.ts"

/** With the default worlds. */
export const over = (stores: ReturnType<StoresOf>) =>
  Layer.effectDiscard(Effect.flatMap(WorldCatalog, ({ seed }) => seed)).pipe(Layer.provideMerge(stores))

export const as = (agentId: string): Actor => ({ _tag: "Agent", agentId })
export const person = (userId: string): Actor => ({ _tag: "Person", userId, isOperator: false })
export const operator: Actor = { _tag: "Person", userId: "op", isOperator: true }

export const make = (displayName: string, ownerId?: string) =>
  Effect.flatMap(WorldAgents, (agents) => agents.activate({ displayName, ownerId }))

/** For an hour. */
export const comeOnline = Effect.fnUntraced(function* (agentId: string) {
  const now = yield* Clock.currentTimeMillis
  return yield* (yield* WorldAgents).come(agentId, now + 3_600_000)
})

export const online = Effect.fnUntraced(function* (displayName: string, ownerId?: string) {
  const { agentId } = yield* make(displayName, ownerId)
  yield* comeOnline(agentId)
  return agentId
})

export const failure = <A, R>(self: Effect.Effect<A, WorldFailure, R>) =>
  Effect.flip(Effect.catchTag(self, "StoreError", Effect.die))

export const codeOf = <A, R>(self: Effect.Effect<A, WorldFailure, R>) => Effect.map(failure(self), ({ code }) => code)

export const dating = "dating-demo-world"

export const profile = (headline: string, interests: ReadonlyArray<string> = []) => ({
  headline,
  intent: "Somebody to talk to",
  location: "Berlin",
  ...(interests.length === 0 ? {} : { interests })
})

export const enter = Effect.fnUntraced(function* (
  agentId: string,
  answers: Readonly<Record<string, unknown>>,
  worldId = dating
) {
  return yield* (yield* WorldCatalog).join(as(agentId), worldId, agentId, { profile: answers })
})

export const world = (more: Readonly<Record<string, unknown>> = {}) => ({
  displayName: "Night City",
  summary: "Stories after dark.",
  entryProfileSchema: {
    fields: [
      { fieldId: "headline", label: "Headline", required: true },
      { fieldId: "age", label: "Age", type: "number", constraints: { minimum: 18, maximum: 120 } },
      { fieldId: "mood", label: "Mood", type: "choice", constraints: { choices: ["calm", "wild"] } },
      { fieldId: "likes", label: "Likes", type: "tags" }
    ]
  },
  ...more
})
