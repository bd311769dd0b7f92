import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import { decodeAgentFrame } from "../../../src/services/protocol/AgentFrame.ts"
import { type DialectName, dialects, type ReplyUpdate } from "../../../src/services/protocol/Dialect.ts"
import { sse, sseDone } from "../../../src/services/protocol/dialects/OpenResponses.ts"
import { events } from "../../../src/services/protocol/ReplyLog.ts"
import type { Failure } from "../../../src/services/protocol/ResponseEvent.ts"
import { deltasOf, optionalId, reply, type Reply, stepsOf, textOf } from "./samples.ts"

const head = {
  responseId: "resp_1",
  itemId: "msg_1",
  createdAt: 1_700_000_000,
  model: "offline",
  metadata: { session_id: "s1", message_id: "m1", theme: "dark" }
}
const route = { head, sessionId: "s1", messageId: "m1", stream: true }
const failure: Failure = { code: "TIMEOUT", message: "No answer came in time." }
const good: Reply = { head, pushes: [['say "hi"\n', "漢"]], failure: undefined }
const bad: Reply = { head, pushes: [["half"]], failure }
const said = 'say "hi"\n漢'

const framesOf = (dialect: DialectName, reply: Reply, stream = true): ReadonlyArray<string> => {
  const encode = dialects[dialect].encoder({ ...route, head: reply.head, stream })
  return stepsOf(reply).flatMap((step) => encode(step))
}

const parsed = (frames: ReadonlyArray<string>): ReadonlyArray<unknown> =>
  frames.map((frame): unknown => JSON.parse(frame))

/** Frames whose `data` is JSON text, that text read as well. */
const opened = (frames: ReadonlyArray<string>): ReadonlyArray<unknown> =>
  parsed(frames).map((frame) => {
    assert.isTrue(typeof frame === "object" && frame !== null && "data" in frame && typeof frame.data === "string")
    const { data, ...rest } = frame as { readonly data: string }
    return { ...rest, data: JSON.parse(data) as unknown }
  })

describe("dialects on the wire", () => {
  it("envelope", () => {
    const frame = (data: object) => ({
      type: "MESSAGE",
      headers: { topic: "/v1.0/im/bot/messages", "message-id": "m1", "session-id": "s1" },
      data
    })
    const ids = { response_id: "resp_1", item_id: "msg_1" }
    assert.deepStrictEqual(opened(framesOf("envelope", good)), [
      frame({ type: "response.in_progress", ...ids, sequence_number: 1 }),
      frame({
        type: "response.output_item.added",
        item: { type: "message", role: "assistant" },
        ...ids,
        sequence_number: 2
      }),
      frame({ type: "response.output_text.delta", delta: said, ...ids, sequence_number: 4 }),
      frame({ type: "response.content_part.done", part: { text: said }, ...ids, sequence_number: 6 }),
      frame({ type: "response.completed", response: { status: "completed" }, ...ids, sequence_number: 8 })
    ])
    assert.deepStrictEqual(
      opened(framesOf("envelope", bad)).at(-1),
      frame({
        type: "response.failed",
        error: { code: "TIMEOUT", message: "No answer came in time." },
        ...ids,
        sequence_number: 8
      })
    )
  })

  it("gateway", () => {
    const metadata = { session_id: "s1", message_id: "m1", theme: "dark" }
    assert.deepStrictEqual(parsed(framesOf("gateway", good)), [
      {
        type: "response.created",
        response: { id: "resp_1", object: "response", status: "in_progress", metadata },
        sequence_number: 0
      },
      { type: "response.output_text.delta", response_id: "resp_1", delta: said, sequence_number: 4 },
      { type: "response.output_text.done", response_id: "resp_1", text: said, sequence_number: 5 },
      {
        type: "response.completed",
        response: {
          id: "resp_1",
          object: "response",
          status: "completed",
          output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: said }] }],
          output_text: said,
          metadata
        },
        sequence_number: 8
      }
    ])
    assert.deepStrictEqual(parsed(framesOf("gateway", bad)).at(-1), {
      type: "response.failed",
      response: {
        id: "resp_1",
        object: "response",
        status: "failed",
        output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "half" }] }],
        output_text: "half",
        error: { code: "TIMEOUT", message: "No answer came in time." },
        metadata
      },
      sequence_number: 8
    })
  })

  it("gateway, stream: false", () => {
    assert.deepStrictEqual(parsed(framesOf("gateway", good, false)), [
      {
        id: "resp_1",
        object: "response",
        status: "completed",
        output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: said }] }],
        output_text: said,
        metadata: { session_id: "s1", message_id: "m1", theme: "dark" }
      }
    ])
  })

  it("gateway: session and message are those of the route, whatever a stranger's metadata says", () => {
    const encode = dialects.gateway.encoder({
      ...route,
      head: { ...head, metadata: { session_id: "other", sessionId: "other", message_id: "other" } }
    })
    const frame = decodeAgentFrame(encode({ _tag: "Opened", sequence: 0 })[0]!)
    assert.deepStrictEqual(frame._tag === "Update" ? frame.updates[0]?.ref : undefined, {
      responseId: "resp_1",
      messageId: "m1",
      sessionId: "s1"
    })
  })

  it("legacy", () => {
    const frame = (data: object) => ({
      type: "MESSAGE",
      headers: { messageId: "m1", topic: "/v1.0/im/bot/messages" },
      data
    })
    const riders = (timestamp: string) => ({
      response_id: "resp_1",
      item_id: "msg_1",
      timestamp,
      metadata: { session_id: "s1" }
    })
    const begun = riders("2023-11-14T22:13:20.000Z")
    const over = riders("2027-01-15T08:00:00.000Z")
    assert.deepStrictEqual(opened(framesOf("legacy", good)), [
      frame({ type: "response.in_progress", ...begun, sequence_number: 1 }),
      frame({
        type: "response.output_item.added",
        item: { type: "message", role: "assistant" },
        ...begun,
        sequence_number: 2
      }),
      frame({ type: "response.output_text.delta", delta: { text: said }, ...begun, sequence_number: 4 }),
      frame({ type: "response.content_part.done", status: "completed", ...over, sequence_number: 6 }),
      frame({ type: "response.completed", response: { status: "completed" }, ...over, sequence_number: 8 })
    ])
    assert.deepStrictEqual(opened(framesOf("legacy", bad)).slice(-2), [
      frame({ type: "response.content_part.done", status: "incomplete", ...over, sequence_number: 6 }),
      frame({
        type: "response.failed",
        error: { code: "TIMEOUT", message: "No answer came in time." },
        ...over,
        sequence_number: 8
      })
    ])
  })

  it("legacy without a session, and a time that no calendar knows", () => {
    const encode = dialects.legacy.encoder({ ...route, sessionId: undefined, head: { ...head, createdAt: Number.NaN } })
    assert.deepStrictEqual(opened(encode({ _tag: "Opened", sequence: 0 }))[0], {
      type: "MESSAGE",
      headers: { messageId: "m1", topic: "/v1.0/im/bot/messages" },
      data: {
        type: "response.in_progress",
        response_id: "resp_1",
        item_id: "msg_1",
        timestamp: "1970-01-01T00:00:00.000Z",
        sequence_number: 1
      }
    })
  })

  it.prop("open-responses is the canonical stream as it is", { reply }, ({ reply }) => {
    assert.deepStrictEqual(
      parsed(framesOf("open-responses", reply)),
      stepsOf(reply).flatMap((step) => events(reply.head, step))
    )
    const whole = parsed(framesOf("open-responses", reply, false))
    assert.strictEqual(whole.length, 1)
    const last = events(reply.head, stepsOf(reply).at(-1)!).at(-1)!
    assert.deepStrictEqual(whole[0], "response" in last ? last.response : undefined)
  })

  it("SSE names the event and ends with [DONE]", () => {
    assert.strictEqual(
      sse(framesOf("open-responses", good)[4]!),
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"say \\"hi\\"\\n漢","logprobs":[],"sequence_number":4}\n\n'
    )
    assert.strictEqual(sse('{"id":"x"}'), 'data: {"id":"x"}\n\n')
    assert.strictEqual(sseDone, "data: [DONE]\n\n")
  })
})

interface Understood {
  readonly deltas: ReadonlyArray<string>
  readonly done: string | undefined
  readonly failure: Failure | undefined
  readonly terminals: number
  readonly opened: number
  readonly sequences: ReadonlyArray<number>
}

/** What a reader makes of a reply's frames. */
const understand = (
  dialect: DialectName,
  frames: ReadonlyArray<string>
): Understood & { updates: Array<ReplyUpdate> } => {
  const updates = frames.flatMap((frame) => {
    const decoded = decodeAgentFrame(frame)
    assert.strictEqual(decoded._tag, "Update")
    if (decoded._tag !== "Update") return []
    assert.strictEqual(decoded.dialect, dialect)
    return [...decoded.updates]
  })
  const ends = updates.filter((update) => update._tag === "Completed" || update._tag === "Failed")
  const last = ends.at(-1)
  assert.strictEqual(last, updates.at(-1))
  return {
    updates,
    deltas: updates.flatMap((update) => (update._tag === "Delta" ? [update.delta] : [])),
    done: updates.find((update) => update._tag === "TextDone")?.text ?? last?.text,
    failure: last?._tag === "Failed" ? last.failure : undefined,
    terminals: ends.length,
    opened: updates.filter((update) => update._tag === "Opened").length,
    sequences: updates.flatMap((update) => (update.sequence === undefined ? [] : [update.sequence]))
  }
}

const routed = Arbitrary.all({ reply, sessionId: optionalId, messageId: optionalId })

describe("what is encoded is decoded", () => {
  for (const name of ["envelope", "gateway", "legacy", "open-responses"] as const) {
    it.prop(name, { route: routed }, ({ route: { messageId, reply, sessionId } }) => {
      // Without ids of its own a route must not inherit those of the metadata.
      const plain = { ...reply, head: { ...reply.head, metadata: { theme: "dark" } } }
      const steps = stepsOf(plain)
      const encode = dialects[name].encoder({ head: plain.head, messageId, sessionId, stream: true })
      const seen = understand(
        name,
        steps.flatMap((step) => encode(step))
      )
      assert.deepStrictEqual(seen.deltas, deltasOf(steps))
      assert.strictEqual(seen.deltas.join(""), textOf(plain))
      assert.deepStrictEqual(seen.failure, plain.failure)
      assert.strictEqual(seen.terminals, 1)
      assert.strictEqual(seen.opened, 1)
      assert.strictEqual(seen.updates[0]?._tag, "Opened")
      // The legacy dialect never says the whole text.
      assert.strictEqual(seen.done, name === "legacy" ? undefined : textOf(plain))
      assert.deepStrictEqual(
        seen.sequences,
        seen.sequences.toSorted((left, right) => left - right)
      )
      const deltaNumbers = seen.updates.flatMap((update) => (update._tag === "Delta" ? [update.sequence] : []))
      assert.deepStrictEqual(
        deltaNumbers,
        deltaNumbers.map((_, index) => index + 4)
      )
      assert.strictEqual(seen.sequences.at(-1), 4 + deltaNumbers.length + 3)
      for (const update of seen.updates) {
        const { ref } = update
        const bare = update._tag === "Delta" || update._tag === "TextDone" || update._tag === "Progress"
        // Canonical events name the item; only those with the response object name the response.
        if (name !== "open-responses" || !bare) assert.strictEqual(ref.responseId, plain.head.responseId)
        if (name === "envelope" || name === "legacy" || (name === "gateway" && !bare)) {
          assert.strictEqual(ref.messageId, messageId)
          assert.strictEqual(ref.sessionId, sessionId)
        }
      }
    })
  }

  for (const name of ["gateway", "open-responses"] as const) {
    it.prop(`${name}, stream: false`, { reply }, ({ reply }) => {
      const encode = dialects[name].encoder({ head: reply.head, messageId: "m", sessionId: "s", stream: false })
      const frames = stepsOf(reply).flatMap((step) => encode(step))
      assert.strictEqual(frames.length, 1)
      const seen = understand(name, frames)
      assert.strictEqual(seen.done, textOf(reply))
      assert.deepStrictEqual(seen.failure, reply.failure)
      assert.strictEqual(seen.opened, 1)
      assert.strictEqual(seen.updates[0]!.ref.responseId, reply.head.responseId)
    })
  }
})
