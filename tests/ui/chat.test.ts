import { assert, describe, it } from "@effect/vitest"
import type { ChatAction } from "../../src/ui/places/chat/state/chat.ts"
import { openReplies, reduce } from "../../src/ui/places/chat/state/chat.ts"
import type { ChatState, Exchange } from "../../src/ui/places/chat/state/model.ts"
import { freshExchange, initial, shownText } from "../../src/ui/places/chat/state/model.ts"
import type { ReplyEvent } from "../../src/ui/places/chat/state/reply.ts"
import { hasHole } from "../../src/ui/places/chat/state/reply.ts"
import { readMessage } from "../../src/ui/places/chat/state/wire.ts"

const S = "sess_1"
const M = "msg_1"
const R = "resp_1"
const ref = { responseId: R, sessionId: undefined, messageId: undefined }
const named = { responseId: R, sessionId: S, messageId: M }

const run = (state: ChatState, ...actions: ReadonlyArray<ChatAction>): ChatState => actions.reduce(reduce, state)
const events = (...list: ReadonlyArray<ReplyEvent>): ChatAction => ({ type: "replies", events: list })
const delta = (sequence: number | undefined, text: string, at = 1_300): ReplyEvent => ({
  type: "delta",
  ref,
  at,
  sequence,
  delta: text
})
const created: ReplyEvent = { type: "created", ref: named, at: 1_200 }
const completed = (text: string): ReplyEvent => ({ type: "completed", ref: named, at: 2_000, text })
const failed = (code: string, text?: string): ReplyEvent => ({
  type: "failed",
  ref: named,
  at: 2_000,
  text,
  failure: { code, message: "m" }
})

const sent = (messageId = M): ChatAction => ({
  type: "sent",
  exchange: freshExchange({
    sessionId: S,
    messageId,
    parts: [{ type: "text", text: "hello" }],
    phase: "sending",
    at: 1_000
  })
})

const message = (over: object = {}): Exchange =>
  readMessage({
    message_id: M,
    response_id: R,
    session_id: S,
    input: [{ type: "input_text", text: "hello" }],
    status: "delivered",
    reply_text: "",
    error: null,
    created_at: 1_050,
    ended_at: null,
    ...over
  })

const history = (exchanges: ReadonlyArray<Exchange>, older?: number): ChatAction => ({
  type: "history",
  page: "newest",
  sessionId: S,
  exchanges,
  older
})

const begun = run(initial, history([]), sent(), { type: "accepted", exchange: message() }, events(created))
const only = (state: ChatState): Exchange => {
  const all = state.conversations[S]?.exchanges ?? []
  assert.strictEqual(all.length, 1)
  const first = all[0]
  if (first === undefined) throw new Error("no exchange")
  return first
}

describe("a reply as it grows", () => {
  it("joins the pieces in order and measures the first words", () => {
    const end = only(run(begun, events(delta(4, "He"), delta(5, "llo"), completed("Hello"))))
    assert.strictEqual(end.text, "Hello")
    assert.strictEqual(end.phase, "completed")
    assert.strictEqual((end.firstWordsAt ?? 0) - (end.sentAt ?? 0), 300)
  })

  it("takes a piece that comes twice once", () => {
    const end = only(
      run(begun, events(delta(4, "a"), delta(4, "a"), delta(5, "b")), events(delta(4, "a"), delta(5, "b")))
    )
    assert.strictEqual(end.text, "ab")
  })

  it("holds a piece that comes too early until the hole is filled", () => {
    const holed = run(begun, events(delta(4, "a"), delta(7, "d"), delta(6, "c")))
    assert.strictEqual(only(holed).text, "a")
    assert.isTrue(hasHole(only(holed)))
    const whole = only(run(holed, events(delta(5, "b"))))
    assert.strictEqual(whole.text, "abcd")
    assert.isFalse(hasHole(whole))
  })

  it("does not show the middle of a reply whose beginning it has not seen", () => {
    const joined = run(initial, history([message({ status: "answering", reply_text: "abc" })]), events(delta(7, "d")))
    assert.strictEqual(shownText(only(joined)), "abc")
    assert.isTrue(hasHole(only(joined)))
    const whole = run(joined, events(delta(4, "a"), delta(5, "b")), events(delta(6, "c")))
    assert.strictEqual(shownText(only(whole)), "abcd")
  })

  it("lets the whole text win over the pieces, and takes no piece after it", () => {
    const end = only(run(begun, events(delta(4, "a"), { type: "text", ref, at: 2, text: "all" }, delta(5, "b"))))
    assert.strictEqual(end.text, "all")
  })

  it("keeps the first end", () => {
    const end = only(run(begun, events(completed("yes"), failed("TIMEOUT"), delta(4, "x"))))
    assert.strictEqual(end.phase, "completed")
    assert.strictEqual(end.text, "yes")
  })

  it("keeps what had come of a reply that failed or was stopped", () => {
    const end = only(run(begun, events(delta(4, "half"), failed("CANCELLED"))))
    assert.strictEqual(end.text, "half")
    assert.strictEqual(end.failure?.code, "CANCELLED")
  })

  it("finds pieces by the response id alone, and leaves alone what belongs to nobody", () => {
    const other = { ...ref, responseId: "resp_other" }
    const state = run(begun, events({ ...delta(4, "x"), ref: other }))
    assert.strictEqual(only(state).text, "")
  })

  it("takes pieces without numbers as they come", () => {
    assert.strictEqual(only(run(begun, events(delta(undefined, "a"), delta(undefined, "b")))).text, "ab")
  })

  it("is the same in whatever order and how often the pieces come", () => {
    const pieces = ["a", "b", "c", "d", "e"].map((text, index) => delta(index + 4, text))
    let seed = 7
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let round = 0; round < 200; round++) {
      const order = [...pieces, ...pieces].sort(() => random(3) - 1)
      const cut = random(order.length)
      const state = run(begun, events(...order.slice(0, cut)), events(...order.slice(cut)))
      assert.strictEqual(only(state).text, "abcde")
    }
  })
})

describe("across a broken line", () => {
  const cut: ChatAction = { type: "cut", failure: { code: "cut", message: "" } }

  it("goes on after the piece that came last, each once", () => {
    const before = run(begun, events(delta(4, "a"), delta(5, "b")), cut)
    const after = run(before, history([message({ status: "answering", reply_text: "abcd" })]))
    assert.strictEqual(only(after).next, 6)
    assert.strictEqual(shownText(only(after)), "abcd")
    const end = run(after, events(delta(8, "e"), delta(6, "c"), delta(7, "d"), delta(8, "e")))
    assert.strictEqual(shownText(only(end)), "abcde")
  })

  it("takes the end that was missed from the history", () => {
    const end = only(
      run(
        begun,
        events(delta(4, "a")),
        cut,
        history([message({ status: "completed", reply_text: "abc", ended_at: 9 })])
      )
    )
    assert.strictEqual(end.phase, "completed")
    assert.strictEqual(end.text, "abc")
  })

  it("does not let an older history undo an end that came by the socket", () => {
    const end = only(
      run(begun, events(completed("done")), history([message({ status: "answering", reply_text: "do" })]))
    )
    assert.strictEqual(end.phase, "completed")
    assert.strictEqual(end.text, "done")
  })

  it("calls a message unsent that was never confirmed, and the same one again is one message", () => {
    const broken = run(initial, history([]), sent(), cut)
    assert.strictEqual(only(broken).phase, "unsent")
    const again = run(broken, { type: "sending", sessionId: S, messageId: M, at: 3_000 })
    assert.strictEqual(only(again).phase, "sending")
    const confirmed = run(again, { type: "accepted", exchange: message() }, history([message()]))
    assert.strictEqual(only(confirmed).phase, "delivered")
    assert.strictEqual(only(confirmed).failure, undefined)
  })

  it("keeps an unsent message below the history", () => {
    const state = run(initial, history([]), sent("msg_2"), cut, history([message()]))
    assert.deepStrictEqual(
      state.conversations[S]?.exchanges.map((exchange) => exchange.messageId),
      [M, "msg_2"]
    )
  })

  it("gives an away agent's message back into waiting", () => {
    const state = run(begun.conversations[S] === undefined ? initial : initial, history([message()]), {
      type: "replies",
      events: [{ type: "status", ref: named, at: 1, status: "waiting" }]
    })
    assert.strictEqual(only(state).phase, "waiting")
  })
})

describe("messages", () => {
  it("keeps a refused message with the reason, and discards only what was not sent", () => {
    const refused = run(initial, history([]), sent(), {
      type: "unsent",
      sessionId: S,
      messageId: M,
      failure: { code: "limit_reached", message: "full" }
    })
    assert.strictEqual(only(refused).failure?.message, "full")
    const gone = run(refused, { type: "discarded", sessionId: S, messageId: M })
    assert.strictEqual(gone.conversations[S]?.exchanges.length, 0)
    const kept = run(begun, { type: "discarded", sessionId: S, messageId: M })
    assert.strictEqual(only(kept).messageId, M)
  })

  it("shows what another window sent, once", () => {
    const state = run(
      initial,
      history([]),
      { type: "accepted", exchange: message() },
      { type: "accepted", exchange: message() }
    )
    assert.strictEqual(only(state).phase, "delivered")
  })

  it("puts older pages before, without doubling", () => {
    const page = (ids: ReadonlyArray<string>) => ids.map((id) => message({ message_id: id, response_id: `r${id}` }))
    const state = run(initial, history(page(["c", "d"]), 3), {
      type: "history",
      page: "older",
      sessionId: S,
      exchanges: page(["a", "b", "c"]),
      older: undefined
    })
    assert.deepStrictEqual(
      state.conversations[S]?.exchanges.map((exchange) => exchange.messageId),
      ["a", "b", "c", "d"]
    )
    const refreshed = run(state, history(page(["c", "d", "e"]), 3))
    assert.deepStrictEqual(
      refreshed.conversations[S]?.exchanges.map((exchange) => exchange.messageId),
      ["a", "b", "c", "d", "e"]
    )
    assert.strictEqual(refreshed.conversations[S]?.older, undefined)
  })

  it("leaves no hole in the list when the newest page knows nothing of what was here", () => {
    const page = (ids: ReadonlyArray<string>) =>
      ids.map((id) => message({ message_id: id, response_id: `r${id}`, status: "completed" }))
    const state = run(initial, history(page(["a", "b"])), history(page(["y", "z"]), 40))
    assert.deepStrictEqual(
      state.conversations[S]?.exchanges.map((exchange) => exchange.messageId),
      ["y", "z"]
    )
    assert.strictEqual(state.conversations[S]?.older, 40)
  })

  it("changes only the exchange that got a piece", () => {
    const first = message({ message_id: "m0", response_id: "r0", status: "completed" })
    const state = run(initial, history([first, message()]), events(created))
    const after = run(state, events(delta(4, "a")))
    assert.strictEqual(after.conversations[S]?.exchanges[0], state.conversations[S]?.exchanges[0])
    assert.notStrictEqual(after.conversations[S]?.exchanges[1], state.conversations[S]?.exchanges[1])
  })

  it("knows which replies are open", () => {
    const state = run(
      initial,
      history([message(), message({ message_id: "m2", response_id: "r2", status: "completed" })])
    )
    assert.deepStrictEqual(
      openReplies(state.conversations[S]).map((exchange) => exchange.messageId),
      [M]
    )
  })
})

describe("conversations", () => {
  const session = (sessionId: string, updatedAt: number, title = "") => ({ sessionId, clawId: "c", title, updatedAt })

  it("stand by last use, and a message moves one up and names it", () => {
    const state = run(
      initial,
      { type: "sessions", sessions: [session(S, 10), session("other", 20)] },
      history([]),
      sent()
    )
    assert.deepStrictEqual(
      state.sessions.map((each) => [each.sessionId, each.title]),
      [
        [S, "hello"],
        ["other", ""]
      ]
    )
  })

  it("are renamed, made elsewhere and removed", () => {
    const titled = { type: "titled", sessionId: S, clawId: "c", title: "T", at: 5 } as const
    const state = run(initial, { type: "sessions", sessions: [session("other", 20)] }, titled, {
      ...titled,
      title: "U"
    })
    assert.deepStrictEqual(
      state.sessions.map((each) => each.title),
      ["", "U"]
    )
    const removed = run(state, history([message()]), { type: "removed", sessionId: S })
    assert.strictEqual(removed.sessions.length, 1)
    assert.strictEqual(removed.conversations[S], undefined)
  })
})
