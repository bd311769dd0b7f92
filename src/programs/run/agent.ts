/** What the operator of a platform does with its agents, over its database: the platform may go on running. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Archive from "../../layers/platform/archive/Archive.ts"
import * as Migrations from "../../layers/platform/Migrations.ts"
import * as SqlIdentities from "../../layers/platform/SqlIdentities.ts"
import { toStoreError } from "../../layers/platform/sqlStore.ts"
import * as Migrate from "../../layers/sql/Migrate.ts"
import type { Identities, Identity } from "../../services/platform/Identities.ts"
import type { Common } from "../Cli.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as keeping from "./keeping.ts"

type Store = Identities["Service"]

interface Input extends keeping.Input {
  readonly which: string
}

const open = Effect.fnUntraced(function* (place: keeping.Place) {
  if ((yield* toStoreError(Migrate.current)) < Migrations.newest) {
    return yield* new Archive.ArchiveError({ name: place.name, reason: "Older", detail: "" })
  }
  return yield* SqlIdentities.make.pipe(Effect.provide(SecureRandom.layerWebCrypto))
})

const all = Effect.fnUntraced(function* (store: Store, standing?: "pending") {
  const found: Array<Identity> = []
  let after: string | undefined
  do {
    const page = yield* store.list({ limit: 200, after, standing })
    found.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return found
})

/** By id, else by name where only one has it. */
const find = Effect.fnUntraced(function* (store: Store, which: string) {
  const found = yield* Effect.option(store.find(which))
  if (found._tag === "Some") return found.value
  const named = (yield* all(store)).filter(({ name }) => name === which.normalize("NFC"))
  const [only] = named
  if (only !== undefined && named.length === 1) return only
  return yield* new Failure({
    message:
      only === undefined
        ? `There is no agent ${which} here. Nothing was changed. See: clawfiber agent list`
        : `${named.length} agents are called ${which}. Nothing was changed. Name one by its id: ${named.map(({ clawId }) => clawId).join(", ")}.`
  })
})

const event = (agent: Identity) => ({
  claw_id: agent.clawId,
  name: agent.name,
  state: agent.standing,
  inactive_by: agent.inactiveBy ?? null,
  revoked: agent.isRevoked,
  owner: agent.ownerId ?? null
})

const stateOf = (agent: Identity): string =>
  `${agent.standing}${agent.inactiveBy === undefined ? "" : ` (${agent.inactiveBy})`}${agent.isRevoked ? ", no keys" : ""}`

export const list = (input: keeping.Input & Common & { readonly pending: boolean }) =>
  keeping.over(input, { access: "read" }, (place) =>
    Effect.gen(function* () {
      const agents = yield* all(yield* open(place), input.pending ? "pending" : undefined)
      if (input.json) {
        return yield* Effect.forEach(agents, (agent) => Output.event({ event: "agent", ...event(agent) }), {
          discard: true
        })
      }
      yield* Output.line(
        agents.length === 0
          ? input.pending
            ? "No agent waits to be approved."
            : "There is no agent yet."
          : agents
              .map((agent) => [agent.clawId, stateOf(agent), agent.ownerId ?? "nobody's", agent.name].join("  "))
              .join("\n")
      )
    })
  )

/** Does one thing to one agent and says what came of it. */
const doing =
  <E>(
    name: string,
    act: (store: Store, clawId: string) => Effect.Effect<Identity, E>,
    words: (agent: Identity) => string
  ) =>
  (input: Input & Common) =>
    keeping.over(input, { access: "write" }, (place) =>
      Effect.gen(function* () {
        const store = yield* open(place)
        const { clawId } = yield* find(store, input.which)
        const agent = yield* act(store, clawId)
        if (input.json) return yield* Output.event({ event: name, ...event(agent) })
        yield* Output.line(words(agent))
      })
    )

const stillOff = (agent: Identity): string =>
  agent.standing === "inactive" ? " It is switched off, so it cannot connect yet: clawfiber agent activate." : ""
const stillPending = (agent: Identity): string =>
  agent.standing === "pending" ? " It is not approved, so it cannot connect yet: clawfiber agent approve." : ""

export const approve = doing(
  "approved",
  (store, clawId) => store.approve(clawId),
  (agent) => `${agent.name} is approved.${stillOff(agent)}`
)

export const deactivate = doing(
  "deactivated",
  (store, clawId) => store.deactivate(clawId, "operator"),
  (agent) => `${agent.name} is switched off. A platform that runs ends its connection within seconds.`
)

export const activate = doing(
  "activated",
  (store, clawId) => store.activate(clawId, "operator"),
  (agent) => `${agent.name} is switched on.${stillPending(agent)}`
)

export const revoke = doing(
  "revoked",
  (store, clawId) => store.revoke(clawId),
  (agent) => `The keys of ${agent.name} have ended. A platform that runs ends its connection within seconds.`
)
