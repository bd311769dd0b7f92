/** Whatever a stranger sends, no decoder throws. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { decodeAgentFrame } from "../../../src/services/protocol/AgentFrame.ts"
import { decodeInbound } from "../../../src/services/protocol/Inbound.ts"
import { decodeUserFrame } from "../../../src/services/protocol/UserFrame.ts"
import { text } from "./samples.ts"

const all = (raw: string): ReadonlyArray<string> =>
  [decodeInbound, decodeAgentFrame, decodeUserFrame].map((decode) => decode(raw)._tag)

/** The names that any decoder reads, and those that objects have by birth. */
const names = [
  "type",
  "headers",
  "data",
  "topic",
  "input",
  "content",
  "role",
  "text",
  "metadata",
  "session_id",
  "sessionId",
  "message_id",
  "messageId",
  "message-id",
  "session-id",
  "response",
  "response_id",
  "output",
  "output_text",
  "status",
  "object",
  "delta",
  "part",
  "item",
  "error",
  "code",
  "message",
  "param",
  "sequence_number",
  "incomplete_details",
  "reason",
  "sessions",
  "features",
  "epoch",
  "starting_after",
  "image_url",
  "file_id",
  "url",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty"
] as const

const values = [
  "MESSAGE",
  "SYSTEM",
  "disconnect",
  "message",
  "user",
  "response",
  "completed",
  "failed",
  "incomplete",
  "input_text",
  "input_image",
  "session.auto_bound",
  "session.bind",
  "response.cancel",
  "response.resume",
  "response.created",
  "response.in_progress",
  "response.output_text.delta",
  "response.output_text.done",
  "response.content_part.done",
  "response.completed",
  "response.failed",
  "response.incomplete",
  "error",
  "/v1.0/im/user/messages",
  "/v1.0/im/bot/messages",
  "",
  "{",
  "{}",
  0,
  -1,
  1.5,
  true,
  false,
  null
] as const

const leaf: Arbitrary.Arbitrary<unknown> = Arbitrary.schema(
  Schema.Union([Schema.Literals(values.filter((value) => value !== null)), Schema.Null])
)

/** Objects of the right names with the wrong things in them, some of them as JSON text in `data`. */
const frame = (depth: number): Arbitrary.Arbitrary<unknown> =>
  depth === 0
    ? leaf
    : Arbitrary.flatMap(
        Arbitrary.schema(Schema.Literals(["leaf", "list", "object", "object", "object", "text"])),
        (kind) => {
          const inner = frame(depth - 1)
          switch (kind) {
            case "leaf":
              return leaf
            case "list":
              return Arbitrary.array(inner, { maxLength: 3 })
            case "text":
              return Arbitrary.map(inner, (value) => JSON.stringify(value))
            case "object":
              return Arbitrary.map(
                Arbitrary.array(Arbitrary.all([Arbitrary.schema(Schema.Literals(names)), inner]), { maxLength: 6 }),
                (entries) => Object.fromEntries(entries)
              )
          }
        }
      )

describe("decoders are total", () => {
  it.prop("any text", { text }, ({ text }) => {
    assert.strictEqual(all(text).length, 3)
  })

  it.prop("any JSON", { json: Schema.Unknown }, ({ json }) => {
    let raw: string | undefined
    try {
      raw = JSON.stringify(json)
    } catch {
      return
    }
    assert.strictEqual(all(raw ?? "null").length, 3)
  })

  it.prop(
    "frames of the right names with the wrong things in them",
    { frame: frame(4) },
    ({ frame }) => {
      assert.strictEqual(all(JSON.stringify(frame)).length, 3)
    },
    { arbitrary: { runs: 2_000 } }
  )

  it("an object that cannot be made a word, where a word belongs", () => {
    for (const name of names) {
      const odd = { [name]: { toString: {}, valueOf: 1 } }
      for (const frame of [
        odd,
        { headers: odd },
        { type: "MESSAGE", headers: odd },
        { data: odd },
        { response: odd }
      ]) {
        assert.strictEqual(all(JSON.stringify(frame)).length, 3)
      }
    }
  })

  it("depth does not matter", () => {
    const deep = (open: string, core: string, close: string): string =>
      open.repeat(20_000) + core + close.repeat(20_000)
    const list = deep("[", "", "]")
    const object = deep('{"a":', "1", "}")
    for (const inner of [list, object]) {
      for (const name of [
        "input",
        "metadata",
        "data",
        "headers",
        "error",
        "delta",
        "response",
        "sessions",
        "content"
      ]) {
        assert.strictEqual(all(`{"type":"MESSAGE","${name}":${inner}}`).length, 3)
        assert.strictEqual(
          all(`{"${name}":${inner},"input":"hi","metadata":{"session_id":"s","x":${inner}}}`).length,
          3
        )
        assert.strictEqual(all(`{"type":"response.failed","${name}":${inner}}`).length, 3)
      }
    }
    assert.deepStrictEqual(all(list), ["Malformed", "Malformed", "Malformed"])
  })

  it("prototype keys are keys like others", () => {
    for (const raw of [
      '{"__proto__":{"type":"response.cancel","response_id":"r"}}',
      '{"__proto__":{"input":"hi","metadata":{"session_id":"s"}}}',
      '{"constructor":{"type":"MESSAGE"}}'
    ]) {
      assert.deepStrictEqual(all(raw), ["Malformed", "Malformed", "Malformed"])
    }
    assert.strictEqual(Object.hasOwn(Object.prototype, "type"), false)
  })
})
