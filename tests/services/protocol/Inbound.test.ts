import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import {
  decodeInbound,
  encodeAutoBound,
  encodeCancel,
  encodeDisconnect,
  encodeErrorFrame,
  encodeRequest,
  type Inbound,
  type InboundRequest,
  type Part
} from "../../../src/services/protocol/Inbound.ts"
import { id, metadata, optionalId, words } from "./samples.ts"

const decode = (frame: unknown): Inbound => decodeInbound(JSON.stringify(frame))
const headers = { topic: "/v1.0/im/user/messages" }

const request = (frame: unknown): InboundRequest => {
  const inbound = decode(frame)
  assert.strictEqual(inbound._tag, "Request", JSON.stringify(inbound))
  if (inbound._tag !== "Request") throw new Error("no request")
  return inbound.request
}

const malformed = (frame: unknown) => {
  const inbound = typeof frame === "string" ? decodeInbound(frame) : decode(frame)
  return inbound._tag === "Malformed" ? [inbound.reason, inbound.param] : inbound._tag
}

const plain = {
  messageId: "m1",
  sessionId: "s1",
  skippedParts: 0,
  stream: true,
  model: undefined,
  previousResponseId: undefined,
  metadata: {}
}
const text = (text: string): Part => ({ type: "input_text", text })

const seedBody = {
  messageId: "m1",
  sessionId: "s1",
  input: [
    { type: "input_text", text: "你好" },
    { type: "input_file", file_id: "file_1" },
    { type: "input_image", image_url: "https://example.org/a.png" }
  ]
}
const seedParts: ReadonlyArray<Part> = [
  text("你好"),
  { type: "input_file", fileId: "file_1", url: undefined, filename: undefined },
  { type: "input_image", fileId: undefined, url: "https://example.org/a.png", filename: undefined }
]
const gatewayBody = {
  model: "claw_1",
  stream: false,
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
  metadata: { session_id: "s1", message_id: "m1", theme: "dark" }
}

describe("a user's message", () => {
  it("envelope, in a MESSAGE frame", () => {
    const expected = { ...plain, dialect: "envelope", parts: seedParts } as const
    assert.deepStrictEqual(request({ type: "MESSAGE", headers, data: JSON.stringify(seedBody) }), expected)
    assert.deepStrictEqual(request({ type: "MESSAGE", headers, data: seedBody }), expected)
    assert.deepStrictEqual(request({ headers, data: seedBody }), expected)
    assert.deepStrictEqual(request({ type: "MESSAGE", headers, ...seedBody }), expected)
  })

  it("envelope, flat", () => {
    assert.deepStrictEqual(request(seedBody), { ...plain, dialect: "envelope", parts: seedParts })
    assert.deepStrictEqual(request({ "message-id": "m1", "session-id": "s1", input: seedBody.input }).sessionId, "s1")
    assert.strictEqual(request({ input: seedBody.input }).messageId, undefined)
  })

  it("ids of the headers stand in for those of the body, in both spellings, and never overrule them", () => {
    const data = { input: seedBody.input }
    for (const ids of [
      { messageId: "m2", sessionId: "s2" },
      { "message-id": "m2", "session-id": "s2" }
    ]) {
      const bare = request({ type: "MESSAGE", headers: { ...headers, ...ids }, data })
      assert.deepStrictEqual([bare.messageId, bare.sessionId], ["m2", "s2"])
      const named = request({ type: "MESSAGE", headers: { ...headers, ...ids }, data: seedBody })
      assert.deepStrictEqual([named.messageId, named.sessionId], ["m1", "s1"])
    }
  })

  it("gateway", () => {
    assert.deepStrictEqual(request(gatewayBody), {
      ...plain,
      dialect: "gateway",
      parts: [text("hi")],
      stream: false,
      model: "claw_1",
      metadata: { session_id: "s1", message_id: "m1", theme: "dark" }
    })
    const { stream: _, ...unsaid } = gatewayBody
    assert.isTrue(request(unsaid).stream)
    assert.deepStrictEqual(request({ input: "hi", metadata: { session_id: "s1" } }).parts, [text("hi")])
    assert.deepStrictEqual(
      request({ input: [{ role: "user", content: "hi" }], metadata: { session_id: "s1" } }).parts,
      [text("hi")]
    )
    assert.strictEqual(request({ ...gatewayBody, previous_response_id: "resp_0" }).previousResponseId, "resp_0")
  })

  it("gateway in an envelope keeps its meaning and is answered in envelopes", () => {
    assert.deepStrictEqual(request({ type: "MESSAGE", headers, data: JSON.stringify(gatewayBody) }), {
      ...request(gatewayBody),
      dialect: "envelope"
    })
  })

  it("legacy, as seen live", () => {
    const frame = {
      type: "MESSAGE",
      headers: { messageId: "m1", topic: "/v1.0/im/user/messages" },
      data: '{"content":"text"}'
    }
    assert.deepStrictEqual(request(frame), {
      ...plain,
      dialect: "legacy",
      sessionId: undefined,
      parts: [text("text")]
    })
    assert.strictEqual(request({ content: "text" }).dialect, "legacy")
  })

  it("parts: every spelling, unknown ones skipped and counted", () => {
    const made = request({
      ...gatewayBody,
      input: [
        { type: "message", role: "system", content: "obey" },
        { type: "message", role: "user", content: "one" },
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_file", filename: "a.txt", file_url: "https://example.org/a" },
            { type: "input_file", url: "https://example.org/b" },
            { type: "input_image", image_url: { url: "https://example.org/c" } },
            { type: "input_image", file_id: "f" },
            { type: "input_audio", data: "..." },
            { type: "input_file" },
            { type: "input_text", text: 7 },
            { type: "input_text", text: "" },
            null,
            "loose"
          ]
        },
        { type: "input_text", text: "two" },
        { type: "item_reference", id: "x" }
      ]
    })
    assert.deepStrictEqual(made.parts, [
      text("one"),
      { type: "input_file", fileId: undefined, url: "https://example.org/a", filename: "a.txt" },
      { type: "input_file", fileId: undefined, url: "https://example.org/b", filename: undefined },
      { type: "input_image", fileId: undefined, url: "https://example.org/c", filename: undefined },
      { type: "input_image", fileId: "f", url: undefined, filename: undefined },
      text("two")
    ])
    assert.strictEqual(made.skippedParts, 7)
  })

  it("metadata is text to text", () => {
    const made = request({
      ...gatewayBody,
      metadata: { session_id: "s1", n: 7, yes: true, no: null, list: [1], deep: { a: 1 } }
    })
    assert.deepStrictEqual(made.metadata, { session_id: "s1", n: "7", yes: "true" })
    const odd = decodeInbound('{"input":"hi","metadata":{"session_id":"s1","__proto__":"x","n":1}}')
    assert.strictEqual(odd._tag, "Request")
    if (odd._tag !== "Request") return
    assert.deepStrictEqual(Object.keys(odd.request.metadata).sort(), ["__proto__", "n", "session_id"])
    assert.strictEqual(Object.getPrototypeOf(odd.request.metadata), Object.prototype)
  })

  it("a stranger's metadata names no session but session_id, and ids may be whole numbers", () => {
    const made = request({
      ...gatewayBody,
      metadata: { session_id: 12, sessionId: "other", "session-id": "other", messageId: "other" }
    })
    assert.strictEqual(made.sessionId, "12")
    assert.strictEqual(made.messageId, undefined)
  })

  it("says what is wrong, and where", () => {
    assert.deepStrictEqual(malformed("{"), ["not-json", undefined])
    assert.deepStrictEqual(malformed(""), ["not-json", undefined])
    assert.deepStrictEqual(malformed("7"), ["not-an-object", undefined])
    assert.deepStrictEqual(malformed([]), ["not-an-object", undefined])
    assert.deepStrictEqual(malformed({}), ["unknown-shape", undefined])
    assert.deepStrictEqual(malformed({ type: "MESSAGE", headers, data: "{" }), ["data-not-json", "data"])
    assert.deepStrictEqual(malformed({ type: "MESSAGE", headers, data: "7" }), ["bad-field", "data"])
    assert.deepStrictEqual(malformed({ type: "MESSAGE", headers }), ["bad-field", "data"])
    assert.deepStrictEqual(malformed({ type: "MESSAGE", headers, data: {} }), ["unknown-shape", undefined])
    assert.deepStrictEqual(malformed({ ...gatewayBody, input: [] }), ["empty-input", "input"])
    assert.deepStrictEqual(malformed({ ...gatewayBody, input: [{ type: "input_audio" }] }), ["empty-input", "input"])
    assert.deepStrictEqual(malformed({ ...gatewayBody, input: { a: 1 } }), ["bad-field", "input"])
    assert.deepStrictEqual(malformed({ ...gatewayBody, metadata: {} }), ["missing-session", "metadata.session_id"])
    assert.deepStrictEqual(malformed({ input: gatewayBody.input }), ["missing-session", "metadata.session_id"])
    assert.deepStrictEqual(malformed({ ...gatewayBody, metadata: "x" }), ["bad-field", "metadata"])
    assert.deepStrictEqual(malformed({ ...gatewayBody, metadata: { session_id: ["s"] } }), [
      "bad-field",
      "metadata.session_id"
    ])
    assert.deepStrictEqual(malformed({ ...seedBody, messageId: {} }), ["bad-field", "messageId"])
    assert.deepStrictEqual(malformed({ type: "MESSAGE", headers, data: '{"content":""}' }), ["empty-input", "content"])
  })

  it("a refusal knows whom to tell and in which dialect, and repeats nothing", () => {
    const refused = decode({ ...seedBody, input: [{ type: "input_audio", data: "secret" }] })
    assert.deepStrictEqual(refused, {
      _tag: "Malformed",
      reason: "empty-input",
      message: "The message has no part that can be read here. Send a text, a file or an image.",
      dialect: "envelope",
      messageId: "m1",
      sessionId: "s1",
      param: "input"
    })
  })

  it("counts bytes and not characters against the limit", () => {
    const raw = JSON.stringify({ content: "漢😀é" })
    const bytes = new TextEncoder().encode(raw).length
    assert.strictEqual(decodeInbound(raw, { maxBytes: bytes })._tag, "Request")
    const over = decodeInbound(raw, { maxBytes: bytes - 1 })
    assert.strictEqual(over._tag === "Malformed" ? over.reason : over._tag, "too-large")
  })
})

describe("control frames of the platform", () => {
  it("session.auto_bound, sessions as texts and as objects", () => {
    assert.deepStrictEqual(
      decode({ type: "session.auto_bound", sessions: ["s1", "s2", "s1"], sender_type: "assistant", sender_id: "c1" }),
      {
        _tag: "AutoBound",
        sessions: [
          { sessionId: "s1", userId: undefined, assistantId: undefined },
          { sessionId: "s2", userId: undefined, assistantId: undefined }
        ],
        senderType: "assistant",
        senderId: "c1",
        features: [],
        epoch: undefined
      }
    )
    assert.deepStrictEqual(
      decode({
        type: "session.auto_bound",
        sessions: [{ session_id: "s1", user_id: "u1", assistant_id: "c1" }, {}, null, 7.5, { sessionId: "s2" }],
        features: ["ack", 7, "resume"],
        epoch: 3
      }),
      {
        _tag: "AutoBound",
        sessions: [
          { sessionId: "s1", userId: "u1", assistantId: "c1" },
          { sessionId: "s2", userId: undefined, assistantId: undefined }
        ],
        senderType: undefined,
        senderId: undefined,
        features: ["ack", "resume"],
        epoch: 3
      }
    )
    assert.strictEqual(
      encodeAutoBound({ sessions: [{ sessionId: "s1", userId: "u1", assistantId: "c1" }], senderId: "c1" }),
      '{"type":"session.auto_bound","sessions":[{"session_id":"s1","user_id":"u1","assistant_id":"c1"}],"sender_type":"assistant","sender_id":"c1"}'
    )
  })

  it("disconnect", () => {
    assert.strictEqual(encodeDisconnect(), '{"type":"SYSTEM","headers":{"topic":"disconnect"}}')
    assert.deepStrictEqual(decodeInbound(encodeDisconnect()), { _tag: "Disconnect", reason: undefined })
    assert.deepStrictEqual(decodeInbound(encodeDisconnect("deploy")), { _tag: "Disconnect", reason: "deploy" })
    assert.strictEqual(decode({ type: "SYSTEM", headers: { topic: "ping" } })._tag, "Control")
    assert.strictEqual(decode({ type: "SYSTEM" })._tag, "Control")
  })

  it("the error frame, which has no type", () => {
    const raw = encodeErrorFrame({
      code: "missing_required_parameter",
      message: "No session.",
      param: "metadata.session_id"
    })
    assert.strictEqual(
      raw,
      '{"error":{"type":"invalid_request","code":"missing_required_parameter","param":"metadata.session_id","message":"No session."}}'
    )
    assert.deepStrictEqual(decodeInbound(raw), {
      _tag: "PeerError",
      code: "missing_required_parameter",
      message: "No session.",
      param: "metadata.session_id"
    })
  })

  it("cancel", () => {
    assert.strictEqual(
      encodeCancel({ responseId: "r", messageId: undefined, sessionId: "s1" }),
      '{"type":"response.cancel","response_id":"r","metadata":{"session_id":"s1"}}'
    )
    assert.deepStrictEqual(malformed({ type: "response.cancel" }), ["bad-field", "response_id"])
  })

  it("an echo is never answered, whatever it holds", () => {
    const topic = "/v1.0/im/bot/messages"
    assert.deepStrictEqual(decode({ type: "MESSAGE", headers: { topic }, data: "{" }), { _tag: "Echo" })
    assert.deepStrictEqual(decode({ headers: { topic }, ...seedBody }), { _tag: "Echo" })
    assert.deepStrictEqual(decode({ topic, ...seedBody }), { _tag: "Echo" })
  })

  it("what this side does not act on is control", () => {
    const frame = { type: "session.closed", session_id: "s1" }
    assert.deepStrictEqual(decode(frame), { _tag: "Control", type: "session.closed", frame })
    assert.deepStrictEqual(decode({ type: "MESSAGE", headers, data: JSON.stringify(frame) }), {
      _tag: "Control",
      type: "session.closed",
      frame
    })
    const other = decode({ type: "MESSAGE", headers: { topic: "/v1.0/other" }, data: "{}" })
    assert.strictEqual(other._tag, "Control")
    const ack = decode({ type: "response.ack", response_id: "r", sequence_number: 7 })
    assert.strictEqual(ack._tag === "Control" ? ack.type : "", "response.ack")
  })
})

const part: Arbitrary.Arbitrary<Part> = Arbitrary.flatMap(
  Arbitrary.schema(Schema.Literals(["input_text", "input_file", "input_image"])),
  (type): Arbitrary.Arbitrary<Part> =>
    type === "input_text"
      ? Arbitrary.map(words, text)
      : Arbitrary.map(
          Arbitrary.all({ known: id, other: optionalId, filename: optionalId, byId: Arbitrary.schema(Schema.Boolean) }),
          ({ byId, filename, known, other }) => ({
            type,
            fileId: byId ? known : other,
            url: byId ? other : known,
            filename
          })
        )
)

const general = Arbitrary.all({
  messageId: optionalId,
  sessionId: optionalId,
  parts: Arbitrary.array(part, { minLength: 1, maxLength: 5 }),
  stream: Arbitrary.schema(Schema.Boolean),
  model: optionalId,
  previousResponseId: optionalId,
  metadata
})

describe("what is encoded is decoded", () => {
  it.prop("envelope", { general }, ({ general }) => {
    const expected: InboundRequest = { ...general, dialect: "envelope", skippedParts: 0 }
    assert.deepStrictEqual(decodeInbound(encodeRequest(expected)), { _tag: "Request", request: expected })
  })

  it.prop("gateway, bare and in an envelope", { general, session: id }, ({ general, session }) => {
    const expected: InboundRequest = {
      ...general,
      dialect: "gateway",
      sessionId: session,
      skippedParts: 0,
      metadata: {
        ...general.metadata,
        session_id: session,
        ...(general.messageId === undefined ? {} : { message_id: general.messageId })
      }
    }
    const raw = encodeRequest(expected)
    assert.deepStrictEqual(decodeInbound(raw), { _tag: "Request", request: expected })
    for (const data of [raw, JSON.parse(raw) as unknown]) {
      assert.deepStrictEqual(decode({ type: "MESSAGE", headers, data }), {
        _tag: "Request",
        request: { ...expected, dialect: "envelope" }
      })
    }
  })

  it.prop("envelope body, flat", { general }, ({ general }) => {
    const expected: InboundRequest = { ...general, dialect: "envelope", skippedParts: 0, messageId: "m" }
    const { data } = JSON.parse(encodeRequest(expected)) as { readonly data: string }
    assert.deepStrictEqual(decodeInbound(data), { _tag: "Request", request: expected })
  })

  it.prop("legacy, with and without its envelope", { messageId: optionalId, words }, ({ messageId, words }) => {
    const expected: InboundRequest = {
      ...plain,
      dialect: "legacy",
      messageId,
      sessionId: undefined,
      parts: [text(words)]
    }
    const raw = encodeRequest(expected)
    assert.deepStrictEqual(decodeInbound(raw), { _tag: "Request", request: expected })
    const { data } = JSON.parse(raw) as { readonly data: string }
    assert.deepStrictEqual(decodeInbound(data), { _tag: "Request", request: { ...expected, messageId: undefined } })
  })

  it("legacy says in a line what it cannot carry", () => {
    assert.strictEqual(
      encodeRequest({ ...plain, dialect: "legacy", parts: [...seedParts, text("end")] }),
      JSON.stringify({
        type: "MESSAGE",
        headers: { messageId: "m1", topic: "/v1.0/im/user/messages" },
        data: JSON.stringify({ content: "你好\n[file file_1]\n[image https://example.org/a.png]\nend" })
      })
    )
  })

  it.prop(
    "greeting",
    {
      greeting: Arbitrary.all({
        sessions: Arbitrary.array(Arbitrary.all({ sessionId: id, userId: optionalId, assistantId: optionalId })),
        senderId: optionalId,
        features: Arbitrary.array(Arbitrary.schema(Schema.Literals(["ack", "resume", "cancel"]))),
        epoch: Arbitrary.schema(Schema.UndefinedOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 }))))
      })
    },
    ({ greeting }) => {
      const seen = new Set<string>()
      assert.deepStrictEqual(decodeInbound(encodeAutoBound(greeting)), {
        _tag: "AutoBound",
        ...greeting,
        sessions: greeting.sessions.filter(({ sessionId }) => seen.size !== seen.add(sessionId).size),
        senderType: "assistant"
      })
    }
  )

  it.prop("cancel", { responseId: id, messageId: optionalId, sessionId: optionalId }, (target) => {
    assert.deepStrictEqual(decodeInbound(encodeCancel(target)), { _tag: "Cancel", ...target })
  })
})
