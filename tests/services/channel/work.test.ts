/** The laws of the work on one task, over any order of events. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Work from "../../../src/services/channel/Work.ts"

const task = { taskId: "t1", title: "T", category: "07001", bounty: "5", deadline: undefined }
const start = Work.begin(task, "a", 0)

const Any = Schema.Union([
  Schema.TaggedStruct("Ask", {}),
  Schema.TaggedStruct("Take", {}),
  Schema.TaggedStruct("Decline", { why: Schema.String }),
  Schema.TaggedStruct("Got", { fencing: Schema.UndefinedOr(Schema.Int) }),
  Schema.TaggedStruct("Missed", { why: Schema.String }),
  Schema.TaggedStruct("Begin", {}),
  Schema.TaggedStruct("Done", { result: Schema.String }),
  Schema.TaggedStruct("Collected", { files: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("Archived", {}),
  Schema.TaggedStruct("Uploaded", { notes: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("Submitted", {}),
  Schema.TaggedStruct("GiveUp", { why: Schema.String }),
  Schema.TaggedStruct("Released", {}),
  Schema.TaggedStruct("Lost", { why: Schema.String }),
  Schema.TaggedStruct("Returned", { why: Schema.String }),
  Schema.TaggedStruct("Accepted", {})
])

/** A way: most often what fits, now and then anything. */
const Way = Schema.Array(Schema.Struct({ at: Schema.Int, event: Any }))
const usual: ReadonlyArray<Work.Event> = [
  { _tag: "Take" },
  { _tag: "Got", fencing: 1 },
  { _tag: "Begin" },
  { _tag: "Done", result: "r" },
  { _tag: "Collected", files: ["a"] },
  { _tag: "Archived" },
  { _tag: "Uploaded", notes: [] },
  { _tag: "Submitted" }
]

const run = (events: ReadonlyArray<Work.Event>) => {
  const seen: Array<Work.Job> = [start]
  let job = start
  for (const event of events) {
    const next = Work.step(job, event, seen.length)
    if (next === undefined) continue
    job = next
    seen.push(job)
  }
  return seen
}

const entries = (seen: ReadonlyArray<Work.Job>, state: Work.State, round?: number) =>
  seen.filter((job) => job.state === state && (round === undefined || job.round === round)).length

describe("the work on a task", () => {
  it("goes its way", () => {
    assert.deepStrictEqual(
      run(usual).map(({ state }) => state),
      ["chosen", "grabbing", "grabbed", "doing", "collecting", "archiving", "uploading", "submitting", "reported"]
    )
  })

  it.effect.prop(
    "law once: whatever happens in whatever order, one grab, one hand-in to a round, few runs",
    { way: Way },
    ({ way }) =>
      Effect.sync(() => {
        // The usual way, with anything put in between.
        const events: Array<Work.Event> = [...usual]
        for (const { at, event } of way) events.splice(Math.abs(at) % (events.length + 1), 0, event)
        const seen = run([...events, ...usual, ...events])
        assert.isAtMost(entries(seen, "grabbing"), 1)
        const rounds = (seen.at(-1)?.round ?? 0) + 1
        for (let round = 0; round < rounds; round++) {
          assert.isAtMost(entries(seen, "submitting", round), 1)
          assert.isAtMost(
            entries(
              seen.filter(({ accepted }) => accepted !== true),
              "reported",
              round
            ),
            1
          )
          assert.isAtMost(entries(seen, "doing", round), Work.maxRuns)
        }
        for (const [at, job] of seen.entries()) {
          // Nothing leaves an end but a deliverable that came back, and none comes back that was accepted.
          const before = seen[at - 1]
          if (before !== undefined && Work.isEnded(before)) {
            assert.strictEqual(before.state, "reported")
            assert.notStrictEqual(before.accepted, true)
            if (job.accepted === true)
              assert.deepStrictEqual({ ...job, changedAt: 0 }, { ...before, accepted: true, changedAt: 0 })
            else assert.strictEqual(job.round, before.round + 1)
          }
          // Nothing is owed, or given back, that was not grabbed.
          if (Work.isHeld(job) || job.state === "released" || job.state === "reported") {
            assert.isTrue(seen.slice(0, at).some(({ state }) => state === "grabbing"))
          }
          assert.deepStrictEqual(Schema.decodeUnknownSync(Work.Job)(JSON.parse(JSON.stringify(job))), job)
        }
        // Keys differ exactly where the doing does.
        const keys = new Set(seen.filter(({ state }) => state === "submitting").map(Work.keys.deliver))
        assert.strictEqual(keys.size, entries(seen, "submitting"))
        assert.strictEqual(new Set(seen.map(Work.keys.grab)).size, 1)
      })
  )

  it("limits are kept, exactly", () => {
    const limits = { categories: ["07001"], maxBounty: "10.5" }
    const allowed = (changes: { readonly category?: string; readonly bounty?: string; readonly deadline?: number }) =>
      Work.isAllowed({ ...task, ...changes }, limits, 100)
    assert.isTrue(allowed({}))
    assert.isTrue(allowed({ bounty: "10.50" }))
    for (const bounty of ["10.51", "11", "1e1", "-1", "", "999999999999999"])
      assert.isFalse(allowed({ bounty }), bounty)
    assert.isFalse(allowed({ category: "02001" }))
    assert.isFalse(allowed({ deadline: 100 }))
    assert.isTrue(allowed({ deadline: 101 }))
  })
})
