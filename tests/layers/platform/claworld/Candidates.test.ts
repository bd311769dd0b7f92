import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as changes from "../../../../src/layers/platform/claworld/changes.ts"
import * as SqlWorldAgents from "../../../../src/layers/platform/claworld/SqlWorldAgents.ts"
import * as SqlWorldCatalog from "../../../../src/layers/platform/claworld/SqlWorldCatalog.ts"
import * as Matching from "../../../../src/services/platform/Matching.ts"
import { WorldAgents, WorldCatalog } from "../../../../src/services/platform/Worlds.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { fullScan } from "./fullScan.ts"
import { as, codeOf, comeOnline, dating, enter, failure, make, online, over, person, profile } from "./worldFixtures.ts"

const feed = (agentId: string, limit = 10, worldId = dating) =>
  Effect.flatMap(WorldCatalog, (catalog) => catalog.candidates(as(agentId), worldId, agentId, { limit }))
const idsOf = (agentId: string, limit?: number) =>
  Effect.map(feed(agentId, limit), ({ candidates }) => candidates.map(({ targetAgentId }) => targetAgentId))

const member = Effect.fnUntraced(function* (name: string, interests: ReadonlyArray<string>, isOnline = true) {
  const agentId = isOnline ? yield* online(name) : (yield* make(name)).agentId
  yield* enter(agentId, profile(name, interests))
  return agentId
})

const talk = (requester_id: string, peer_id: string, status: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql`INSERT INTO conversations ${sql.insert({
        conversation_id: `${requester_id}${peer_id}${status}`,
        conversation_key: `${requester_id}${peer_id}`,
        chat_request_id: "r",
        requester_id,
        peer_id,
        policy: "{}",
        status,
        kickoff: "established",
        turn: 0,
        requester_hand: 0,
        peer_hand: 0,
        silences: 0,
        started_at: 0,
        updated_at: 0
      })}`
  )

forEachDatabase("Candidates", (stores, runs) => {
  const layer = over(stores())

  it.effect("the closest come first, each with score, reason and what it says of itself", () =>
    Effect.gen(function* () {
      const ada = yield* member("Ada", ["jazz", "trail running", "tea"])
      const near = yield* member("Near", ["Jazz", "tea", "trail running"])
      const far = yield* member("Far", ["chess"])
      const half = yield* member("Half", ["tea"])
      const { candidates, ...rest } = yield* feed(ada)
      assert.deepInclude(rest, { worldId: dating, mode: "scored_push", status: "ready" })
      assert.deepStrictEqual(
        candidates.map(({ rank, score, targetAgentId }) => [targetAgentId, rank, score]),
        [
          [near, 1, 75],
          [half, 2, 56],
          [far, 3, 50]
        ]
      )
      assert.deepStrictEqual(candidates[0], {
        candidateId: `${dating}:${near}`,
        targetAgentId: near,
        displayName: "Near",
        worldRole: "member",
        headline: "Near",
        online: true,
        rank: 1,
        score: 75,
        reasonSummary:
          'In common: "somebody", "talk" in Looking for · 想找什么; "berlin" in Place · 所在地; "jazz", "trail", "running", "tea" in Interests · 兴趣.',
        matchedFieldIds: ["intent", "location", "interests"],
        profileSummary:
          "Headline · 一句话介绍: Near; Looking for · 想找什么: Somebody to talk to; Place · 所在地: Berlin; Interests · 兴趣: Jazz, tea, trail running"
      })
      assert.deepStrictEqual(yield* idsOf(ada, 2), [near, half])
      assert.deepStrictEqual(yield* idsOf(ada, -3), [near])
      assert.lengthOf(yield* idsOf(ada, 1e9), 3)
      assert.lengthOf(yield* idsOf(ada, Number.NaN), 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("online only: whoever goes, or falls silent, is shown no more (law online-only)", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const ada = yield* member("Ada", ["tea"])
      const away = yield* member("Away", ["tea"], false)
      const bob = yield* member("Bob", ["tea"])
      assert.deepStrictEqual(yield* idsOf(ada), [bob])
      const { epoch } = yield* comeOnline(away)
      assert.deepStrictEqual(new Set(yield* idsOf(ada)), new Set([away, bob]))
      yield* agents.go(away, epoch)
      assert.deepStrictEqual(yield* idsOf(ada), [bob])
      const now = yield* Clock.currentTimeMillis
      const later = yield* agents.come(away, now + 10_000)
      assert.lengthOf(yield* idsOf(ada), 2)
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual(yield* idsOf(ada), [bob], "no row has changed, but its time is over")
      yield* agents.stay([{ agentId: away, epoch: later.epoch }], now + 60_000)
      assert.lengthOf(yield* idsOf(ada), 2, "it is believed again")
      yield* TestClock.adjust("2 hours")
      assert.deepInclude(yield* feed(ada), { status: "empty", candidates: [] })
    }).pipe(Effect.provide(layer))
  )

  it.effect("a hundred whose time has run out together make room for those behind them", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const now = yield* Clock.currentTimeMillis
      const ada = yield* member("Ada", ["tea"])
      const lasting = yield* member("Lasting", ["chess"])
      for (let i = 0; i < 100; i++) {
        const { agentId } = yield* make(`Short ${i}`)
        yield* agents.come(agentId, now + 5_000)
        yield* enter(agentId, profile("Short", ["tea"]))
      }
      assert.notInclude(yield* idsOf(ada), lasting)
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* idsOf(ada, 1), [lasting])
    }).pipe(Effect.provide(layer))
  )

  it.effect("left out: oneself, the hidden, the blocked either way, those one talks with, those who left", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const ada = yield* member("Ada", ["tea"])
      const names = ["Hidden", "Blocked", "Blocks", "Talks", "Asked", "Ended", "Left"]
      const [hidden = "", blocked = "", blocks = "", talks = "", asked = "", ended = "", left = ""] =
        yield* Effect.forEach(names, (name) => member(name, ["tea"]))
      assert.lengthOf(yield* idsOf(ada), 7)
      yield* agents.edit(as(hidden), hidden, { discoverable: false })
      yield* agents.block(as(ada), ada, blocked)
      yield* agents.block(as(blocks), blocks, ada)
      yield* talk(ada, talks, "active")
      yield* talk(asked, ada, "opening")
      yield* talk(ada, ended, "ended")
      yield* (yield* WorldCatalog).leave(as(left), dating, left)
      assert.deepStrictEqual(yield* idsOf(ada), [ended])
      yield* agents.edit(as(hidden), hidden, { discoverable: true })
      yield* agents.unblock(as(ada), ada, blocked)
      assert.deepStrictEqual(new Set(yield* idsOf(ada)), new Set([ended, hidden, blocked]))
    }).pipe(Effect.provide(layer))
  )

  it.effect("equals come by the latest activity, then by id; a changed profile counts at once", () =>
    Effect.gen(function* () {
      const ada = yield* member("Ada", ["tea"])
      const [one = "", two = "", three = ""] = yield* Effect.forEach(["One", "Two", "Three"], (name) =>
        member(name, ["tea"])
      )
      assert.deepStrictEqual(yield* idsOf(ada), [one, two, three].sort())
      yield* TestClock.adjust("2 minutes")
      yield* feed(two)
      assert.strictEqual((yield* idsOf(ada))[0], two)
      yield* TestClock.adjust("2 minutes")
      yield* enter(three, profile("Three", ["chess"]))
      const now = yield* idsOf(ada)
      assert.deepStrictEqual([now[0], now[2]], [two, three])
    }).pipe(Effect.provide(layer))
  )

  it.effect("one may look for something else than one's own answers, by the fields of the search", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const worldId = "skill-exchange-world"
      const answers = (capabilities: ReadonlyArray<string>, budgetBand: string) => ({
        headline: "Hello",
        capabilities,
        budgetBand
      })
      const ada = yield* online("Ada", "ann")
      yield* enter(ada, answers(["cooking"], "0-100"), worldId)
      const coder = yield* online("Coder")
      yield* enter(coder, answers(["C++", "typescript"], "500-2000"), worldId)
      const cook = yield* online("Cook")
      yield* enter(cook, answers(["烘焙", "cooking"], "0-100"), worldId)
      const look = (input?: Readonly<Record<string, unknown>>, actor = as(ada)) =>
        catalog.candidates(actor, worldId, ada, { limit: 10, input })
      assert.deepStrictEqual(
        (yield* look()).candidates.map(({ score, targetAgentId }) => [targetAgentId, score]),
        [
          [cook, 100],
          [coder, 14]
        ]
      )
      const found = yield* look({ capabilities: ["c++"], budgetBand: "500-2000" }, person("ann"))
      assert.deepInclude(found.candidates[0], {
        targetAgentId: coder,
        score: 100,
        matchedFieldIds: ["capabilities", "budgetBand"]
      })
      assert.strictEqual((yield* look({ capabilities: "烘焙" })).candidates[0]?.targetAgentId, cook)
      assert.strictEqual((yield* look({})).candidates[0]?.score, 0)
      const refused = yield* failure(look({ headline: "x", budgetBand: "cheap", capabilities: 7 }))
      assert.strictEqual(refused.code, "invalid_request")
      assert.deepStrictEqual(
        refused.fieldErrors?.map(({ fieldId }) => fieldId),
        ["capabilities", "budgetBand", "headline"]
      )
      assert.strictEqual(yield* codeOf(look({}, person("bob"))), "not_your_agent")
    }).pipe(Effect.provide(layer))
  )

  const Step = Schema.Struct({
    op: Schema.Literals(["come", "go", "rewrite", "leave", "hide", "block", "pass", "look", "elsewhere"]),
    who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 })),
    luck: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
  })
  const vocabulary = ["tea", "jazz", "chess", "film", "hiking", "徒步旅行", "C++", "Tee"]
  const likes = (luck: number) => vocabulary.filter((_, i) => (luck >> (i % 6)) % 2 === 1 || i === luck % 8)

  it.effect.prop(
    "whatever happens in whatever order, in this process or another, the index gives what a full scan gives",
    [Schema.Array(Step).check(Schema.isMinLength(5), Schema.isMaxLength(40))],
    ([steps]) =>
      Effect.gen(function* () {
        const here = yield* Effect.all([WorldAgents, WorldCatalog])
        // Another process over the same database has an index of its own.
        const context = yield* Layer.build(
          Layer.fresh(SqlWorldCatalog.layer).pipe(
            Layer.provideMerge(SqlWorldAgents.layer()),
            Layer.provide(SecureRandom.layerWebCrypto)
          )
        )
        const there = yield* Effect.provideContext(Effect.all([WorldAgents, WorldCatalog]), context)
        const ids = yield* Effect.forEach(Array.from({ length: 12 }), (_, i) =>
          member(`Agent ${i}`, likes(i * 7), i % 3 !== 0)
        )
        const epochs = new Map<string, number>()
        const compare = Effect.fnUntraced(function* (who: string, limit: number) {
          for (const [, catalog] of [here, there]) {
            const scanned = yield* fullScan(dating, who, limit)
            const feed = yield* catalog.candidates(as(who), dating, who, { limit })
            assert.deepStrictEqual(
              feed.candidates.map(({ score, targetAgentId }) => [targetAgentId, score]),
              scanned.map(({ agentId, score }) => [agentId, score])
            )
          }
        })
        let elsewhere = false
        for (const { luck, op, who } of steps) {
          const [agents, catalog] = elsewhere ? there : here
          const agentId = ids[who] ?? ""
          const now = yield* Clock.currentTimeMillis
          const isIn = yield* Effect.isSuccess(catalog.candidates(as(agentId), dating, agentId, { limit: 1 }))
          switch (op) {
            case "come":
              epochs.set(agentId, (yield* agents.come(agentId, now + luck * 10_000)).epoch)
              break
            case "go":
              yield* agents.go(agentId, epochs.get(agentId) ?? 1)
              break
            case "rewrite":
              yield* catalog.join(as(agentId), dating, agentId, { profileSnapshot: profile("New", likes(luck)) })
              break
            case "leave":
              if (isIn) yield* catalog.leave(as(agentId), dating, agentId)
              break
            case "hide":
              yield* agents.edit(as(agentId), agentId, { discoverable: luck % 2 === 0 })
              break
            case "block": {
              const other = ids[(who + luck) % 12] ?? ""
              if (other !== agentId) yield* agents.block(as(agentId), agentId, other)
              break
            }
            case "pass":
              yield* TestClock.adjust(`${luck * 5} seconds`)
              break
            case "elsewhere":
              elsewhere = !elsewhere
              break
            case "look":
              if (isIn) yield* compare(agentId, 1 + (luck % 12))
          }
        }
        for (const agentId of ids) {
          if (yield* Effect.isSuccess(feed(agentId))) yield* compare(agentId, 5)
        }
      }).pipe(Effect.scoped, Effect.provide(over(stores()))),
    { arbitrary: { runs: runs(16) } }
  )

  it.effect("what many change at once is all seen by whoever asks afterwards, also if it asked in between", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const ids = yield* Effect.forEach(Array.from({ length: 16 }), (_, i) => member(`Agent ${i}`, likes(i)))
      const now = yield* Clock.currentTimeMillis
      const change = (agentId: string, i: number) => {
        if (i % 4 === 0) return agents.go(agentId, 1)
        if (i % 4 === 1) return enter(agentId, profile("New", likes(i * 5)))
        if (i % 4 === 2) return agents.edit(as(agentId), agentId, { discoverable: i % 8 === 2 })
        return agents.come(agentId, now + 60_000)
      }
      for (let turn = 0; turn < 4; turn++) {
        yield* Effect.forEach(
          ids.flatMap((agentId, i) =>
            [agentId, ids[(i * 7) % 16] ?? agentId].map((id, j) => [id, i + j + turn] as const)
          ),
          ([agentId, i]) => (i % 5 === 4 ? Effect.asVoid(feed(agentId)) : Effect.asVoid(change(agentId, i))),
          { concurrency: "unbounded" }
        )
        for (const agentId of ids.slice(0, 3)) {
          const scanned = yield* fullScan(dating, agentId, 16)
          assert.deepStrictEqual(
            yield* idsOf(agentId, 16),
            scanned.map(({ agentId }) => agentId)
          )
        }
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("a change that began first and commits last is not passed over", () =>
    Effect.gen(function* () {
      const agents = yield* WorldAgents
      const sql = yield* SqlClient.SqlClient
      const ada = yield* member("Ada", ["tea"])
      const [slow = "", quick = "", stays = ""] = yield* Effect.forEach(["Slow", "Quick", "Stays"], (name) =>
        member(name, ["tea"])
      )
      yield* agents.edit(as(slow), slow, { discoverable: false })
      assert.lengthOf(yield* idsOf(ada), 2)
      const begun = yield* Deferred.make<void>()
      const mayCommit = yield* Deferred.make<void>()
      const show = Effect.gen(function* () {
        const changed = yield* changes.draw(sql)
        yield* sql`UPDATE world_agents SET discoverable = 1, changed = ${changed} WHERE agent_id = ${slow}`
        yield* Deferred.succeed(begun, undefined)
        yield* Deferred.await(mayCommit)
      })
      // SQLite has one writer at a time, and nobody reads beside it here.
      const isAlone = sql.onDialectOrElse({ pg: () => false, orElse: () => true })
      if (isAlone) yield* Deferred.succeed(mayCommit, undefined)
      const first = yield* Effect.forkChild(sql.withTransaction(show))
      yield* Deferred.await(begun)
      const second = yield* Effect.forkChild(agents.edit(as(quick), quick, { discoverable: false }))
      for (let i = 0; i < 30; i++) yield* feed(ada)
      yield* Deferred.succeed(mayCommit, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(new Set(yield* idsOf(ada)), new Set([slow, stays]))
    }).pipe(Effect.provide(layer))
  )

  it.effect("terms that were read by other rules are read anew", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ada = yield* member("Ada", ["tea"])
      yield* member("Bob", ["tea"])
      yield* sql`UPDATE memberships SET terms = '{"headline":["old"]}', matching = ${Matching.version - 1}`
      const { candidates } = yield* feed(ada)
      assert.deepInclude(candidates[0], { score: 75, matchedFieldIds: ["intent", "location", "interests"] })
    }).pipe(Effect.provide(layer))
  )
})
