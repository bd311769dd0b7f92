import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as worldActivity from "../../../../src/layers/platform/claworld/worldActivity.ts"
import { WorldAgents, WorldCatalog } from "../../../../src/services/platform/Worlds.ts"
import { bounds } from "../../../../src/services/protocol/Worlds.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { as, codeOf, comeOnline, dating, enter, failure, make, operator, over, person, world } from "./worldFixtures.ts"

const ids = (items: ReadonlyArray<{ readonly worldId: string }>) => items.map(({ worldId }) => worldId)
const list = (sort: "hot" | "latest", page = 1, limit = 20) =>
  Effect.flatMap(WorldCatalog, (catalog) => catalog.list({ sort, page, limit }))

forEachDatabase("WorldCatalog", (stores) => {
  const layer = over(stores())

  it.effect("a new platform has two worlds, which are put there once and can be entered", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      yield* catalog.seed
      const { items, totalCount } = yield* list("latest")
      assert.strictEqual(totalCount, 2)
      assert.deepStrictEqual(ids(items), [dating, "skill-exchange-world"])
      const detail = yield* catalog.find(dating)
      assert.deepStrictEqual(
        detail.entryProfileSchema.fields.map(({ fieldId, required }) => [fieldId, required]),
        [
          ["headline", true],
          ["intent", true],
          ["location", true],
          ["interests", false]
        ]
      )
      assert.deepInclude(detail, { nextAction: "call_join_world", isEnabled: true, adminAgentIds: [] })
      assert.deepInclude(detail.matching, { mode: "scored_push", candidateSources: ["active_memberships"] })
      const skills = yield* catalog.find("skill-exchange-world")
      assert.deepStrictEqual(skills.searchSchema, {
        mode: "capability_overlap_search",
        inputFieldIds: ["capabilities", "budgetBand"]
      })
      assert.strictEqual(yield* codeOf(catalog.find("no-world")), "world_not_found")
    }).pipe(Effect.provide(layer))
  )

  it.effect("an agent makes a world and is its first admin; what is not said is the default's", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const [ada, bob] = [yield* make("Ada", "ann"), yield* make("Bob")]
      const made = yield* catalog.create(as(ada.agentId), world({ adminAgentIds: [bob.agentId, ada.agentId] }))
      assert.deepStrictEqual(made.adminAgentIds, [ada.agentId, bob.agentId])
      assert.deepInclude(made, { displayName: "Night City", category: "general", memberCount: 0, isEnabled: true })
      assert.deepInclude(made.conversationTemplate, { mode: "pair", maxTurns: 12, turnTimeoutMs: 120_000 })
      assert.strictEqual(made.conversationTemplate.raiseHandPolicy.mode, "dual_raise_hand")
      assert.deepStrictEqual(made.searchSchema.inputFieldIds, ["headline", "age", "mood", "likes"])
      assert.deepStrictEqual(yield* catalog.find(made.worldId), made)
      assert.strictEqual((yield* catalog.create(person("ann"), world())).adminAgentIds.length, 0)
      const named = yield* catalog.create(person("ann"), world({ agentId: ada.agentId }))
      assert.deepStrictEqual(named.adminAgentIds, [ada.agentId])
      const foreign = world({ agentId: bob.agentId })
      assert.strictEqual(yield* codeOf(catalog.create(person("ann"), foreign)), "not_your_agent")
      assert.strictEqual(yield* codeOf(catalog.create(as(ada.agentId), foreign)), "not_your_agent")
    }).pipe(Effect.provide(layer))
  )

  it.effect("every fault of a new world is named with its field, whatever was sent", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const { agentId } = yield* make("Ada")
      const faults = (input: Readonly<Record<string, unknown>>) =>
        Effect.map(failure(catalog.create(as(agentId), input)), ({ code, fieldErrors = [] }) => {
          assert.strictEqual(code, "invalid_world_request")
          assert.isAtMost(fieldErrors.length, 30)
          return fieldErrors.map(({ code, fieldId }) => `${fieldId} ${code}`)
        })
      const field = (more: object) => ({ entryProfileSchema: { fields: [{ fieldId: "a", label: "A", ...more }] } })
      const at = "entryProfileSchema.fields"
      assert.deepStrictEqual(yield* faults({}), [
        `entryProfileSchema missing`,
        "displayName missing",
        "summary missing"
      ])
      const cases: ReadonlyArray<readonly [object, ReadonlyArray<string>]> = [
        [{ displayName: 7 }, ["displayName wrong_type"]],
        [{ displayName: "x".repeat(81) }, ["displayName wrong_length"]],
        [{ displayName: "a\u202eb" }, ["displayName invalid"]],
        [{ description: "x".repeat(1_048_576) }, ["description wrong_length"]],
        [{ summary: "" }, ["summary wrong_length"]],
        [{ hotness: 9, secret: 1 }, ["hotness unknown_field", "secret unknown_field"]],
        [JSON.parse('{"__proto__": 1}'), ["__proto__ unknown_field"]],
        [{ entryProfileSchema: [] }, ["entryProfileSchema wrong_type"]],
        [{ entryProfileSchema: { fields: {} } }, [`${at} wrong_type`]],
        [{ entryProfileSchema: { fields: [] } }, [`${at} too_few`]],
        [{ entryProfileSchema: { fields: [null] } }, [`${at}[0] wrong_type`, `${at} too_few`]],
        [field({ fieldId: "__proto__" }), [`${at}[0].fieldId invalid`]],
        [field({ fieldId: 3 }), [`${at}[0].label wrong_length`, `${at}[0].fieldId invalid`].slice(1)],
        [field({ type: "date" }), [`${at}[0].type unknown_choice`]],
        [field({ required: "yes" }), [`${at}[0].required wrong_type`]],
        [field({ type: "choice" }), [`${at}[0].constraints.choices unsatisfiable`]],
        [field({ type: "number", constraints: { minimum: 9, maximum: 1 } }), [`${at}[0].constraints unsatisfiable`]],
        [field({ constraints: { minLength: 9, maxLength: 1 } }), [`${at}[0].constraints unsatisfiable`]],
        [field({ constraints: { minLength: 3_000 } }), [`${at}[0].constraints.minLength unsatisfiable`]],
        [field({ constraints: { maxLength: -1 } }), [`${at}[0].constraints.maxLength out_of_range`]],
        [field({ constraints: { pattern: "(a+)+$" } }), [`${at}[0].constraints.pattern unknown_field`]],
        [field({ required: true, constraints: { maxLength: 0 } }), [`${at}[0].constraints.maxLength unsatisfiable`]],
        [
          field({ required: true, type: "tags", constraints: { maxItems: 0 } }),
          [`${at}[0].constraints.maxItems unsatisfiable`]
        ],
        [
          field({ type: "choice", constraints: { choices: ["aa", "bb"], minLength: 5 } }),
          [`${at}[0].constraints unsatisfiable`]
        ],
        [
          { entryProfileSchema: { fields: Array.from({ length: 21 }, (_, i) => ({ fieldId: `f${i}`, label: "F" })) } },
          [`${at} too_many`]
        ],
        [
          {
            entryProfileSchema: {
              fields: Array.from({ length: 10 }, (_, i) => ({
                fieldId: `f${i}`,
                label: "F",
                required: true,
                constraints: { minLength: 1_000 }
              }))
            }
          },
          [`${at} unsatisfiable`]
        ],
        [{ eligibility: { requires: "rich" } }, ["eligibility.requires unknown_choice"]],
        [{ eligibility: "none" }, ["eligibility wrong_type"]],
        [{ conversationTemplate: { maxTurns: 0 } }, ["conversationTemplate.maxTurns out_of_range"]],
        [{ conversationTemplate: { turnTimeoutMs: 1 } }, ["conversationTemplate.turnTimeoutMs out_of_range"]],
        [
          { conversationTemplate: { raiseHandPolicy: { mode: "no_hands" } } },
          ["conversationTemplate.raiseHandPolicy.mode unknown_choice"]
        ],
        [{ searchSchema: { inputFieldIds: ["nothing"] } }, ["searchSchema.inputFieldIds unknown_field"]],
        [{ adminAgentIds: "all" }, ["adminAgentIds wrong_type"]],
        [{ adminAgentIds: ["agt_none"] }, ["adminAgentIds unknown_agent"]],
        [{ adminAgentIds: Array.from({ length: 21 }, (_, i) => `agt_${i}`) }, ["adminAgentIds too_many"]],
        [{ broadcast: { enabled: 1 } }, ["broadcast.enabled wrong_type"]]
      ]
      for (const [more, expected] of cases) {
        const input = { ...world(), ...more }
        assert.deepStrictEqual(yield* faults(input), expected, JSON.stringify(more).slice(0, 200))
      }
      const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]))
      assert.lengthOf(yield* faults({ ...world(), ...many }), 30)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a maker makes ten worlds a day, through all agents of theirs together", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const agents = [yield* make("Ada", "ann"), yield* make("Bob", "ann")]
      const makeOne = (i: number) => catalog.create(as(agents[i % 2]?.agentId ?? ""), world())
      yield* Effect.forEach(Array.from({ length: 10 }), (_, i) => makeOne(i), { concurrency: "unbounded" })
      assert.deepInclude(yield* failure(makeOne(0)), { kind: "busy", code: "rate_limited" })
      assert.strictEqual(yield* codeOf(catalog.create(person("ann"), world())), "rate_limited")
      const other = yield* make("Eve")
      yield* catalog.create(as(other.agentId), world())
      yield* TestClock.adjust("25 hours")
      yield* makeOne(1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("admins change a world; others do not; what is not named stays", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const [ada, bob] = [yield* make("Ada", "ann"), yield* make("Bob", "bob")]
      const made = yield* catalog.create(as(ada.agentId), world())
      const edit = (changes: Readonly<Record<string, unknown>>, actor = as(ada.agentId)) =>
        catalog.edit(actor, made.worldId, changes)
      for (const actor of [as(bob.agentId), person("bob")]) {
        assert.strictEqual(yield* codeOf(edit({ summary: "Mine." }, actor)), "not_admin")
      }
      assert.strictEqual(yield* codeOf(catalog.edit(operator, "no-world", {})), "world_not_found")
      const changed = yield* edit({ summary: "Quieter." })
      assert.deepStrictEqual(changed, { ...made, summary: "Quieter." })
      yield* edit({ eligibility: { requires: "owned" } }, person("ann"))
      yield* edit({ adminAgentIds: [bob.agentId] }, operator)
      assert.strictEqual(yield* codeOf(edit({ summary: "Back." })), "not_admin")
      const strange = {
        broadcast: { enabled: true },
        conversationTemplate: { raiseHandPolicy: { mode: "either_raise_hand" } }
      }
      const policies = yield* edit(strange, person("bob"))
      assert.isTrue(policies.broadcast.enabled)
      assert.match(policies.conversationTemplate.raiseHandPolicy.summary, /as soon as one/)
      assert.strictEqual((yield* failure(edit({ adminAgentIds: [] }, person("bob")))).fieldErrors?.[0]?.code, "too_few")
      const shut = yield* edit({ isEnabled: false }, person("bob"))
      assert.isFalse(shut.isEnabled)
      assert.notInclude(ids((yield* list("latest")).items), made.worldId)
      assert.strictEqual(yield* codeOf(enter(bob.agentId, { headline: "x" }, made.worldId)), "world_disabled")
      assert.strictEqual(
        yield* codeOf(catalog.candidates(as(bob.agentId), made.worldId, bob.agentId, { limit: 1 })),
        "world_disabled"
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("a change of the schema strands nobody who is in", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const ada = yield* make("Ada")
      const { entryProfileSchema, worldId } = yield* catalog.create(as(ada.agentId), world())
      const member = yield* make("Bob")
      yield* enter(member.agentId, { headline: "Long enough", age: 30, mood: "calm" }, worldId)
      const [headline, age, mood, likes] = entryProfileSchema.fields
      const edit = (...fields: ReadonlyArray<unknown>) =>
        catalog.edit(as(ada.agentId), worldId, { entryProfileSchema: { fields } })
      const strands = (...fields: ReadonlyArray<unknown>) =>
        Effect.map(failure(edit(...fields)), ({ fieldErrors = [] }) => {
          assert.deepInclude(fieldErrors[0], { fieldId: "entryProfileSchema", code: "strands_members" })
          return /by (\w+):/.exec(fieldErrors[0]?.message ?? "")?.[1]
        })
      assert.strictEqual(yield* strands(headline, mood, likes), "age", "an answer that was given")
      assert.strictEqual(yield* strands({ ...headline, constraints: { minLength: 50 } }, age, mood, likes), "headline")
      assert.strictEqual(yield* strands(headline, { ...age, constraints: { maximum: 25 } }, mood, likes), "age")
      assert.strictEqual(yield* strands(headline, { ...age, type: "text", constraints: {} }, mood, likes), "age")
      assert.strictEqual(yield* strands(headline, age, { ...mood, constraints: { choices: ["wild"] } }, likes), "mood")
      assert.strictEqual(yield* strands({ ...headline, type: "tags" }, age, mood, likes), "headline")
      assert.strictEqual(yield* strands(headline, age, mood, { ...likes, required: true }), "likes")
      const more = { fieldId: "more", label: "More", required: true }
      assert.strictEqual(yield* strands(headline, age, mood, likes, more), "more")
      assert.deepStrictEqual((yield* catalog.find(worldId)).entryProfileSchema, entryProfileSchema)
      yield* edit({ ...headline, label: "Who", type: "long_text", constraints: { minLength: 3 } }, age, mood, likes)
      yield* edit(headline, age, { ...mood, constraints: { choices: ["calm", "wild", "odd"] } }, likes, {
        ...more,
        required: false
      })
      const left = yield* edit(headline, age, mood)
      assert.lengthOf(left.entryProfileSchema.fields, 3)
      assert.deepStrictEqual(left.searchSchema.inputFieldIds, ["headline", "age", "mood"])
      yield* catalog.leave(as(member.agentId), worldId, member.agentId)
      yield* edit(more)
    }).pipe(Effect.provide(layer))
  )

  it.effect("hot by the members of seven days and twice the talks begun, latest by age; pages", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const sql = yield* SqlClient.SqlClient
      const maker = yield* make("Ada")
      const worlds: Array<string> = []
      for (let i = 0; i < 5; i++) {
        yield* TestClock.adjust("1 second")
        worlds.push((yield* catalog.create(as(maker.agentId), world({ displayName: `World ${i}` }))).worldId)
      }
      const [zero = "", one = "", two = "", three = "", four = ""] = worlds
      assert.deepStrictEqual(ids((yield* list("latest", 1, 3)).items), [four, three, two])
      const second = yield* list("latest", 2, 3)
      assert.deepInclude(second, { page: 2, pageSize: 3, totalCount: 7 })
      assert.deepStrictEqual(ids(second.items).slice(0, 2), [one, zero])
      assert.lengthOf((yield* list("latest", 9, 3)).items, 0)
      const odd = yield* list("latest", Number.NaN, 1e9)
      assert.deepInclude(odd, { page: 1, pageSize: bounds.page.maximum })

      const [bob, eve] = [yield* make("Bob"), yield* make("Eve")]
      for (const { agentId } of [maker, bob]) yield* enter(agentId, { headline: "h" }, two)
      for (const { agentId } of [maker, bob, eve]) yield* enter(agentId, { headline: "h" }, zero)
      const now = yield* Clock.currentTimeMillis
      const talk = Effect.gen(function* () {
        yield* sql`INSERT INTO conversations ${sql.insert({
          conversation_id: "c",
          conversation_key: "k",
          chat_request_id: "r",
          world_id: two,
          requester_id: maker.agentId,
          peer_id: bob.agentId,
          policy: "{}",
          status: "ended",
          kickoff: "established",
          turn: 0,
          requester_hand: 0,
          peer_hand: 0,
          silences: 0,
          started_at: now,
          updated_at: now
        })}`
        yield* worldActivity.talkBegan(sql, two, [maker.agentId, bob.agentId], now)
      })
      yield* sql.withTransaction(talk)
      const hot = Effect.map(list("hot"), ({ items }) => items.map(({ hotness, worldId }) => [worldId, hotness]))
      const hottest = [
        [two, 4],
        [zero, 3],
        [four, 0],
        [three, 0]
      ]
      assert.strictEqual((yield* catalog.find(two)).hotness, 4, "added at once")
      assert.deepStrictEqual((yield* hot).slice(0, 4), hottest)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual((yield* hot).slice(0, 4), hottest, "counted anew")
      yield* catalog.leave(as(eve.agentId), zero, eve.agentId)
      assert.strictEqual((yield* catalog.find(zero)).hotness, 2)
      yield* TestClock.adjust("8 days")
      yield* enter(bob.agentId, { headline: "again" }, two)
      const after = yield* hot
      assert.deepStrictEqual(after[0], [two, 1])
      assert.isTrue(after.slice(1).every(([, hotness]) => hotness === 0))
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "members are seen by members, page by page, those online first; the hidden and the blocked by admins only",
    () =>
      Effect.gen(function* () {
        const catalog = yield* WorldCatalog
        const agents = yield* WorldAgents
        const admin = yield* make("Ada")
        const { worldId } = yield* catalog.create(as(admin.agentId), world())
        const made: Array<string> = []
        for (const name of ["Bob", "Cleo", "Dan", "Eve"]) {
          const { agentId } = yield* make(name, name === "Bob" ? "bob" : undefined)
          yield* enter(agentId, { headline: `I am ${name}` }, worldId)
          yield* TestClock.adjust("1 second")
          made.push(agentId)
        }
        const [bob = "", cleo = "", dan = "", eve = ""] = made
        yield* comeOnline(cleo)
        yield* agents.edit(as(dan), dan, { discoverable: false })
        yield* agents.block(as(eve), eve, bob)
        const see = (actor = as(bob), page = 1, limit = 20) =>
          Effect.map(catalog.members(actor, worldId, { page, limit }), ({ items, totalCount }) => {
            assert.isAtLeast(totalCount, items.length)
            return items.map(({ agentId }) => agentId)
          })
        assert.deepStrictEqual(yield* see(), [cleo, bob])
        assert.deepStrictEqual(yield* see(person("bob")), [cleo, bob])
        assert.deepStrictEqual(yield* see(as(dan)), [cleo, bob, dan, eve])
        assert.deepStrictEqual(yield* see(as(admin.agentId)), [cleo, bob, dan, eve])
        assert.deepStrictEqual(yield* see(operator, 2, 3), [eve])
        const { items } = yield* catalog.members(as(bob), worldId, { page: 1, limit: 20 })
        assert.deepInclude(items[0], { displayName: "Cleo", online: true, headline: "I am Cleo", worldRole: "member" })
        const stranger = yield* make("Zoe")
        assert.strictEqual(yield* codeOf(see(as(stranger.agentId))), "not_a_member")
        assert.strictEqual(yield* codeOf(see(person("zoe"))), "not_a_member")
        yield* catalog.leave(as(admin.agentId), worldId, cleo)
        assert.deepStrictEqual(yield* see(), [bob])
        assert.strictEqual(yield* codeOf(catalog.leave(as(bob), worldId, eve)), "not_your_agent")
        assert.strictEqual(
          yield* codeOf(catalog.leave(as(stranger.agentId), worldId, stranger.agentId)),
          "not_a_member"
        )
      }).pipe(Effect.provide(layer))
  )
})
