import { assert, describe, it } from "@effect/vitest"
import { ApiError } from "../../src/ui/api/http.ts"
import { makeChat } from "../../src/ui/places/chat/state/store.ts"

type Wire = Record<string, unknown>

const message = (over: Wire = {}): Wire => ({
  message_id: "m1",
  response_id: "r1",
  session_id: "s",
  input: [{ type: "input_text", text: "hello" }],
  status: "answering",
  reply_text: "ab",
  error: null,
  created_at: 1,
  ended_at: null,
  ...over
})

const harness = () => {
  const frames: Array<Wire> = []
  const asked: Array<string> = []
  const frame: Array<() => void> = []
  const timers: Array<() => void> = []
  const line = { up: true, distrusted: 0 }
  const answers = { messages: new Array<Wire>(), next: null as number | null, gone: false }
  let id = 0
  const chat = makeChat({
    http: {
      json: async (method, path) => {
        asked.push(`${method} ${path}`)
        if (answers.gone) throw new ApiError(404, "40400", "There is no such conversation.")
        if (path.includes("/messages")) return { items: answers.messages, next: answers.next }
        if (path === "/api/session/create") return { session_id: "s", assistant_id: "c", title: "", updated_at: 0 }
        return path === "/api/session/list" ? [] : { items: [] }
      },
      form: async () => undefined,
      upload: async () => undefined,
      blob: async () => new Blob([])
    },
    send: (sent) => {
      if (line.up) frames.push(sent as Wire)
      return line.up
    },
    distrust: () => line.distrusted++,
    now: () => 1_000,
    id: () => `own${++id}`,
    soon: (run) => frame.push(run),
    after: (_, run) => timers.push(run)
  })
  const exchanges = () => chat.state().conversations["s"]?.exchanges ?? []
  return { chat, frames, asked, frame, timers, line, answers, exchanges }
}

const delta = (sequence: number, text: string): Wire => ({
  type: "response.output_text.delta",
  response_id: "r1",
  delta: text,
  sequence_number: sequence
})

describe("the store of the chat", () => {
  it("renders a burst of pieces once", async () => {
    const h = harness()
    h.answers.messages = [message({ status: "delivered", reply_text: "" })]
    await h.chat.open("s")
    let told = 0
    h.chat.subscribe(() => told++)
    for (let index = 0; index < 100; index++) h.chat.onFrame(delta(4 + index, "x"))
    assert.strictEqual(told, 0)
    assert.strictEqual(h.frame.length, 1)
    h.frame.shift()?.()
    assert.strictEqual(told, 1)
    assert.strictEqual(h.exchanges()[0]?.text.length, 100)
  })

  it("asks for what it missed, once for each hole, after the piece that came last", async () => {
    const h = harness()
    h.answers.messages = [message()]
    await h.chat.open("s")
    assert.deepStrictEqual(h.frames, [{ type: "response.resume", response_id: "r1" }])
    for (const frame of [delta(4, "a"), delta(5, "b"), delta(7, "d"), delta(8, "e")]) h.chat.onFrame(frame)
    h.frame.shift()?.()
    assert.deepStrictEqual(h.frames.at(-1), { type: "response.resume", response_id: "r1", starting_after: 5 })
    h.chat.onFrame(delta(9, "f"))
    h.frame.shift()?.()
    assert.strictEqual(h.frames.length, 2)
    h.chat.onFrame(delta(6, "c"))
    h.frame.shift()?.()
    assert.strictEqual(h.exchanges()[0]?.text, "abcdef")
  })

  it("asks again after the line broke, as the socket of before will not answer", async () => {
    const h = harness()
    h.answers.messages = [message()]
    await h.chat.open("s")
    h.chat.offLine()
    await h.chat.onLine()
    assert.strictEqual(h.frames.length, 2)
  })

  it("sends what could not go with the same message id when the line is back, but not for ever", async () => {
    const h = harness()
    await h.chat.create("c")
    await h.chat.open("s")
    h.line.up = false
    h.chat.send("s", [{ type: "text", text: "hello" }])
    assert.strictEqual(h.exchanges()[0]?.phase, "unsent")
    assert.isTrue(h.chat.holdsUnsent())
    h.line.up = true
    for (let round = 0; round < 6; round++) {
      await h.chat.onLine()
      h.chat.offLine()
    }
    const ids = h.frames.map((frame) => (frame["metadata"] as Wire)["message_id"])
    assert.deepStrictEqual(ids, ["own1", "own1", "own1"])
    assert.strictEqual(h.exchanges()[0]?.phase, "unsent")
  })

  it("does not send again by itself what the platform refused", async () => {
    const h = harness()
    await h.chat.create("c")
    h.chat.send("s", [{ type: "text", text: "hello" }])
    h.chat.onFrame({
      error: { type: "limit_reached", code: "limit_reached", param: null, message: "Full." },
      metadata: { session_id: "s", message_id: "own1" }
    })
    await h.chat.onLine()
    assert.strictEqual(h.frames.length, 1)
    assert.strictEqual(h.exchanges()[0]?.failure?.message, "Full.")
    const first = h.exchanges()[0]
    if (first !== undefined) h.chat.resend(first)
    assert.deepStrictEqual(h.frames[1], h.frames[0])
  })

  it("does not trust a line on which nothing is confirmed", async () => {
    const h = harness()
    await h.chat.create("c")
    h.chat.send("s", [{ type: "text", text: "hello" }])
    for (const run of h.timers.splice(0)) run()
    assert.strictEqual(h.exchanges()[0]?.failure?.code, "unconfirmed")
    assert.strictEqual(h.line.distrusted, 1)
  })

  it("asks again with a new message id, and stops by the response's", async () => {
    const h = harness()
    h.answers.messages = [message({ status: "failed", error: { code: "TIMEOUT", message: "" } }), message()].slice(0, 1)
    await h.chat.open("s")
    const failed = h.exchanges()[0]
    if (failed !== undefined) h.chat.retry(failed)
    assert.deepStrictEqual(
      h.exchanges().map((exchange) => exchange.messageId),
      ["m1", "own1"]
    )
    h.chat.onFrame({ type: "message.accepted", message: message({ message_id: "own1", response_id: "r2" }) })
    h.chat.stop("s")
    assert.deepStrictEqual(h.frames.at(-1), {
      type: "response.cancel",
      response_id: "r2",
      message_id: "own1",
      metadata: { session_id: "s" }
    })
  })

  it("says why a conversation cannot be opened", async () => {
    const h = harness()
    h.answers.gone = true
    const fault = await h.chat.open("s").catch((cause: unknown) => cause)
    assert.instanceOf(fault, ApiError)
  })
})
