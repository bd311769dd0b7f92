import { assert, describe, it } from "@effect/vitest"
import { encodeReaderResume } from "../../../src/services/protocol/Control.ts"
import { encodeBind, encodeCancel, encodeErrorFrame } from "../../../src/services/protocol/Inbound.ts"
import { decodeUserFrame } from "../../../src/services/protocol/UserFrame.ts"

const decode = (frame: unknown) => decodeUserFrame(JSON.stringify(frame))
const body = {
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
  metadata: { session_id: "s1", message_id: "m1" }
}

const refused = (frame: unknown) => {
  const decoded = typeof frame === "string" ? decodeUserFrame(frame) : decode(frame)
  return decoded._tag === "Malformed" ? [decoded.code, decoded.param] : decoded._tag
}

describe("decodeUserFrame", () => {
  it("the gateway request", () => {
    assert.deepStrictEqual(decode(body), {
      _tag: "Request",
      request: {
        dialect: "gateway",
        messageId: "m1",
        sessionId: "s1",
        parts: [{ type: "input_text", text: "hi" }],
        skippedParts: 0,
        stream: true,
        model: undefined,
        previousResponseId: undefined,
        metadata: { session_id: "s1", message_id: "m1" }
      }
    })
  })

  it("input and metadata.session_id are required, in the gateway's words", () => {
    const missing = "missing_required_parameter"
    assert.deepStrictEqual(refused({ ...body, metadata: {} }), [missing, "metadata.session_id"])
    assert.deepStrictEqual(refused({ input: body.input }), [missing, "metadata.session_id"])
    assert.deepStrictEqual(refused({ ...body, input: [] }), [missing, "input"])
    assert.deepStrictEqual(refused({ metadata: body.metadata }), [missing, "input"])
    assert.deepStrictEqual(refused({ ...body, input: 7 }), ["invalid_parameter", "input"])
    const decoded = decode({ ...body, input: [] })
    assert.strictEqual(decoded._tag, "Malformed")
    if (decoded._tag !== "Malformed") return
    assert.strictEqual(decoded.sessionId, "s1")
    assert.strictEqual(decoded.messageId, "m1")
    assert.strictEqual(
      encodeErrorFrame(decoded),
      '{"error":{"type":"invalid_request","code":"missing_required_parameter","param":"input","message":"The message is empty. Send a text, a file or an image."}}'
    )
  })

  it("no other place names a session", () => {
    const missing = ["missing_required_parameter", "metadata.session_id"]
    assert.deepStrictEqual(refused({ ...body, sessionId: "s2", metadata: {} }), missing)
    assert.deepStrictEqual(
      refused({ messageId: "m", sessionId: "s2", input: [{ type: "input_text", text: "a" }] }),
      missing
    )
    for (const input of [body.input, [{ type: "input_text", text: "a" }]]) {
      const both = decode({ ...body, input, sessionId: "s2", messageId: "m2" })
      assert.strictEqual(both._tag === "Request" ? both.request.sessionId : both._tag, "s1")
    }
  })

  it("cancel, bind, resume, control", () => {
    const target = { responseId: "r", messageId: undefined, sessionId: "s1" }
    assert.deepStrictEqual(decodeUserFrame(encodeCancel(target)), { _tag: "Cancel", ...target })
    assert.deepStrictEqual(decodeUserFrame(encodeBind("s1")), { _tag: "Bind", sessionId: "s1" })
    assert.strictEqual(
      encodeReaderResume({ responseId: "r", startingAfter: 7 }),
      '{"type":"response.resume","response_id":"r","starting_after":7}'
    )
    for (const startingAfter of [7, 0, undefined]) {
      assert.deepStrictEqual(decodeUserFrame(encodeReaderResume({ responseId: "r", startingAfter })), {
        _tag: "Resume",
        responseId: "r",
        startingAfter
      })
    }
    const frame = { type: "typing", session_id: "s1" }
    assert.deepStrictEqual(decode(frame), { _tag: "Control", type: "typing", frame })
    assert.deepStrictEqual(refused({ type: "response.cancel" }), ["missing_required_parameter", "response_id"])
    assert.deepStrictEqual(refused({ type: "session.bind" }), ["missing_required_parameter", "session_id"])
    assert.deepStrictEqual(refused({ type: "response.resume" }), ["missing_required_parameter", "response_id"])
    assert.deepStrictEqual(refused({ type: "response.resume", response_id: "r", starting_after: -1 }), [
      "invalid_parameter",
      "starting_after"
    ])
  })

  it("junk", () => {
    assert.deepStrictEqual(refused("{"), ["invalid_json", undefined])
    assert.deepStrictEqual(refused([]), ["invalid_json", undefined])
    assert.deepStrictEqual(refused({}), ["invalid_parameter", undefined])
    const over = decodeUserFrame(JSON.stringify(body), { maxBytes: 10 })
    assert.strictEqual(over._tag === "Malformed" ? over.code : over._tag, "request_too_large")
  })
})
