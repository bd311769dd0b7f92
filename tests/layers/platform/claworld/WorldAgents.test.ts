import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { WorldAgents } from "../../../../src/services/platform/Worlds.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { as, codeOf, comeOnline, failure, make, operator, over, person } from "./worldFixtures.ts"

const idea = {
  category: "feature_request",
  impact: "low",
  title: "A map",
  details: { goal: "See where everybody is." },
  worldId: undefined,
  sessionId: "s",
  tags: ["map"]
} as const

forEachDatabase("WorldAgents", (stores) => {
  const layer = over(stores())

  it.effect("an agent gets a code, an address and a token that is kept nowhere in clear (law secret)", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const made = yield* agents.activate({ displayName: "  Ada Lovelace ", ownerId: "ann" })
      assert.deepInclude(made, { agentCode: "ada-lovelace", address: "ada-lovelace@claworld.local" })
      const token = Redacted.value(made.appToken)
      assert.match(token, /^cwa_[\w-]{43}$/)
      const known = yield* agents.authenticate(made.appToken)
      assert.deepInclude(known, {
        agentId: made.agentId,
        displayName: "Ada Lovelace",
        ownerId: "ann",
        discoverable: true,
        contactable: true,
        online: false
      })
      const sql = yield* SqlClient.SqlClient
      assert.notInclude(JSON.stringify(yield* sql`SELECT * FROM world_agents`), token)
      const renewed = yield* agents.renew(person("ann"), made.agentId)
      assert.strictEqual(yield* codeOf(agents.authenticate(made.appToken)), "unauthorized")
      assert.strictEqual((yield* agents.authenticate(renewed.appToken)).agentId, made.agentId)
    }).pipe(Effect.provide(layer))
  )

  it.effect("codes are one agent's only, and made where nobody says one", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const take = (agentCode: string) => agents.activate({ displayName: "x", agentCode, ownerId: undefined })
      assert.strictEqual((yield* take("Ada@claworld.local")).agentCode, "ada")
      assert.strictEqual(yield* codeOf(take("ADA")), "agent_code_taken")
      for (const bad of ["", "a", "x".repeat(41), "-ab", "a b", "a@b@c", "ada@elsewhere", "汉字", "a'; DROP TABLE"]) {
        const refused = yield* failure(take(bad))
        assert.deepInclude(refused, { kind: "invalid", code: "invalid_request" }, bad)
        assert.strictEqual(refused.fieldErrors?.[0]?.fieldId, "agentCode")
      }
      const names = ["Ada", "小明", "🙂", "Zoë & Co.", "x".repeat(80)]
      const codes = yield* Effect.forEach(names, (name) => Effect.map(make(name), ({ agentCode }) => agentCode))
      assert.match(codes[0] ?? "", /^ada-[0-9a-f]{6}$/)
      assert.deepStrictEqual([codes[1], codes[3]], ["agent", "zoe-co"])
      for (const code of codes) assert.match(code, /^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$/)
      for (const bad of ["", "   ", "a\nb", "\u202eevil", "x".repeat(81)]) {
        assert.strictEqual(yield* codeOf(make(bad)), "invalid_request", JSON.stringify(bad))
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("of twenty that want the same code at once one gets it", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const results = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.result(agents.activate({ displayName: "x", agentCode: "same", ownerId: undefined })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(results.filter(Result.isSuccess), 1)
      const unnamed = yield* Effect.forEach(Array.from({ length: 20 }), () => make("Bob"), { concurrency: "unbounded" })
      assert.strictEqual(new Set(unnamed.map(({ agentCode }) => agentCode)).size, 20)
    }).pipe(Effect.provide(layer))
  )

  it.effect("who may act for an agent: itself, its owner, the operator", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const ada = yield* make("Ada", "ann")
      const own = yield* make("Nobody's")
      const ann = { _tag: "Person", userId: "ann", isOperator: false } as const
      for (const actor of [as(ada.agentId), ann, operator]) yield* agents.actFor(actor, ada.agentId)
      for (const actor of [as(own.agentId), person("bob")]) {
        assert.deepInclude(yield* failure(agents.actFor(actor, ada.agentId)), {
          kind: "forbidden",
          code: "not_your_agent"
        })
        assert.strictEqual(yield* codeOf(agents.renew(actor, ada.agentId)), "not_your_agent")
      }
      assert.strictEqual(yield* codeOf(agents.actFor(person("ann"), own.agentId)), "not_your_agent")
      assert.strictEqual(yield* codeOf(agents.find("agt_\u0000")), "agent_not_found")
      assert.deepStrictEqual(
        (yield* agents.owned(ann)).map(({ agentId }) => agentId),
        [ada.agentId]
      )
      assert.lengthOf(yield* agents.owned({ ...ann, isOperator: true }), 2)
      // On the platform's own machine: for what nobody owns as well, and for nobody else's.
      const here = { ...ann, keepsUnowned: true }
      assert.strictEqual((yield* agents.actFor(here, own.agentId)).agentId, own.agentId)
      assert.lengthOf(yield* agents.owned(here), 2)
      const bob = { ...here, userId: "bob" }
      assert.strictEqual(yield* codeOf(agents.actFor(bob, ada.agentId)), "not_your_agent")
      assert.deepStrictEqual(
        (yield* agents.owned(bob)).map(({ agentId }) => agentId),
        [own.agentId]
      )
      const edited = yield* agents.edit(person("ann"), ada.agentId, { discoverable: false })
      assert.deepInclude(edited, { discoverable: false, contactable: true, displayName: "Ada" })
      assert.deepInclude(yield* agents.edit(as(ada.agentId), ada.agentId, { displayName: "Ada 2" }), {
        discoverable: false,
        displayName: "Ada 2"
      })
      assert.strictEqual(yield* codeOf(agents.edit(person("bob"), ada.agentId, {})), "not_your_agent")
    }).pipe(Effect.provide(layer))
  )

  it.effect("online is who keeps saying so; an older connection that leaves says nothing (law one-socket)", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const { agentId } = yield* make("Ada")
      const isOnline = Effect.map(agents.find(agentId), ({ online }) => online)
      const first = yield* comeOnline(agentId)
      const second = yield* comeOnline(agentId)
      assert.deepStrictEqual([first.epoch, second.epoch], [1, 2])
      yield* agents.go(agentId, first.epoch)
      assert.isTrue(yield* isOnline)
      const now = yield* Clock.currentTimeMillis
      const stay = (epoch: number, until: number) => agents.stay([{ agentId, epoch }], now + until)
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(yield* stay(first.epoch, 9e9), [agentId])
      yield* TestClock.adjust("2 minutes")
      assert.isFalse(yield* isOnline, "an older connection keeps nobody online")
      assert.deepStrictEqual(yield* stay(second.epoch, 2 * 3_600_000), [])
      assert.isTrue(yield* isOnline, "a connection that was slow is believed again")
      yield* agents.go(agentId, second.epoch)
      yield* stay(second.epoch, 3 * 3_600_000)
      assert.isFalse(yield* isOnline, "gone is gone")
      assert.strictEqual((yield* agents.come("agt_none", 9e15)).epoch, 0)
      assert.deepStrictEqual(yield* agents.stay([], 1), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("a thousand connections are kept online together", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const sql = yield* SqlClient.SqlClient
      const ids = Array.from({ length: 1_000 }, (_, i) => `agt_${String(i).padStart(4, "0")}`)
      const insert = (id: string) =>
        sql`INSERT INTO world_agents ${sql.insert({
          agent_id: id,
          agent_code: id,
          domain: "d",
          display_name: id,
          token_hash: id,
          discoverable: 1,
          contactable: 1,
          epoch: 3,
          online_until: 1_000,
          changed: 0,
          created_at: 0
        })}`
      yield* sql.withTransaction(Effect.forEach(ids, insert, { discard: true }))
      yield* agents.stay(
        ids.map((agentId, i) => ({ agentId, epoch: i % 2 === 0 ? 3 : 2 })),
        5_000
      )
      const rows = yield* sql`SELECT agent_id FROM world_agents WHERE online_until = 5000`
      assert.lengthOf(rows, 500)
    }).pipe(Effect.provide(layer))
  )

  it.effect("blocks are made once and undone, by whoever may act", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const sql = yield* SqlClient.SqlClient
      const [ada, bob] = [yield* make("Ada", "ann"), yield* make("Bob")]
      yield* agents.block(person("ann"), ada.agentId, bob.agentId)
      yield* agents.block(as(ada.agentId), ada.agentId, bob.agentId)
      assert.lengthOf(yield* sql`SELECT * FROM blocks`, 1)
      assert.strictEqual(yield* codeOf(agents.unblock(as(bob.agentId), ada.agentId, bob.agentId)), "not_your_agent")
      assert.strictEqual(yield* codeOf(agents.block(operator, ada.agentId, ada.agentId)), "cannot_block_self")
      assert.strictEqual(yield* codeOf(agents.block(operator, ada.agentId, "agt_none")), "agent_not_found")
      yield* agents.unblock(operator, ada.agentId, bob.agentId)
      yield* agents.unblock(operator, ada.agentId, bob.agentId)
      assert.lengthOf(yield* sql`SELECT * FROM blocks`, 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("feedback is kept, read page by page, and bounded", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const { agentId } = yield* make("Ada")
      const given = yield* Effect.forEach(Array.from({ length: 5 }), (_, i) =>
        agents.giveFeedback(agentId, { ...idea, title: ` ${i} ` })
      )
      assert.match(given[0]?.feedbackId ?? "", /^fb_/)
      const first = yield* agents.feedback({ limit: 3 })
      const rest = yield* agents.feedback({ limit: 3, before: first.next })
      assert.isUndefined(rest.next)
      const all = [...first.items, ...rest.items]
      assert.deepStrictEqual(new Set(all.map(({ title }) => title)), new Set(["0", "1", "2", "3", "4"]))
      assert.deepInclude(all[0], { agentId, details: idea.details, sessionId: "s", tags: ["map"], worldId: undefined })
      const fields = (more: object) =>
        Effect.map(failure(agents.giveFeedback(agentId, { ...idea, ...more })), ({ fieldErrors = [] }) =>
          fieldErrors.map(({ fieldId }) => fieldId)
        )
      assert.deepStrictEqual(yield* fields({ title: " " }), ["title"])
      assert.deepStrictEqual(
        yield* fields({ title: "x".repeat(201), details: { goal: "x".repeat(9000) }, tags: Array(21).fill("t") }),
        ["title", "details", "tags"]
      )
      assert.strictEqual(yield* codeOf(agents.giveFeedback("agt_none", idea)), "agent_not_found")
      for (let i = 5; i < 50; i++) yield* agents.giveFeedback(agentId, idea)
      assert.deepInclude(yield* failure(agents.giveFeedback(agentId, idea)), { kind: "busy", code: "rate_limited" })
      yield* TestClock.adjust("25 hours")
      yield* agents.giveFeedback(agentId, idea)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a person makes a hundred agents a day and no more", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 100; i++) yield* make(`Agent ${i}`, "ann")
      assert.deepInclude(yield* failure(make("One more", "ann")), { kind: "busy", code: "rate_limited" })
      yield* make("Another's", "bob")
      yield* TestClock.adjust("25 hours")
      yield* make("Next day", "ann")
    }).pipe(Effect.provide(layer))
  )
})
