import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  agent,
  ask,
  call,
  type Dialect,
  dial,
  isMessage,
  type Json,
  type Keys,
  type Line,
  message,
  openSession,
  pen,
  person,
  register,
  serve,
  signIn,
  start
} from "./harness.ts"

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform)
  const { token, user_id } = yield* signIn(platform)
  const sessionId = yield* openSession(platform, token, keys.claw_id)
  return { platform, keys, token, userId: user_id, sessionId }
})

const isTerminal = (frame: Json): boolean =>
  frame["type"] === "response.completed" || frame["type"] === "response.failed"

/** The events of one reply as a person's socket has them, in order. */
const eventsOf = (line: Line, responseId: string): ReadonlyArray<Json> =>
  line.frames.filter(
    (frame) =>
      String(frame["type"]).startsWith("response.") &&
      (frame["response_id"] === responseId || frame["response"]?.["id"] === responseId)
  )

describe("chat", () => {
  for (const dialect of ["envelope", "gateway", "legacy"] satisfies ReadonlyArray<Dialect>) {
    it.live(`an agent that speaks ${dialect} answers; law stream holds for the person`, () =>
      Effect.gen(function* () {
        const { keys, platform, sessionId, token } = yield* setUp
        const worker = yield* agent(platform, keys, dialect)
        serve(worker, dialect, (got) => ["you said ", got.text, " 👩‍👩‍👧 ok"])
        const line = yield* person(platform, token)
        ask(line, sessionId, "m1", "hi")
        const accepted = yield* line.type("message.accepted")
        assert.strictEqual(accepted["waiting"], false)
        assert.strictEqual(accepted["message_id"], "m1")
        const last = yield* line.next(isTerminal)
        assert.strictEqual(last["type"], "response.completed")
        const events = eventsOf(line, accepted["response_id"])
        assert.deepStrictEqual(
          events.map((event) => event["type"]),
          [
            "response.created",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.completed"
          ]
        )
        assert.deepStrictEqual(events[0]?.["response"]["metadata"], { session_id: sessionId, message_id: "m1" })
        assert.deepStrictEqual(
          events.slice(1, 4).map((event) => event["delta"]),
          ["you said ", "hi", " 👩‍👩‍👧 ok"]
        )
        assert.strictEqual(events[4]?.["text"], "you said hi 👩‍👩‍👧 ok")
        assert.strictEqual(last["response"]["output_text"], "you said hi 👩‍👩‍👧 ok")
        const numbers = events.map((event) => event["sequence_number"])
        assert.deepStrictEqual(
          numbers,
          numbers.toSorted((a, b) => a - b)
        )
        const { body } = yield* call(platform, "GET", `/api/session/${sessionId}/messages`, { token })
        assert.strictEqual(body["data"]["items"][0]["reply_text"], "you said hi 👩‍👩‍👧 ok")
        assert.strictEqual(body["data"]["items"][0]["status"], "completed")
      })
    )
  }

  it.live("an agent registered with a dialect is spoken to in it, unless its connection asks for another", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { body } = yield* call(platform, "POST", "/profiles/create", { body: { name: "Bare", dialect: "gateway" } })
      const keys: Keys = body["data"]
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const ann = yield* person(platform, token)
      const worker = yield* agent(platform, keys)
      ask(ann, sessionId, "m1")
      assert.isArray((yield* worker.next(isMessage))["input"])
      ask(ann, sessionId, "m2")
      yield* worker.next(isMessage)
      const asking = yield* agent(platform, keys, "legacy")
      assert.strictEqual((yield* asking.next(isMessage))["type"], "MESSAGE")
      const refused = yield* call(platform, "POST", "/profiles/create", { body: { name: "Bare", dialect: "latin" } })
      assert.strictEqual(refused.status, 400)
      assert.strictEqual(refused.body["param"], "dialect")
    })
  )

  it.live("without a word about dialects an agent is spoken to in the seed's", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token, userId } = yield* setUp
      const worker = yield* agent(platform, keys)
      assert.deepStrictEqual(worker.greeting, {
        type: "session.auto_bound",
        sessions: [{ session_id: sessionId, user_id: userId, assistant_id: keys.claw_id }],
        sender_type: "assistant",
        sender_id: keys.claw_id
      })
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1", "hi")
      const frame = yield* worker.type("MESSAGE")
      assert.deepStrictEqual(frame["headers"], {
        topic: "/v1.0/im/user/messages",
        "message-id": "m1",
        "session-id": sessionId
      })
      const data = JSON.parse(frame["data"])
      assert.deepStrictEqual(data.input, [{ type: "input_text", text: "hi" }])
      assert.strictEqual(data.messageId, "m1")
      assert.strictEqual(data.sessionId, sessionId)
    })
  )

  it.live("law once: the same message id starts nothing, and says what the first one is", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      const first = yield* line.type("message.accepted")
      const got = yield* message(worker)
      ask(line, sessionId, "m1", "changed")
      const second = yield* line.type("message.accepted")
      assert.strictEqual(second["fresh"], false)
      assert.strictEqual(second["response_id"], first["response_id"])
      assert.strictEqual(second["message"]["input"][0]["text"], "hello")
      ask(line, sessionId, "m2", "next")
      // Nothing came between: the repeated message was not delivered.
      assert.strictEqual((yield* message(worker)).messageId, "m2")
      assert.strictEqual(got.messageId, "m1")
    })
  )

  it.live("a second window of the same person sees the exchange; another person sees nothing", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const other = yield* signIn(platform, "Bob")
      serve(yield* agent(platform, keys, "gateway"), "gateway", () => ["one ", "two"])
      const line = yield* person(platform, token)
      const second = yield* person(platform, token)
      const stranger = yield* person(platform, other.token)
      ask(line, sessionId, "m1")
      const last = yield* line.next(isTerminal)
      assert.deepStrictEqual(yield* second.next(isTerminal), last)
      // A receipt of the stranger's own that comes after whatever could have come before it.
      stranger.send({ type: "nonsense" })
      yield* stranger.error()
      assert.deepStrictEqual(
        stranger.frames.filter((frame) => frame["type"] !== "session.auto_bound" && frame["error"] === undefined),
        []
      )
    })
  )

  it.live("an agent on the line hears of a new session before its first message, and no other agent does", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const other = yield* agent(platform, yield* register(platform, "Other"), "gateway")
      const { token, user_id } = yield* signIn(platform)
      const worker = yield* agent(platform, keys, "gateway")
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const bound = yield* worker.type("session.auto_bound")
      assert.deepStrictEqual(bound["sessions"], [{ session_id: sessionId, user_id, assistant_id: keys.claw_id }])
      assert.strictEqual(bound["sender_id"], keys.claw_id)
      yield* call(platform, "POST", "/v1/responses", {
        token,
        body: { model: keys.claw_id, input: "hi", background: true }
      })
      const second = yield* worker.next()
      assert.strictEqual(second["type"], "session.auto_bound")
      assert.strictEqual((yield* message(worker)).sessionId, second["sessions"][0]["session_id"])
      assert.strictEqual(other.frames.length, 1)
    })
  )

  it.live("the mailbox of an agent that is away is delivered in order, with the same message ids", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const line = yield* person(platform, token)
      const ids = Array.from({ length: 7 }, (_, index) => `m${index}`)
      for (const id of ids) ask(line, sessionId, id)
      for (const id of ids) {
        const accepted = yield* line.next((frame) => frame["message_id"] === id)
        assert.strictEqual(accepted["waiting"], true)
      }
      const worker = yield* agent(platform, keys, "envelope")
      for (const id of ids) assert.strictEqual((yield* message(worker)).messageId, id)
      const status = yield* line.next((frame) => frame["type"] === "message.status" && frame["message_id"] === "m6")
      assert.strictEqual(status["status"], "delivered")
    })
  )

  it.live("an agent has a bounded number of messages at once; the next ones follow as replies end", () =>
    Effect.gen(function* () {
      const platform = yield* start({ window: 2 })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      for (const id of ["a", "b", "c"]) ask(line, sessionId, id)
      const first = yield* message(worker)
      const second = yield* message(worker)
      yield* line.next((frame) => frame["type"] === "message.accepted" && frame["message_id"] === "c")
      // A frame of the agent's own with an answer: whatever was sent to it before would have come first.
      worker.send({ type: "session.bind", session_id: sessionId })
      const next = yield* worker.next()
      assert.strictEqual(next["type"], "session.auto_bound")
      const write = pen(worker, "gateway", second, "r2")
      write.begin()
      write.complete("done")
      assert.strictEqual((yield* message(worker)).messageId, "c")
      assert.deepStrictEqual([first.messageId, second.messageId], ["a", "b"])
    })
  )

  it.live(
    "law one-socket: a newer connection is greeted, the older one closed with 4001 and its messages passed on",
    () =>
      Effect.gen(function* () {
        const { keys, platform, sessionId, token } = yield* setUp
        const older = yield* agent(platform, keys, "gateway")
        const line = yield* person(platform, token)
        ask(line, sessionId, "m1")
        yield* message(older)
        const newer = yield* agent(platform, keys, "envelope")
        assert.strictEqual((yield* older.end).code, 4001)
        const got = yield* message(newer)
        assert.strictEqual(got.messageId, "m1")
        const write = pen(newer, "envelope", got, "r")
        write.begin()
        write.complete("from the newer one")
        assert.strictEqual((yield* line.next(isTerminal))["response"]["output_text"], "from the newer one")
        const { body } = yield* call(platform, "GET", `/api/agents/${keys.claw_id}`, { token })
        assert.strictEqual(body["data"]["online"], true)
      })
  )

  it.live("presence is told when an agent comes and goes", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const line = yield* person(platform, token)
      const worker = yield* agent(platform, keys)
      const came = yield* line.type("presence.changed")
      assert.deepInclude(came, { claw_id: keys.claw_id, online: true })
      worker.ws.close(1000)
      const went = yield* line.type("presence.changed")
      assert.deepInclude(went, { claw_id: keys.claw_id, online: false })
      const { body } = yield* call(platform, "GET", "/api/agents", { token })
      assert.strictEqual(body["data"]["items"][0]["online"], false)
      assert.isAtLeast(body["data"]["items"][0]["since"], came["since"])
    })
  )

  it.live("a reply goes on after its agent reconnects in time", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const first = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      const got = yield* message(first)
      const write = pen(first, "gateway", got, "mine")
      write.begin()
      write.delta("half ")
      yield* line.type("response.output_text.delta")
      first.ws.terminate()
      yield* line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === false)
      const second = yield* agent(platform, keys, "gateway")
      const goOn = pen(second, "gateway", got, "mine")
      goOn.delta("whole")
      goOn.complete("half whole")
      const last = yield* line.next(isTerminal)
      assert.strictEqual(last["response"]["output_text"], "half whole")
      assert.strictEqual(line.frames.filter((frame) => frame["type"] === "response.created").length, 1)
    })
  )

  it.live("law one-terminal: an agent that leaves in the middle and stays away ends the reply in words", () =>
    Effect.gen(function* () {
      const platform = yield* start({ grace: "10 millis" })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      write.delta("half")
      yield* line.type("response.output_text.delta")
      worker.ws.terminate()
      const last = yield* line.next(isTerminal)
      assert.strictEqual(last["type"], "response.failed")
      assert.strictEqual(last["response"]["error"]["code"], "INTERRUPTED")
      assert.strictEqual(last["response"]["output_text"], "half")
      // Too late: what the agent says now changes nothing.
      const back = yield* agent(platform, keys, "gateway")
      pen(back, "gateway", { messageId: "m1", sessionId, text: "" }, "mine").complete("half and more")
      back.send({ type: "session.bind", session_id: sessionId })
      yield* back.type("session.auto_bound")
      assert.strictEqual(line.frames.filter(isTerminal).length, 1)
    })
  )

  it.live("what was delivered and not begun goes back into the mailbox when the agent leaves", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      yield* message(worker)
      yield* line.type("message.status")
      worker.ws.terminate()
      assert.strictEqual((yield* line.type("message.status"))["status"], "waiting")
      const back = yield* agent(platform, keys, "legacy")
      assert.strictEqual((yield* message(back)).messageId, "m1")
    })
  )

  it.live("cancel ends the reply at once and reaches the agent", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      const accepted = yield* line.type("message.accepted")
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      write.delta("so far")
      yield* line.type("response.output_text.delta")
      line.send({ type: "response.cancel", response_id: accepted["response_id"] })
      const last = yield* line.next(isTerminal)
      assert.strictEqual(last["response"]["error"]["code"], "CANCELLED")
      assert.strictEqual(last["response"]["output_text"], "so far")
      const frame = yield* worker.type("response.cancel")
      assert.strictEqual(frame["response_id"], "mine")
      assert.strictEqual(frame["message_id"], "m1")
      write.delta("too late")
      write.fail("CANCELLED", "stopped")
      ask(line, sessionId, "m2")
      yield* message(worker)
      yield* line.next((one) => one["type"] === "message.status" && one["message_id"] === "m2")
      assert.strictEqual(line.frames.filter(isTerminal).length, 1)
    })
  )

  it.live("a message that waits can be cancelled by its message id, and is never delivered", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      ask(line, sessionId, "m2")
      yield* line.next((frame) => frame["message_id"] === "m2")
      line.send({ type: "response.cancel", message_id: "m1", metadata: { session_id: sessionId } })
      assert.strictEqual((yield* line.next(isTerminal))["response"]["error"]["code"], "CANCELLED")
      const worker = yield* agent(platform, keys, "gateway")
      assert.strictEqual((yield* message(worker)).messageId, "m2")
    })
  )

  it.live("resume tells one socket what came so far; nothing is missed and nothing comes twice", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      const { response_id } = yield* line.type("message.accepted")
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      for (const piece of ["a", "b", "c"]) write.delta(piece)
      yield* line.next((frame) => frame["delta"] === "c")
      const late = yield* person(platform, token)
      late.send({ type: "response.resume", response_id })
      yield* late.next((frame) => frame["delta"] === "c")
      const partial = yield* person(platform, token)
      partial.send({ type: "response.resume", response_id, starting_after: 4 })
      assert.strictEqual((yield* partial.type("response.output_text.delta"))["delta"], "b")
      write.delta("d")
      write.complete("abcd")
      yield* late.next(isTerminal)
      assert.deepStrictEqual(
        eventsOf(late, response_id).map((event) => event["delta"] ?? event["type"]),
        ["response.created", "a", "b", "c", "d", "response.output_text.done", "response.completed"]
      )
      const after = yield* person(platform, token)
      after.send({ type: "response.resume", response_id, starting_after: 5 })
      assert.strictEqual((yield* after.type("response.output_text.done"))["text"], "abcd")
      assert.strictEqual((yield* after.next(isTerminal))["response"]["output_text"], "abcd")
    })
  )

  it.live("an answer in one piece (stream: false) comes as one response object", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      line.send({
        stream: false,
        input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
        metadata: { session_id: sessionId, message_id: "m1" }
      })
      const frame = yield* worker.next((one) => Array.isArray(one["input"]))
      assert.strictEqual(frame["stream"], false)
      worker.send({
        id: "whole",
        object: "response",
        status: "completed",
        output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "all of it" }] }],
        output_text: "all of it",
        metadata: frame["metadata"]
      })
      const object = yield* line.next((one) => one["object"] === "response")
      assert.strictEqual(object["output_text"], "all of it")
      assert.strictEqual(object["metadata"]["message_id"], "m1")
    })
  )

  it.live("a ticket opens one socket, once", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const { body } = yield* call(platform, "POST", "/api/ticket", { token })
      const path = `/ws/chat?ticket=${body["data"]["ticket"]}`
      const line = yield* dial(platform, {}, path)
      yield* line.type("session.auto_bound")
      const again = yield* dial(platform, {}, path)
      assert.strictEqual((yield* again.refusal).status, 401)
    })
  )
})
