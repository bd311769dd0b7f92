import { assert, describe, it } from "@effect/vitest"
import type { Http } from "../../src/ui/api/http.ts"
import { shownText } from "../../src/ui/places/chat/state/model.ts"
import { makeChat } from "../../src/ui/places/chat/state/store.ts"

type Wire = Record<string, unknown>

/** A page that has just been loaded, while the platform is in the middle of a reply. */
const loaded = (replyText: string) => {
  const frames: Array<Wire> = []
  const soon: Array<() => void> = []
  const message = {
    message_id: "m1",
    response_id: "r1",
    session_id: "s",
    input: [{ type: "input_text", text: "hello" }],
    status: "answering",
    reply_text: replyText,
    error: null,
    created_at: 1,
    ended_at: null
  }
  const http: Http = {
    json: async (_, path) => (path.includes("/messages") ? { items: [message], next: null } : { items: [] }),
    form: async () => undefined,
    upload: async () => undefined,
    blob: async () => new Blob([])
  }
  const chat = makeChat({
    http,
    send: (frame) => {
      frames.push(frame as Wire)
      return true
    },
    distrust: () => {},
    now: () => 1_000,
    id: () => "own",
    soon: (run) => void soon.push(run),
    after: () => {}
  })
  const exchange = () => chat.state().conversations["s"]?.exchanges[0]
  return {
    chat,
    frames,
    exchange,
    shown: () => {
      for (const run of soon.splice(0)) run()
      const it = exchange()
      return it === undefined ? undefined : shownText(it)
    }
  }
}

const delta = (sequence: number, text: string): Wire => ({
  type: "response.output_text.delta",
  response_id: "r1",
  delta: text,
  sequence_number: sequence
})

const created: Wire = {
  type: "response.created",
  response: { id: "r1", metadata: { session_id: "s", message_id: "m1" } },
  sequence_number: 0
}

describe("a page that is loaded in the middle of a reply", () => {
  it("shows what there is at once, and goes on with each piece once, whatever overtakes what", async () => {
    const page = loaded("one two ")
    await page.chat.open("s")
    assert.strictEqual(page.shown(), "one two ")
    assert.deepStrictEqual(page.frames, [{ type: "response.resume", response_id: "r1" }])
    // A piece that was on its way before the answer to the question.
    page.chat.onFrame(delta(6, "three "))
    assert.strictEqual(page.shown(), "one two ")
    for (const frame of [delta(4, "one "), delta(5, "two "), delta(6, "three ")]) page.chat.onFrame(frame)
    assert.strictEqual(page.shown(), "one two three ")
    page.chat.onFrame(delta(7, "four"))
    page.chat.onFrame({ type: "response.output_text.done", response_id: "r1", text: "one two three four" })
    assert.strictEqual(page.shown(), "one two three four")
  })

  it("that is told of a gap takes the whole text", async () => {
    const page = loaded("one ")
    await page.chat.open("s")
    page.chat.onFrame(delta(4, "one "))
    page.chat.onFrame({ type: "response.gap", response_id: "r1", from: 5, to: 5 })
    page.chat.onFrame({ type: "response.output_text.done", response_id: "r1", text: "one two", sequence_number: 6 })
    assert.strictEqual(page.shown(), "one two")
  })

  it("told of a gap in the middle asks for all of it, and shows what was read until the new pieces have caught up", async () => {
    const page = loaded("")
    await page.chat.open("s")
    for (const [index, piece] of ["one ", "two ", "three "].entries()) page.chat.onFrame(delta(4 + index, piece))
    assert.strictEqual(page.shown(), "one two three ")
    page.chat.offLine()
    await page.chat.onLine()
    assert.deepStrictEqual(page.frames.at(-1), { type: "response.resume", response_id: "r1", starting_after: 6 })
    // The platform was killed; its agent tells the reply to the new one in longer pieces.
    page.chat.onFrame({ type: "response.gap", response_id: "r1", from: 7, to: 7 })
    assert.strictEqual(page.shown(), "one two three ")
    assert.deepStrictEqual(page.frames.at(-1), { type: "response.resume", response_id: "r1" })
    page.chat.onFrame(created)
    page.chat.onFrame(delta(4, "one two "))
    assert.strictEqual(page.shown(), "one two three ")
    page.chat.onFrame(delta(5, "three four "))
    assert.strictEqual(page.shown(), "one two three four ")
    page.chat.onFrame({ type: "response.output_text.done", response_id: "r1", text: "one two three four five" })
    assert.strictEqual(page.shown(), "one two three four five")
  })

  it("that is on the line when a reply begins anew counts its pieces anew", async () => {
    const page = loaded("")
    await page.chat.open("s")
    for (const frame of [created, delta(4, "one "), delta(5, "two ")]) page.chat.onFrame(frame)
    for (const frame of [created, delta(4, "one two "), delta(5, "three")]) page.chat.onFrame(frame)
    assert.strictEqual(page.shown(), "one two three")
  })

  it("takes an empty text after pieces for one that was too long to be said twice", async () => {
    const page = loaded("")
    await page.chat.open("s")
    for (const frame of [created, delta(4, "one "), delta(5, "two")]) page.chat.onFrame(frame)
    page.chat.onFrame({ type: "response.output_text.done", response_id: "r1", text: "", sequence_number: 6 })
    page.chat.onFrame({ type: "response.completed", response: { id: "r1", output_text: "" }, sequence_number: 9 })
    assert.strictEqual(page.shown(), "one two")
    assert.strictEqual(page.exchange()?.phase, "completed")
  })
})
