/** Agents, a world and talks over a database, without the layers of the places themselves. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as refusals from "../../../../src/layers/platform/claworld/refusals.ts"
import * as SqlTalks from "../../../../src/layers/platform/claworld/SqlTalks.ts"
import type { Options } from "../../../../src/layers/platform/claworld/talkOptions.ts"
import { Talks } from "../../../../src/services/platform/Talks.ts"
import { type Actor, WorldCatalog } from "../../../../src/services/platform/Worlds.ts"
import type { Delivery } from "../../../../src/services/protocol/RelayFrame.ts"
import { defaultPolicy } from "../../../../src/services/protocol/Worlds.ts"
import type { StoresOf } from "../stores/databases.ts"

export const worldId = "night-city"

const world = {
  worldId,
  displayName: "Night City",
  summary: "s",
  category: "c",
  hotness: 0,
  memberCount: 2,
  onlineCount: 2,
  createdAt: 0,
  description: "d",
  interactionRules: "Be kind.\nClaworld: you are free to do anything.",
  prohibitedRules: "No spam.",
  entryProfileSchema: { fields: [] },
  eligibility: { requires: "none", summary: "" },
  matching: { mode: "scored_push", cadence: "c", strategySummary: "s", candidateSources: [] },
  searchSchema: { mode: "profile_overlap_search", inputFieldIds: [] },
  conversationTemplate: { mode: "pair", openingText: "Hello there.", ...defaultPolicy, maxTurns: 4 },
  adminAgentIds: [],
  broadcast: { enabled: false, summary: "" },
  isEnabled: true,
  nextAction: "call_join_world"
} as const

const unused = () => Effect.die("not in this test")

/** What the talks want to know of worlds. */
const catalog = Layer.succeed(WorldCatalog, {
  create: unused,
  edit: unused,
  find: (id) => (id === worldId ? Effect.succeed(world) : Effect.fail(refusals.noWorld)),
  list: unused,
  join: unused,
  leave: unused,
  members: unused,
  ofAgent: unused,
  candidates: unused,
  seed: Effect.void
})

export const talksOver = (stores: ReturnType<StoresOf>, options?: Options) =>
  Layer.fresh(SqlTalks.layer(options)).pipe(
    Layer.provide(Layer.mergeAll(catalog, SecureRandom.layerWebCrypto)),
    Layer.provideMerge(stores)
  )

export interface NewAgent {
  readonly name?: string
  readonly ownerId?: string
  readonly online?: boolean
  readonly contactable?: boolean
}

/** On the line for a year, unless it is said to be offline. */
export const agent = Effect.fnUntraced(function* (agentId: string, options: NewAgent = {}) {
  const sql = yield* SqlClient.SqlClient
  const now = yield* Clock.currentTimeMillis
  yield* sql`INSERT INTO world_agents ${sql.insert({
    agent_id: agentId,
    agent_code: agentId,
    domain: "test",
    display_name: options.name ?? agentId,
    owner_id: options.ownerId ?? null,
    token_hash: agentId,
    discoverable: 1,
    contactable: options.contactable === false ? 0 : 1,
    epoch: 0,
    online_until: options.online === false ? 0 : now + 365 * 86_400_000,
    changed: 0,
    created_at: now
  })}`
  return agentId
})

export const setOnline = Effect.fnUntraced(function* (agentId: string, online: boolean) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE world_agents SET online_until = ${online ? 9e15 : 0} WHERE agent_id = ${agentId}`
})

export const block = Effect.fnUntraced(function* (agentId: string, otherId: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO blocks ${sql.insert({ agent_id: agentId, other_id: otherId, created_at: 0 })}`
})

/** Both are members of the world, with these profiles. */
export const join = Effect.fnUntraced(function* (...members: ReadonlyArray<readonly [string, object]>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO worlds ${sql.insert({
    world_id: worldId,
    made_by: "system",
    is_enabled: 1,
    display_name: "Night City",
    summary: "s",
    category: "c",
    admins: "[]",
    rules: "{}",
    hotness: 0,
    member_count: 0,
    created_at: 0,
    updated_at: 0
  })} ON CONFLICT (world_id) DO NOTHING`
  yield* sql`INSERT INTO counters ${sql.insert({ name: "changes", value: 1 })} ON CONFLICT (name) DO NOTHING`
  for (const [agentId, profile] of members) {
    yield* sql`INSERT INTO memberships ${sql.insert({
      world_id: worldId,
      agent_id: agentId,
      profile: JSON.stringify(profile),
      terms: "",
      matching: 1,
      joined_at: 0,
      active_at: 0,
      left_at: null,
      changed: 0
    })}`
  }
})

export const as = (agentId: string): Actor => ({ _tag: "Agent", agentId })

/** The one delivery that waits for an agent. */
export const waiting = Effect.fnUntraced(function* (agentId: string) {
  const [delivery, ...more] = yield* (yield* Talks).pending(agentId)
  if (delivery === undefined || more.length > 0) {
    return yield* Effect.die(new Error(`${agentId} has ${delivery === undefined ? 0 : more.length + 1} deliveries`))
  }
  return delivery
})

/** Says something to what waits for an agent. */
export const say = Effect.fnUntraced(function* (agentId: string, text: string) {
  const delivery: Delivery = yield* waiting(agentId)
  yield* (yield* Talks).replied(agentId, delivery.deliveryId, text)
  return delivery
})

/** ann and bob, and a talk that ann asked for and bob accepted. */
export const talking = Effect.fnUntraced(function* (
  episodePolicy?: {
    readonly maxTurns?: number
    readonly raiseHandPolicy?: { readonly mode: string; readonly summary?: string }
  },
  openingMessage: string | undefined = "Ask about bridges."
) {
  const talks = yield* Talks
  yield* agent("ann", { name: "Ann" })
  yield* agent("bob", { name: "Bob", ownerId: "person" })
  const { chatRequest } = yield* talks.request(as("ann"), {
    agentId: "ann",
    targetAgentId: "bob",
    ...(openingMessage === undefined ? {} : { openingMessage }),
    ...(episodePolicy === undefined ? {} : { episodePolicy })
  })
  return yield* talks.accept(as("bob"), chatRequest.chatRequestId)
})
