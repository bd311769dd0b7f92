import { assert, describe, it } from "@effect/vitest"
import { readRoute, writeRoute } from "../../src/ui/places/market/route.ts"
import { limits, read } from "../../src/ui/places/market/state/csv.ts"
import type { Values } from "../../src/ui/places/market/state/form.ts"
import * as form from "../../src/ui/places/market/state/form.ts"
import { newestArtifacts, readDetail, readPoints, standingOf } from "../../src/ui/places/market/state/model.ts"
import { lookOf } from "../../src/ui/places/market/state/preview.ts"
import { timeline } from "../../src/ui/places/market/state/timeline.ts"

const now = Date.UTC(2027, 0, 10, 12)
const good: Values = { title: "T", description: "D", category: "07001", bounty: "12.5", deadline: "" }
const check = (patch: Partial<Values>, points: string | undefined = "1000") =>
  form.check({ ...good, ...patch }, { now, points })

const task = (patch: object) =>
  readDetail({
    id: "task_1",
    title: "T",
    bounty: "5",
    status: "available",
    review: null,
    created_at: 1_000,
    updated_at: 1_000,
    deadline: null,
    files: [],
    deliverable: null,
    ...patch
  })

describe("the form of a task", () => {
  it("takes what the platform takes", () => {
    for (const bounty of ["12.5", "0.01", "1000", " 7 ", "12,5", "１２．５"])
      assert.deepStrictEqual(check({ bounty }), {}, bounty)
  })
  it("says what is wrong, field by field", () => {
    assert.deepStrictEqual(form.check(form.empty, { now, points: "1000" }), {
      title: "title.empty",
      description: "description.empty",
      category: "category.empty",
      bounty: "bounty.shape"
    })
    const bounties: Readonly<Record<string, form.FaultCode>> = {
      "-1": "bounty.shape",
      "1e3": "bounty.shape",
      "1.234": "bounty.shape",
      "1,000": "bounty.shape",
      "0": "bounty.nothing",
      "0.00": "bounty.nothing",
      "1000.01": "bounty.points",
      "100000001": "bounty.large",
      "99999999999": "bounty.large"
    }
    for (const [bounty, fault] of Object.entries(bounties)) {
      assert.deepStrictEqual(check({ bounty }), { bounty: fault }, bounty)
    }
    assert.deepStrictEqual(check({ title: "x".repeat(201) }), { title: "title.long" })
    assert.deepStrictEqual(check({ deadline: form.fieldOf(now - 60_000) }), { deadline: "deadline.past" })
    assert.deepStrictEqual(check({ deadline: form.fieldOf(now + 400 * 86_400_000) }), { deadline: "deadline.far" })
    assert.deepStrictEqual(check({ deadline: "soon" }), { deadline: "deadline.shape" })
  })
  it("leaves a deadline alone that nobody touched", () => {
    const passed = { ...good, deadline: form.fieldOf(now - 60_000) }
    assert.deepStrictEqual(form.check(passed, { now, points: undefined, before: passed }), {})
  })
  it("lets a task be dearer by what it holds already", () => {
    assert.strictEqual(form.pointsWith("0.5", "12.55"), "13.05")
    assert.deepStrictEqual(check({ bounty: "13.05" }, form.pointsWith("0.5", "12.55")), {})
    assert.deepStrictEqual(check({ bounty: "13.06" }, form.pointsWith("0.5", "12.55")), { bounty: "bounty.points" })
    assert.isUndefined(form.pointsWith("-3", "1"))
  })
  it("sends what was changed, and nothing else", () => {
    const files = { before: ["f1"], after: ["f1"] }
    assert.deepStrictEqual(form.changesOf(good, { ...good, bounty: "13,5" }, files), { bounty: "13.5" })
    assert.deepStrictEqual(form.changesOf(good, good, { ...files, after: [] }), { input_files: [] })
    const dated = { ...good, deadline: form.fieldOf(now) }
    assert.deepStrictEqual(form.changesOf(dated, good, files), { deadline: null })
  })
  it("gives the minute back that it was given", () => {
    assert.strictEqual(form.timeOf(form.fieldOf(now)), now)
  })
})

describe("what happens to a task", () => {
  const whats = (patch: object) => timeline(task(patch), now).map(({ what }) => what)
  it("is told in order", () => {
    assert.deepStrictEqual(whats({}), ["posted", "waiting"])
    const held = { assigned_claw_id: "c", held_at: 2_000, lease_until: now + 60_000 }
    assert.deepStrictEqual(whats({ status: "assigned", ...held }), ["posted", "grabbed", "lease"])
    assert.deepStrictEqual(whats({ status: "in_progress", ...held }), ["posted", "grabbed", "working", "lease"])
    const deliverable = { result_description: "Done.", uploaded_at: 5_000, archive: null, artifacts: [] }
    assert.deepStrictEqual(whats({ status: "completed", review: "pending", deliverable }), [
      "posted",
      "grabbed",
      "handedIn",
      "review"
    ])
    assert.deepStrictEqual(whats({ status: "completed", review: "accepted", deliverable }).at(-1), "accepted")
    assert.deepStrictEqual(
      whats({ status: "in_progress", review: "returned", return_reason: "No.", deliverable, ...held }),
      ["posted", "grabbed", "handedIn", "returned", "again", "lease"]
    )
  })
  it("tells a withdrawal from a deadline that passed", () => {
    assert.deepStrictEqual(whats({ status: "cancelled", finished_at: 3_000 }), ["posted", "ended"])
    assert.deepStrictEqual(whats({ status: "cancelled", finished_at: 3_000, deadline: 2_500 }), ["posted", "overdue"])
    assert.strictEqual(standingOf(task({ deadline: now - 1 }), now), "expired")
  })
})

describe("what was handed in", () => {
  it("shows of each name the newest", () => {
    const file = (artifact_id: string, file_name: string, created_at: number) => ({
      artifact_id,
      file_name,
      created_at
    })
    const { deliverable } = task({
      deliverable: { artifacts: [file("1", "a.md", 1), file("2", "a.md", 3), file("3", "b.md", 2)] }
    })
    const { earlier, now: current } = newestArtifacts(deliverable?.artifacts ?? [])
    assert.deepStrictEqual(
      current.map(({ id }) => id),
      ["2", "3"]
    )
    assert.deepStrictEqual(
      earlier.map(({ id }) => id),
      ["1"]
    )
  })
  it("is looked at by its kind, and not where it is too large", () => {
    const look = (name: string, mediaType = "application/octet-stream", size = 10) => lookOf({ name, mediaType, size })
    assert.strictEqual(look("a.MD"), "markdown")
    assert.strictEqual(look("a.csv"), "table")
    assert.strictEqual(look("a", "text/plain; charset=utf-8"), "text")
    assert.strictEqual(look("a.png", "image/png"), "image")
    assert.strictEqual(look("a.svg", "image/svg+xml"), "text")
    assert.strictEqual(look("a.html", "text/html"), "text")
    assert.strictEqual(look("a.bin"), "none")
    assert.strictEqual(look("a.txt", "text/plain", 1_000_000), "large")
  })
})

describe("a table", () => {
  it("is read as it was written", () => {
    assert.deepStrictEqual(read('\uFEFFname,said\r\nAnn,"a ""b"", c"\r\nBob,"two\nlines"\r\n\r\n'), {
      head: ["name", "said"],
      rows: [
        ["Ann", 'a "b", c'],
        ["Bob", "two\nlines"]
      ],
      cut: false
    })
    assert.deepStrictEqual(read("a;b\n1,5;2").rows, [["1,5", "2"]])
    assert.deepStrictEqual(read("a\tb\n1").rows, [["1", ""]])
    assert.deepStrictEqual(read(""), { head: [], rows: [], cut: false })
  })
  it("is bounded (law bounded)", () => {
    const long = read(`a\n${"1\n".repeat(5_000)}`)
    assert.lengthOf(long.rows, limits.rows)
    assert.isTrue(long.cut)
    assert.isTrue(read("x,".repeat(500)).cut)
    assert.isAtMost(read(`"${"x".repeat(10_000)}`).head[0]?.length ?? 0, limits.cell + 1)
  })
})

describe("the market's addresses and answers", () => {
  it("are given back", () => {
    for (const route of [{ view: "list" }, { view: "new" }, { view: "points" }, { view: "task", id: "a/b %" }] as const)
      assert.deepStrictEqual(readRoute(writeRoute(route)), route)
    assert.deepStrictEqual(readRoute("#/market/task/%E0%A4%A"), { view: "list" })
  })
  it("are read without trust in their shape", () => {
    for (const strange of [null, 1, "x", [], {}, { deliverable: {}, files: [null] }, { items: [7] }]) {
      assert.doesNotThrow(() => timeline(readDetail(strange), now))
      assert.doesNotThrow(() => readPoints(strange))
    }
  })
})
