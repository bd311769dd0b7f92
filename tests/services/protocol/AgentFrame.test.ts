import { assert, describe, it } from "@effect/vitest"
import { type AgentFrame, decodeAgentFrame } from "../../../src/services/protocol/AgentFrame.ts"
import {
  encodeAck,
  encodeAgentResume,
  encodeGap,
  encodeResponseAck,
  readAck,
  readAgentResume,
  readGap,
  readResponseAck
} from "../../../src/services/protocol/Control.ts"
import { encodeBind } from "../../../src/services/protocol/Inbound.ts"

const decode = (frame: unknown): AgentFrame => decodeAgentFrame(JSON.stringify(frame))
const nobody = { responseId: undefined, messageId: undefined, sessionId: undefined }

const update = (frame: unknown) => {
  const decoded = decode(frame)
  assert.strictEqual(decoded._tag, "Update")
  return decoded._tag === "Update" ? { dialect: decoded.dialect, ...decoded.updates[0]! } : undefined
}

describe("decodeAgentFrame", () => {
  it("the seed's frame, with nothing riding along", () => {
    const headers = { topic: "/v1.0/im/bot/messages", "message-id": "m1", "session-id": "s1" }
    const ref = { responseId: undefined, messageId: "m1", sessionId: "s1" }
    const frame = (data: object) => ({ type: "MESSAGE", headers, data: JSON.stringify(data) })
    const common = { dialect: "envelope" as const, ref, sequence: undefined }
    assert.deepStrictEqual(update(frame({ type: "response.in_progress" })), { ...common, _tag: "Opened" })
    assert.deepStrictEqual(
      update(frame({ type: "response.output_item.added", item: { type: "message", role: "assistant" } })),
      { ...common, _tag: "Progress", type: "response.output_item.added" }
    )
    assert.deepStrictEqual(update(frame({ type: "response.output_text.delta", delta: "hi" })), {
      ...common,
      _tag: "Delta",
      delta: "hi"
    })
    assert.deepStrictEqual(update(frame({ type: "response.content_part.done", part: { text: "hi" } })), {
      ...common,
      _tag: "TextDone",
      text: "hi"
    })
    assert.deepStrictEqual(update(frame({ type: "response.completed", response: { status: "completed" } })), {
      ...common,
      _tag: "Completed",
      text: undefined
    })
    assert.deepStrictEqual(update(frame({ type: "response.failed", error: { code: "TIMEOUT", message: "late" } })), {
      ...common,
      _tag: "Failed",
      text: undefined,
      failure: { code: "TIMEOUT", message: "late" }
    })
  })

  it("both spellings of the headers, data as an object, foreign fields", () => {
    for (const headers of [
      { messageId: "m1", sessionId: "s1" },
      { "message-id": "m1", "session-id": "s1", "x-trace": 7 },
      { message_id: "m1", session_id: "s1" }
    ]) {
      assert.deepStrictEqual(
        update({
          type: "MESSAGE",
          headers,
          data: { type: "response.output_text.delta", delta: "a", novel: [1] },
          v: 2
        }),
        {
          dialect: "envelope",
          _tag: "Delta",
          ref: { responseId: undefined, messageId: "m1", sessionId: "s1" },
          sequence: undefined,
          delta: "a"
        }
      )
    }
  })

  it("legacy, bare", () => {
    assert.deepStrictEqual(
      update({
        type: "response.output_text.delta",
        response_id: "r",
        delta: { text: "a" },
        timestamp: "2026-04-09T00:00:00.000Z",
        metadata: { session_id: "s1" }
      }),
      {
        dialect: "legacy",
        _tag: "Delta",
        ref: { responseId: "r", messageId: undefined, sessionId: "s1" },
        sequence: undefined,
        delta: "a"
      }
    )
  })

  it("a failure of another family keeps its words", () => {
    const failed = (error: unknown) => {
      const decoded = update({ type: "response.failed", response: { id: "r", object: "response", error } })
      return decoded?._tag === "Failed" ? decoded.failure : undefined
    }
    assert.deepStrictEqual(failed({ code: "server_error", message: "Boom." }), { code: "SDK_ERROR", message: "Boom." })
    assert.deepStrictEqual(failed("Boom."), { code: "SDK_ERROR", message: "Boom." })
    assert.deepStrictEqual(failed(null), {
      code: "SDK_ERROR",
      message: "The agent ended the reply as failed and gave no reason."
    })
    const incomplete = update({
      type: "response.incomplete",
      response: { id: "r", incomplete_details: { reason: "max_output_tokens" } }
    })
    assert.deepStrictEqual(incomplete?._tag === "Failed" ? incomplete.failure : undefined, {
      code: "SDK_ERROR",
      message: "The agent's reply ended before it was whole (max_output_tokens)."
    })
  })

  it("the whole object of stream: false", () => {
    const ref = { responseId: "r", messageId: "m1", sessionId: "s1" }
    assert.deepStrictEqual(
      decode({
        id: "r",
        object: "response",
        status: "completed",
        output: [
          {
            type: "message",
            content: [
              { type: "output_text", text: "a" },
              { type: "output_text", text: "b" }
            ]
          }
        ],
        metadata: { session_id: "s1", message_id: "m1" }
      }),
      {
        _tag: "Update",
        dialect: "gateway",
        updates: [
          { _tag: "Opened", ref },
          { _tag: "TextDone", ref, text: "ab" },
          { _tag: "Completed", ref, text: "ab" }
        ]
      }
    )
    const cancelled = decode({ id: "r", object: "response", status: "cancelled", metadata: {} })
    assert.deepStrictEqual(cancelled._tag === "Update" ? cancelled.updates.at(-1) : undefined, {
      _tag: "Failed",
      ref: { ...nobody, responseId: "r" },
      text: undefined,
      failure: { code: "CANCELLED", message: "The reply was cancelled." }
    })
  })

  it("session.bind", () => {
    assert.deepStrictEqual(decodeAgentFrame(encodeBind("s1")), { _tag: "Bind", sessionId: "s1" })
    assert.strictEqual(encodeBind("s1"), '{"type":"session.bind","session_id":"s1"}')
    assert.deepStrictEqual(decode({ type: "session.bind" }), {
      _tag: "Malformed",
      reason: "missing-session",
      message: "session.bind must name a session in session_id."
    })
  })

  it("control frames come through whole", () => {
    const control = (raw: string) => {
      const decoded = decodeAgentFrame(raw)
      assert.strictEqual(decoded._tag, "Control")
      return decoded._tag === "Control" ? decoded : { type: "", frame: {} }
    }
    const ack = control(encodeAck({ messageId: "m1", sessionId: "s1" }))
    assert.deepStrictEqual(ack.frame, { type: "session.ack", message_id: "m1", session_id: "s1" })
    assert.strictEqual(ack.type, "session.ack")
    assert.deepStrictEqual(readAck(ack.frame), { messageId: "m1", sessionId: "s1" })
    const resume = control(encodeAgentResume({ responseId: "r", from: 7 }))
    assert.deepStrictEqual(resume.frame, { type: "response.resume", response_id: "r", from: 7 })
    assert.deepStrictEqual(readAgentResume(resume.frame), {
      responseId: "r",
      from: 7,
      messageId: undefined,
      sessionId: undefined
    })
    const stored = control(encodeResponseAck({ responseId: "r", sequence: 7 }))
    assert.deepStrictEqual(stored.frame, { type: "response.ack", response_id: "r", sequence_number: 7 })
    assert.deepStrictEqual(readResponseAck(stored.frame), { responseId: "r", sequence: 7 })
    const gap = control(encodeGap({ responseId: "r", from: 4, to: 9 }))
    assert.deepStrictEqual(gap.frame, { type: "response.gap", response_id: "r", from: 4, to: 9 })
    assert.deepStrictEqual(readGap(gap.frame), { responseId: "r", from: 4, to: 9 })
    assert.strictEqual(control(JSON.stringify({ type: "weather" })).type, "weather")
    assert.strictEqual(control(JSON.stringify({ headers: { messageId: "m" }, data: { success: true } })).type, "ack")
    for (const read of [readAck, readAgentResume, readResponseAck, readGap]) {
      assert.strictEqual(read({ message_id: {}, response_id: [], from: -1, to: 1.5, sequence_number: "7" }), undefined)
    }
  })

  it("errors, with and without a type", () => {
    const error = { type: "invalid_request", code: "nope", message: "No.", param: "input" }
    const expected: AgentFrame = { _tag: "PeerError", code: "nope", message: "No.", param: "input" }
    assert.deepStrictEqual(decode({ error }), expected)
    assert.deepStrictEqual(decode({ type: "error", error }), expected)
    assert.deepStrictEqual(decode({ type: "error", code: "nope", message: "No.", param: "input" }), expected)
  })

  it("says why a frame cannot be used", () => {
    const reason = (raw: string, maxBytes?: number) => {
      const decoded = decodeAgentFrame(raw, { maxBytes })
      return decoded._tag === "Malformed" ? decoded.reason : decoded._tag
    }
    assert.strictEqual(reason("{"), "not-json")
    assert.strictEqual(reason("[]"), "not-an-object")
    assert.strictEqual(reason("null"), "not-an-object")
    assert.strictEqual(reason("{}"), "unknown-shape")
    assert.strictEqual(reason('{"type":"MESSAGE"}'), "bad-field")
    assert.strictEqual(reason('{"type":"MESSAGE","data":"{"}'), "data-not-json")
    assert.strictEqual(reason('{"type":"MESSAGE","data":[]}'), "bad-field")
    assert.strictEqual(reason('{"type":"response.output_text.delta","delta":7}'), "bad-field")
    assert.strictEqual(reason('{"type":"response.output_text.done"}'), "bad-field")
    assert.strictEqual(reason('{"type":"漢漢"}', 16), "too-large")
    assert.strictEqual(reason('{"type":"漢漢"}', 17), "Control")
  })
})
