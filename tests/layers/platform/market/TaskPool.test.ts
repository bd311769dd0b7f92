import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Artifacts } from "../../../../src/services/platform/Artifacts.ts"
import { Files } from "../../../../src/services/platform/Files.ts"
import { TaskPool } from "../../../../src/services/platform/TaskPool.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { balanced, newAgent, task } from "./fixtures.ts"

const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)

const deliver = (clawId: string, taskId: string, fencing?: number, attempt?: string) =>
  Effect.flatMap(TaskPool, (pool) =>
    pool.deliver(clawId, taskId, { resultDescription: "Done.", archiveId: undefined, fencing, attempt })
  )

forEachDatabase("TaskPool", (stores) => {
  it.effect("a task goes its whole way, and the bounty with it to the agent's owner (law ledger-zero)", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent("owner")
      const posted = yield* pool.post("ann", { ...task, title: "  Clean  " })
      assert.deepInclude(posted, { title: "Clean", status: "available", bounty: "12.5", creatorId: "ann" })
      assert.strictEqual((yield* pool.ledger("ann", { limit: 9 })).balance, "987.5")
      const { lease, task: grabbed } = yield* pool.grab(claw, posted.taskId)
      assert.deepInclude(grabbed, { status: "assigned", assignedClawId: claw })
      assert.strictEqual(lease.fencing, 1)
      assert.strictEqual((yield* pool.setStatus(claw, posted.taskId, "in_progress", 1)).status, "in_progress")
      const kept = yield* pool.keep(claw, posted.taskId, 1)
      assert.strictEqual(kept.fencing, 1)
      assert.deepInclude(yield* deliver(claw, posted.taskId, 1), { status: "completed", review: "pending" })
      const shown = yield* pool.findMine("ann", posted.taskId)
      assert.strictEqual(shown.deliverable?.resultDescription, "Done.")
      assert.strictEqual((yield* pool.accept("ann", posted.taskId)).review, "accepted")
      const own = yield* pool.ledger("owner", { limit: 9 })
      assert.strictEqual(own.balance, "1012.5")
      assert.deepStrictEqual(
        own.items.map(({ amount, balance, kind }) => [kind, amount, balance]),
        [
          ["pay", "12.5", "1012.5"],
          ["grant", "1000", "1000"]
        ]
      )
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("the one who posted sees until when the grab holds, and when it is accepted by itself", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const posted = yield* pool.post("ann", task)
      assert.deepInclude(posted, { heldAt: undefined, leaseUntil: undefined, reviewUntil: undefined })
      yield* TestClock.adjust("1 minute")
      const { grabbedAt, lease } = yield* pool.grab(claw, posted.taskId)
      assert.deepInclude(yield* pool.findMine("ann", posted.taskId), {
        heldAt: grabbedAt,
        leaseUntil: lease.until,
        reviewUntil: undefined
      })
      yield* deliver(claw, posted.taskId, 1)
      const handedIn = yield* pool.findMine("ann", posted.taskId)
      assert.isUndefined(handedIn.leaseUntil)
      assert.isAbove(handedIn.reviewUntil ?? 0, handedIn.updatedAt)
      yield* TestClock.adjust("1 minute")
      const returned = yield* pool.giveBack("ann", posted.taskId, "Once more.")
      assert.strictEqual(returned.heldAt, grabbedAt + 60_000)
      assert.isAbove(returned.leaseUntil ?? 0, grabbedAt + 60_000)
      assert.isUndefined(returned.reviewUntil)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("an agent that nobody owns sees what it earned; of one that has an owner they have it", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const [free, owned] = [yield* newAgent(), yield* newAgent("owner")]
      const nothing = yield* pool.earned(free, { limit: 9 })
      assert.deepInclude(nothing, { balance: "0", items: [], isOwned: false })
      for (const claw of [free, free, owned]) {
        const { taskId } = yield* pool.post("ann", task)
        yield* pool.grab(claw, taskId)
        yield* deliver(claw, taskId)
        yield* pool.accept("ann", taskId)
      }
      const { balance, isOwned, items, next } = yield* pool.earned(free, { limit: 1 })
      assert.deepStrictEqual([balance, isOwned, items.map(({ amount }) => amount)], ["25", false, ["12.5"]])
      const older = yield* pool.earned(free, { limit: 1, before: next })
      assert.deepStrictEqual([older.items.map((entry) => entry.balance), older.next], [["12.5"], undefined])
      assert.deepInclude(yield* pool.earned(owned, { limit: 9 }), { balance: "0", items: [], isOwned: true })
      assert.strictEqual((yield* pool.ledger("owner", { limit: 1 })).balance, "1012.5")
      assert.deepInclude(yield* pool.earned("claw_unknown", { limit: 9 }), { balance: "0", items: [] })
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("law one-winner: a hand-in that was sent back is not taken again, also after the next one", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const { taskId } = yield* pool.post("ann", task)
      yield* pool.grab(claw, taskId)
      const handIn = (attempt: string) =>
        pool.deliver(claw, taskId, { resultDescription: attempt, archiveId: undefined, attempt })
      for (const attempt of ["first", "second"]) {
        assert.strictEqual((yield* handIn(attempt)).status, "completed")
        assert.strictEqual((yield* handIn(attempt)).status, "completed")
        yield* pool.giveBack("ann", taskId, "Once more.")
      }
      // Late repeats, as a frozen machine sends them.
      for (const attempt of ["first", "second"]) {
        assert.strictEqual((yield* handIn(attempt)).status, "in_progress")
        assert.strictEqual((yield* pool.delivered(claw, taskId, attempt))?.status, "in_progress")
      }
      assert.strictEqual((yield* handIn("third")).status, "completed")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("of fifty that grab at once one wins, the others are told so (law one-winner)", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const { taskId } = yield* pool.post("ann", task)
      const claws = yield* Effect.forEach(Array.from({ length: 50 }), () => newAgent())
      const results = yield* Effect.forEach(claws, (claw) => Effect.result(pool.grab(claw, taskId)), {
        concurrency: "unbounded"
      })
      const won = results.filter(Result.isSuccess)
      assert.lengthOf(won, 1)
      for (const result of results) {
        if (Result.isFailure(result)) assert.deepInclude(result.failure, { _tag: "Taken", isOwn: false })
      }
      const holder = claws[results.findIndex(Result.isSuccess)] ?? ""
      assert.strictEqual((yield* pool.findMine("ann", taskId)).assignedClawId, holder)
      assert.strictEqual(yield* tagOf(pool.find(claws.find((claw) => claw !== holder) ?? "", taskId)), "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("one attempt again gives the same answer: posted, grabbed, handed in, accepted once", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const [first, second] = yield* Effect.all([pool.post("ann", task, "p"), pool.post("ann", task, "p")], {
        concurrency: 2
      })
      assert.strictEqual(first.taskId, second.taskId)
      assert.strictEqual(yield* tagOf(pool.post("ann", { ...task, bounty: "1" }, "p")), "Conflict")
      assert.notStrictEqual((yield* pool.post("bob", task, "p")).taskId, first.taskId)
      const { taskId } = first
      const grabbed = yield* pool.grab(claw, taskId, "g")
      assert.deepStrictEqual(yield* pool.grab(claw, taskId, "g"), grabbed)
      assert.deepInclude(yield* Effect.flip(pool.grab(claw, taskId, "h")), { _tag: "Taken", isOwn: true })
      yield* deliver(claw, taskId, 1, "d")
      assert.strictEqual((yield* deliver(claw, taskId, 1, "d")).review, "pending")
      assert.strictEqual(yield* tagOf(deliver(claw, taskId, 1, "e")), "WrongState")
      yield* pool.giveBack("ann", taskId, "A space is left.")
      // What the network says late is no second deliverable.
      assert.strictEqual((yield* deliver(claw, taskId, 1, "d")).status, "in_progress")
      yield* deliver(claw, taskId, 1, "e")
      yield* pool.accept("ann", taskId, "a")
      assert.strictEqual((yield* pool.accept("ann", taskId, "a")).review, "accepted")
      assert.strictEqual(yield* tagOf(pool.accept("ann", taskId)), "WrongState")
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a grab that runs out is open to others, and the late one is shut out by its number", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const [slow, quick] = [yield* newAgent(), yield* newAgent()]
      const { taskId } = yield* pool.post("ann", task)
      yield* pool.grab(slow, taskId)
      yield* pool.keep(slow, taskId, 1)
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(yield* pool.sweep, 0)
      yield* pool.keep(slow, taskId, 1)
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(yield* pool.sweep, 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* tagOf(pool.keep(slow, taskId, 1)), "LeaseLost")
      assert.strictEqual(yield* tagOf(deliver(slow, taskId, 1)), "LeaseLost")
      assert.strictEqual(yield* pool.sweep, 1)
      assert.strictEqual(yield* pool.sweep, 0)
      assert.strictEqual((yield* pool.grab(quick, taskId)).lease.fencing, 2)
      assert.strictEqual(yield* tagOf(deliver(slow, taskId, 1)), "LeaseLost")
      assert.strictEqual(yield* tagOf(deliver(slow, taskId)), "NotFound")
      assert.strictEqual(yield* tagOf(pool.release(slow, taskId, { fencing: 1, reason: "late" })), "LeaseLost")
      yield* deliver(quick, taskId, 2)
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("without a sign of life a grab holds half an hour, and with them not for ever", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const { taskId } = yield* pool.post("ann", task)
      yield* pool.grab(claw, taskId)
      yield* TestClock.adjust("29 minutes")
      assert.strictEqual(yield* pool.sweep, 0)
      let kept = 0
      while (kept < 100) {
        const isKept = yield* Effect.isSuccess(pool.keep(claw, taskId, 1))
        if (!isKept) break
        kept += 1
        yield* TestClock.adjust("4 minutes")
      }
      assert.isBelow(Math.abs(kept * 4 + 29 - 120), 10)
    }).pipe(Effect.provide(stores({ market: { longest: "2 hours" } })))
  )

  it.effect("what is given back or cancelled", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const { taskId } = yield* pool.post("ann", task)
      yield* pool.grab(claw, taskId)
      assert.strictEqual(yield* tagOf(pool.withdraw("ann", taskId)), "WrongState")
      assert.strictEqual(yield* tagOf(pool.edit("ann", taskId, { bounty: "1" })), "WrongState")
      yield* pool.release(claw, taskId, { reason: "no time" })
      assert.strictEqual(yield* tagOf(deliver(claw, taskId)), "WrongState")
      assert.strictEqual((yield* pool.available({ page: 1, pageSize: 9 })).total, 1)
      yield* pool.grab(claw, taskId)
      assert.strictEqual(yield* tagOf(pool.setStatus(claw, taskId, "completed")), "WrongState")
      assert.strictEqual((yield* pool.setStatus(claw, taskId, "cancelled")).status, "cancelled")
      assert.strictEqual((yield* pool.setStatus(claw, taskId, "cancelled")).status, "cancelled")
      assert.strictEqual(yield* tagOf(pool.grab(claw, taskId)), "WrongState")
      assert.strictEqual((yield* pool.ledger("ann", { limit: 1 })).balance, "1000")
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a deadline ends what is not handed in; what is sent back has a day more", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const deadline = 3_600_000
      const open = yield* pool.post("ann", { ...task, deadline })
      const held = yield* pool.post("ann", { ...task, deadline })
      const done = yield* pool.post("ann", { ...task, deadline })
      yield* pool.grab(claw, held.taskId)
      yield* pool.grab(claw, done.taskId)
      yield* deliver(claw, done.taskId, 1)
      yield* TestClock.adjust("25 minutes")
      yield* pool.setStatus(claw, held.taskId, "in_progress")
      yield* TestClock.adjust("30 minutes")
      yield* pool.giveBack("ann", done.taskId, "Not yet.")
      assert.strictEqual((yield* pool.available({ page: 1, pageSize: 9 })).total, 1)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* pool.available({ page: 1, pageSize: 9 })).total, 0)
      assert.strictEqual(yield* tagOf(pool.grab(claw, open.taskId)), "WrongState")
      assert.include(["WrongState", "LeaseLost"], yield* tagOf(deliver(claw, held.taskId)))
      yield* pool.sweep
      for (const { taskId } of [open, held]) {
        assert.strictEqual((yield* pool.findMine("ann", taskId)).status, "cancelled")
      }
      assert.strictEqual((yield* deliver(claw, done.taskId, 1)).status, "completed")
      assert.strictEqual((yield* pool.ledger("ann", { limit: 1 })).balance, "987.5")
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("what nobody looks at is accepted after its time, once", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const claw = yield* newAgent()
      const { taskId } = yield* pool.post("ann", task)
      yield* pool.grab(claw, taskId)
      yield* deliver(claw, taskId)
      yield* TestClock.adjust("3 days")
      const moved = yield* Effect.all([pool.sweep, pool.sweep], { concurrency: 2 })
      assert.strictEqual(moved[0] + moved[1], 1)
      assert.strictEqual((yield* pool.findMine("ann", taskId)).review, "accepted")
      assert.strictEqual(yield* tagOf(pool.giveBack("ann", taskId, "too late")), "WrongState")
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("points are reserved to the last hundredth and never go below zero", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const posted = yield* pool.post("ann", { ...task, bounty: "999.99" })
      const refused = yield* Effect.flip(pool.post("ann", { ...task, bounty: "0.02" }))
      assert.deepInclude(refused, { _tag: "Invalid", param: "bounty" })
      assert.include(refused.message, "0.01 points")
      yield* pool.post("ann", { ...task, bounty: "0.01" })
      assert.strictEqual((yield* pool.ledger("ann", { limit: 1 })).balance, "0")
      yield* pool.edit("ann", posted.taskId, { bounty: "0.1", title: "Cheaper" })
      assert.strictEqual((yield* pool.ledger("ann", { limit: 1 })).balance, "999.89")
      assert.deepInclude(yield* Effect.flip(pool.edit("ann", posted.taskId, { bounty: "1000" })), { param: "bounty" })
      assert.strictEqual((yield* pool.findMine("ann", posted.taskId)).bounty, "0.1")
      const at = yield* Effect.forEach(
        Array.from({ length: 30 }),
        () => Effect.isSuccess(pool.post("ann", { ...task, bounty: "100" })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(at.filter(Boolean), 9)
      assert.strictEqual((yield* pool.ledger("ann", { limit: 1 })).balance, "99.89")
      yield* pool.withdraw("ann", posted.taskId)
      assert.strictEqual((yield* pool.ledger("ann", { limit: 1 })).balance, "99.99")
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("what cannot be taken is refused with the name of the field", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      yield* TestClock.adjust("1 day")
      for (const [changes, param] of [
        [{ bounty: "-1" }, "bounty"],
        [{ bounty: "0" }, "bounty"],
        [{ bounty: "0.001" }, "bounty"],
        [{ bounty: "1e3" }, "bounty"],
        [{ bounty: "NaN" }, "bounty"],
        [{ bounty: "999999999" }, "bounty"],
        [{ bounty: "99999999999999999999" }, "bounty"],
        [{ category: "text" }, "category"],
        [{ category: "7001" }, "category"],
        [{ deadline: 1 }, "deadline"],
        [{ deadline: Number.NaN }, "deadline"],
        [{ deadline: 9e15 }, "deadline"],
        [{ title: " \n " }, "title"],
        [{ title: "x".repeat(201) }, "title"],
        [{ description: "\u0000" }, "description"],
        [{ description: "x".repeat(20_001) }, "description"],
        [{ inputFiles: ["file_of_nobody"] }, "input_files"]
      ] as const) {
        const refused = yield* Effect.flip(pool.post("ann", { ...task, ...changes }))
        assert.deepInclude(refused, { _tag: "Invalid", param }, JSON.stringify(changes))
      }
      assert.strictEqual((yield* pool.mine("ann", { limit: 9 })).items.length, 0)
      const files = yield* Files
      const input = { userId: "bob", filename: "a.txt", mediaType: "text/plain" }
      const { fileId } = yield* files.store(input, Stream.make(new TextEncoder().encode("a")))
      assert.strictEqual(yield* tagOf(pool.post("ann", { ...task, inputFiles: [fileId] })), "Invalid")
      assert.deepStrictEqual((yield* pool.post("bob", { ...task, inputFiles: [fileId] })).inputFiles, [fileId])
      for (const tag of [
        tagOf(pool.grab("claw", "task_unknown")),
        tagOf(pool.find("claw", "a\u0000")),
        tagOf(pool.findMine("bob", "nothing")),
        tagOf(pool.accept("bob", "")),
        tagOf(deliver("claw", "nothing"))
      ]) {
        assert.strictEqual(yield* tag, "NotFound")
      }
      yield* balanced
    }).pipe(Effect.provide(stores()))
  )

  it.effect("pages are whole, newest first, by category; an agent holds only so many", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const ids: Array<string> = []
      for (let i = 0; i < 7; i++) {
        const category = i % 2 === 0 ? "07001" : "02001"
        ids.unshift((yield* pool.post("ann", { ...task, bounty: "1", category })).taskId)
        yield* TestClock.adjust("1 second")
      }
      const pages = yield* Effect.forEach([1, 2, 3, 4], (page) => pool.available({ page, pageSize: 3 }))
      assert.deepStrictEqual(
        pages.flatMap(({ items }) => items.map(({ taskId }) => taskId)),
        ids
      )
      assert.deepStrictEqual(new Set(pages.map(({ total }) => total)), new Set([7]))
      assert.strictEqual((yield* pool.available({ page: 1, pageSize: 9, category: "02001" })).total, 3)
      assert.strictEqual((yield* pool.available({ page: 1, pageSize: 9, category: "' OR 1" })).total, 0)
      const first = yield* pool.mine("ann", { limit: 4 })
      const second = yield* pool.mine("ann", { limit: 4, before: first.next })
      assert.deepStrictEqual(
        [...first.items, ...second.items].map(({ taskId }) => taskId),
        ids
      )
      assert.isUndefined(second.next)
      assert.lengthOf((yield* pool.mine("ann", { limit: 9, status: "completed" })).items, 0)
      const claw = yield* newAgent()
      for (const id of ids.slice(0, 2)) yield* pool.grab(claw, id)
      assert.strictEqual(yield* tagOf(pool.grab(claw, ids[3] ?? "")), "LimitReached")
      assert.strictEqual(yield* tagOf(pool.post("ann", task)), "LimitReached")
    }).pipe(Effect.provide(stores({ market: { maxHeld: 2, maxOpen: 7 } })))
  )

  it.effect("an archive counts for its task and its agent only", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool
      const artifacts = yield* Artifacts
      const [claw, other] = [yield* newAgent(), yield* newAgent()]
      const mine = yield* pool.post("ann", task)
      const another = yield* pool.post("ann", task)
      yield* pool.grab(claw, mine.taskId)
      yield* pool.grab(other, another.taskId)
      const put = (clawId: string, taskId: string) =>
        artifacts.store(
          {
            clawId,
            taskId,
            sessionId: undefined,
            filename: "../../a.txt",
            mediaType: "text/plain",
            archive: false,
            sha256: undefined,
            attempt: undefined
          },
          Stream.make(new TextEncoder().encode("same"))
        )
      const [good, extra, foreign] = [
        yield* put(claw, mine.taskId),
        yield* put(claw, mine.taskId),
        yield* put(other, another.taskId)
      ]
      const input = { resultDescription: "Done", archiveId: foreign.artifactId }
      assert.deepInclude(yield* Effect.flip(pool.deliver(claw, mine.taskId, input)), { param: "zip_file" })
      yield* pool.deliver(claw, mine.taskId, { ...input, archiveId: good.artifactId })
      const { deliverable } = yield* pool.findMine("ann", mine.taskId)
      assert.deepInclude(deliverable, { archiveId: good.artifactId, artifactIds: [extra.artifactId] })
      yield* artifacts.remove(claw, good.artifactId)
      assert.strictEqual((yield* artifacts.find(good.artifactId)).filename, "a.txt")
    }).pipe(Effect.provide(stores()))
  )
})
