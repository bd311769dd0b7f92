import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { leaveNote, takeNote } from "../../src/ui/places/worlds/notes.ts"
import type { EntryField } from "../../src/services/protocol/EntryProfile.ts"
import { readRoute, writeRoute } from "../../src/ui/places/worlds/route.ts"
import * as entry from "../../src/ui/places/worlds/state/entry.ts"
import {
  itemsOf,
  readOutcome,
  readRequest,
  readTalk,
  readTranscript,
  readWorld
} from "../../src/ui/places/worlds/state/model.ts"
import * as talk from "../../src/ui/places/worlds/state/talk.ts"
import * as form from "../../src/ui/places/worlds/state/worldForm.ts"

const field = (fieldId: string, type: EntryField["type"], rest: Partial<EntryField> = {}): EntryField => ({
  fieldId,
  label: fieldId,
  type,
  required: true,
  description: "",
  examples: [],
  constraints: {},
  ...rest
})

describe("the form of a world's questions", () => {
  const schema = {
    fields: [
      field("head", "text", { constraints: { minLength: 2, maxLength: 5 } }),
      field("age", "number", { required: false, constraints: { minimum: 1, maximum: 9 } }),
      field("open", "boolean", { required: false }),
      field("day", "choice", { required: false, constraints: { choices: ["Mon, Tue", "Wed"] } }),
      field("likes", "tags", { required: false, constraints: { maxItems: 2 } }),
      field("from", "tags", { required: false, constraints: { choices: ["a, b", "c"] } })
    ]
  }
  const codes = (values: entry.Values) =>
    Object.fromEntries(Object.entries(entry.check(schema, values)).map(([at, { code }]) => [at, code]))

  it("sends what was typed as what is asked for", () => {
    const values = { head: " 地图 ", age: "７.５", open: "false", day: "Mon, Tue", likes: "a，b", from: ["a, b"] }
    assert.deepStrictEqual(entry.check(schema, values), {})
    const draft = entry.draftOf(schema, values)
    assert.deepInclude(draft, { age: 7.5, open: false })
    assert.deepStrictEqual(entry.draftOf(schema, { head: "", from: [] }), { from: [] })
    // What was answered comes back into the fields as it was typed.
    assert.deepStrictEqual(entry.valuesOf(schema, { age: 7, open: true, likes: ["a", "b"], from: ["c"], other: 1 }), {
      head: "",
      age: "7",
      open: "true",
      day: "",
      likes: "a, b",
      from: ["c"]
    })
  })
  it("names what is wrong, with the limit that was passed", () => {
    assert.deepStrictEqual(codes({}), { head: "missing" })
    assert.deepStrictEqual(codes({ head: "x" }), { head: "short" })
    assert.deepStrictEqual(codes({ head: "😀😀😀😀😀" }), {})
    assert.deepStrictEqual(entry.check(schema, { head: "123456" })["head"], { code: "long", values: { limit: 5 } })
    assert.deepStrictEqual(codes({ head: "a\nb" }), { head: "line" })
    assert.deepStrictEqual(codes({ head: "ab", age: "many" }), { age: "number" })
    assert.deepStrictEqual(codes({ head: "ab", age: "1e1" }), { age: "number" })
    assert.deepStrictEqual(codes({ head: "ab", age: "0" }), { age: "low" })
    assert.deepStrictEqual(codes({ head: "ab", age: "10" }), { age: "high" })
    assert.deepStrictEqual(codes({ head: "ab", day: "Sun" }), { day: "choice" })
    assert.deepStrictEqual(codes({ head: "ab", likes: "a, b, c" }), { likes: "many" })
    assert.deepStrictEqual(codes({ head: "ab", likes: "x".repeat(81) }), { likes: "tagLong" })
  })
  it("takes a kept draft as far as the world still asks for it", () => {
    assert.strictEqual(entry.readDraft(schema, undefined), undefined)
    for (const strange of ["", "{", "null", "[1]", "5"]) {
      assert.strictEqual(entry.readDraft(schema, strange), undefined, strange)
    }
    assert.deepInclude(entry.readDraft(schema, '{"head":"hi","gone":"x","age":{"a":1}}'), { head: "hi", age: "" })
  })
})

describe("the form of a world", () => {
  const values = (patch: Partial<form.Values> = {}): form.Values => ({
    ...form.empty(),
    displayName: "N",
    summary: "S",
    fields: [{ ...form.freshField(), label: "When?" }],
    ...patch
  })
  const question = (patch: Partial<form.FieldValues>) =>
    Object.fromEntries(
      Object.entries(form.check(values({ fields: [{ ...form.freshField(), label: "When?", ...patch }] }))).map(
        ([at, { code }]) => [at.replace("entryProfileSchema.fields[0].", ""), code]
      )
    )

  it("sends a world as the platform reads it", () => {
    assert.deepStrictEqual(form.check(values()), {})
    const body = form.bodyOf(
      values({
        turnTimeout: "30",
        fields: [{ ...form.freshField(), label: "好", type: "choice", choices: "a\n\n b " }]
      })
    )
    assert.deepInclude(body.conversationTemplate, { maxTurns: 12, turnTimeoutMs: 30_000 })
    assert.deepInclude(body.entryProfileSchema.fields[0], { fieldId: "field_1", constraints: { choices: ["a", "b"] } })
  })
  it("names every fault by the name of the wire", () => {
    const found = form.check({ ...form.empty(), category: " ", maxTurns: "0", turnTimeout: "4", fields: [] })
    assert.deepStrictEqual(Object.keys(found), [
      "displayName",
      "summary",
      "category",
      "conversationTemplate.maxTurns",
      "conversationTemplate.turnTimeoutMs",
      "entryProfileSchema.fields"
    ])
    assert.deepStrictEqual(question({ label: " " }), { label: "empty" })
    assert.deepStrictEqual(question({ fieldId: "1 a" }), { fieldId: "id.shape" })
    assert.deepStrictEqual(question({ type: "choice" }), { "constraints.choices": "choices.none" })
    assert.deepStrictEqual(question({ least: "9", most: "5" }), { constraints: "bounds.order" })
    assert.deepStrictEqual(question({ least: "2001" }), { "constraints.minLength": "bounds.far" })
    assert.deepStrictEqual(question({ most: "0" }), { "constraints.maxLength": "bounds.nothing" })
    assert.deepStrictEqual(question({ least: "-1" }), { "constraints.minLength": "number" })
    assert.deepStrictEqual(question({ type: "number", least: "-1.5" }), {})
    // A bound of another kind of answer, left behind in the form, is not looked at.
    assert.deepStrictEqual(question({ type: "boolean", least: "x" }), {})
  })
  it("brings a world back into the form as it is", () => {
    const world = readWorld({
      worldId: "w",
      displayName: "N",
      summary: "S",
      category: "general",
      entryProfileSchema: {
        fields: [{ fieldId: "a", label: "A", type: "number", required: true, constraints: { minimum: 1, maximum: 2 } }]
      },
      conversationTemplate: { maxTurns: 4, turnTimeoutMs: 9_000, raiseHandPolicy: { mode: "either_raise_hand" } }
    })
    const body = form.bodyOf(form.valuesOf(world))
    assert.deepStrictEqual(body.entryProfileSchema.fields[0]?.constraints, { minimum: 1, maximum: 2 })
    assert.deepInclude(body.conversationTemplate, { maxTurns: 4, turnTimeoutMs: 9_000 })
    assert.deepStrictEqual(body.conversationTemplate.raiseHandPolicy, { mode: "either_raise_hand" })
  })
})

describe("a talk that is followed", () => {
  const turn = (number: number, text = `t${number}`, from = "a") => ({
    turn: number,
    fromAgentId: from,
    text,
    raisedHand: false,
    silence: null,
    at: number * 1_000
  })
  const transcript = (...turns: ReadonlyArray<object>) =>
    readTranscript({
      conversation: {
        chatRequestId: "r",
        status: "active",
        requesterAgentId: "a",
        peerAgentId: "b",
        turn: turns.length
      },
      counterparty: { agentId: "b", displayName: "B" },
      turns
    })

  it("has each turn once, in its order, however often it comes", () => {
    const first = talk.follow(undefined, transcript(turn(1), turn(2)))
    const next = talk.follow(first, transcript(turn(4), turn(2), turn(3)))
    assert.deepStrictEqual(
      next.turns.map(({ turn }) => turn),
      [1, 2, 3, 4]
    )
    assert.strictEqual(talk.follow(next, transcript()).turns, next.turns)
    assert.strictEqual(talk.pauseBefore(next.turns, 0), undefined)
    assert.strictEqual(talk.pauseBefore(next.turns, 2), 1_000)
  })
  it("is kept as a file in which no agent's words pass for the frame", () => {
    const hostile = transcript(turn(1, "# Ended\n\n**B** (turn 9)\r\nI agree", "a"), turn(2, "", "b"))
    const file = talk.toFile(hostile, {
      title: "A *and* B\n# x",
      facts: ["ended"],
      nameOf: (id) => (id === "a" ? "A" : "[B](x)"),
      noteOf: ({ turn }) => `turn ${turn}`
    })
    const lines = file.split("\n")
    assert.strictEqual(lines[0], String.raw`# A \*and\* B \# x`)
    assert.deepStrictEqual(
      lines.filter((line) => line.startsWith("**")),
      ["**A** (turn 1)", String.raw`**\[B\](x)** (turn 2)`]
    )
    for (const said of ["> # Ended", "> **B** (turn 9)", "> I agree"]) assert.include(lines, said)
  })
  it("is kept under a name that is safe on any disk", () => {
    const at = Date.UTC(2027, 0, 2)
    assert.strictEqual(talk.fileName(["Ada", "林夏"], at), "talk-Ada-林夏-2027-01-02.md")
    assert.strictEqual(talk.fileName(["../../etc/passwd", "C:\\x\u0000|"], at), "talk-etc-passwd-C-x-2027-01-02.md")
    assert.strictEqual(talk.fileName(["…", ""], at), "talk-2027-01-02.md")
    assert.isBelow(talk.fileName(["x".repeat(500), "y".repeat(500)], at).length, 120)
  })
})

describe("Claworld's wire", () => {
  it("is read without trust in its shape", () => {
    for (const strange of [null, 1, "x", [], {}, { items: 5 }, { conversation: [] }, { turns: [null, 5] }]) {
      assert.doesNotThrow(() => {
        readTranscript(strange)
        readRequest(strange)
        readWorld(strange)
        readOutcome(strange)
        itemsOf(strange, readTalk)
      })
    }
    assert.strictEqual(readTalk({ status: "dancing" }).status, "ended")
  })
  it("tells what is missing and what is wrong of an entry together", () => {
    const { faults, isJoined } = readOutcome({
      status: "needs_profile",
      fieldErrors: [{ fieldId: "a", message: "A must be a text." }],
      missingFields: [{ fieldId: "b", label: "B" }]
    })
    assert.isFalse(isJoined)
    assert.deepStrictEqual(faults, [
      { field: "a", message: "A must be a text." },
      { field: "b", message: "" }
    ])
  })
})

describe("the address", () => {
  it("says what is on the screen, and is read back", () => {
    for (const route of [
      { view: "list" },
      { view: "new" },
      { view: "requests" },
      { view: "agents" },
      { view: "agent", id: "agt_1" },
      { view: "talk", id: "chr/ü" },
      { view: "world", id: "w 1" },
      { view: "join", id: "w" },
      { view: "edit", id: "w" }
    ] as const) {
      assert.deepStrictEqual(readRoute(writeRoute(route)), route)
    }
    for (const strange of ["", "#/chat/x", "#/worlds/talk/", "#/worlds/world/%E0%A4%A", "#/worlds/what/x"]) {
      assert.deepStrictEqual(readRoute(strange), { view: "list" }, strange)
    }
  })
})

describe("a note for the view that opens next", () => {
  it("is gone when it was read, and takes no later one with it", () => {
    vi.useFakeTimers()
    try {
      leaveNote("world", "The world is there.")
      assert.strictEqual(takeNote("world"), "The world is there.")
      assert.strictEqual(takeNote("world"), "The world is there.", "a strict renderer asks twice")
      vi.advanceTimersByTime(500)
      leaveNote("world", "The changes are saved.")
      vi.advanceTimersByTime(600)
      assert.strictEqual(takeNote("world"), "The changes are saved.")
      vi.advanceTimersByTime(1_000)
      assert.isUndefined(takeNote("world"))
    } finally {
      vi.useRealTimers()
    }
  })
})
