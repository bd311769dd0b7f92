/** `/v1` as OpenAI's own client reads it. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import OpenAI from "openai"
import {
  agent,
  call,
  isMessage,
  type Line,
  message,
  openSession,
  pen,
  person,
  type Platform,
  register,
  serve,
  signIn,
  start
} from "./harness.ts"

const clientOf = (platform: Platform, apiKey: string): OpenAI =>
  new OpenAI({ apiKey, baseURL: `${platform.url}/v1`, maxRetries: 0 })

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform, "Ada")
  const { token } = yield* signIn(platform)
  const { body } = yield* call(platform, "POST", "/api/keys", { token, body: { name: "test" } })
  const openai = clientOf(platform, body["data"]["key"])
  return { platform, keys, token, openai, model: keys.claw_id }
})

const refused = (run: () => PromiseLike<unknown>): Effect.Effect<InstanceType<typeof OpenAI.APIError>> =>
  Effect.promise(async () => {
    try {
      await run()
    } catch (error) {
      if (error instanceof OpenAI.APIError) return error
      throw error
    }
    throw new Error("it was not refused")
  })

const begin = Effect.fnUntraced(function* (worker: Line, id = "mine") {
  const write = pen(worker, "gateway", yield* message(worker), id)
  write.begin()
  return write
})

describe("/v1/responses", () => {
  it.live("instructions come back as they were sent; a file's content in the request is refused in words", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      serve(yield* agent(platform, keys, "gateway"), "gateway", () => ["ok"])
      const create = (input: OpenAI.Responses.ResponseInput | string, instructions?: string) =>
        openai.responses.create({ model, input, ...(instructions === undefined ? {} : { instructions }) })
      assert.strictEqual((yield* Effect.promise(() => create("hi", "be brief"))).instructions, "be brief")
      assert.isNull((yield* Effect.promise(() => create("hi"))).instructions)
      const file = { type: "input_file", filename: "a.txt", file_data: "data:text/plain;base64,aGk=" } as const
      const error = yield* refused(() => create([{ role: "user", content: [file] }]))
      assert.strictEqual(error.status, 400)
      assert.match(error.message, /POST \/api\/files/)
    })
  )

  it.live("law once: a message that is known is told on, also while its agent is away", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform, token } = yield* setUp
      const session_id = yield* openSession(platform, token, keys.claw_id)
      const ask = (message_id: string) =>
        openai.responses.create({ model, input: "hi", metadata: { session_id, message_id } })
      const worker = yield* agent(platform, keys, "gateway")
      serve(worker, "gateway", () => ["an answer"])
      const first = yield* Effect.promise(() => ask("m1"))
      const watcher = yield* person(platform, token)
      worker.ws.close()
      yield* watcher.next((frame) => frame["type"] === "presence.changed" && frame["online"] === false)
      const again = yield* Effect.promise(() => ask("m1"))
      assert.deepStrictEqual([again.id, again.output_text], [first.id, "an answer"])
      const other = yield* refused(() => ask("m2"))
      assert.strictEqual(other.code, "agent_away")
    })
  )

  it.live("a whole answer", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      serve(yield* agent(platform, keys, "legacy"), "legacy", (got) => ["echo: ", got.text])
      const response = yield* Effect.promise(() => openai.responses.create({ model, input: "hi" }))
      assert.strictEqual(response.output_text, "echo: hi")
      assert.strictEqual(response.status, "completed")
      assert.strictEqual(response.model, model)
      assert.strictEqual(Object.keys(response).filter((key) => key !== "output_text").length, 31)
      const again = yield* Effect.promise(() => openai.responses.retrieve(response.id))
      assert.strictEqual(again.output_text, "echo: hi")
    })
  )

  it.live("a streamed answer: the canonical stream, law stream, as it comes", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const stream = yield* Effect.promise(() => openai.responses.create({ model, input: "hi", stream: true }))
      const write = yield* begin(worker)
      const events: Array<OpenAI.Responses.ResponseStreamEvent> = []
      // Every piece is written only when the one before has arrived.
      const pieces = ["one ", "two ", "three"]
      yield* Effect.promise(async () => {
        for await (const event of stream) {
          events.push(event)
          if (event.type !== "response.content_part.added" && event.type !== "response.output_text.delta") continue
          const piece = pieces.shift()
          if (piece === undefined) write.complete("one two three")
          else write.delta(piece)
        }
      })
      assert.deepStrictEqual(
        events.map((event) => event.type),
        [
          "response.created",
          "response.in_progress",
          "response.output_item.added",
          "response.content_part.added",
          "response.output_text.delta",
          "response.output_text.delta",
          "response.output_text.delta",
          "response.output_text.done",
          "response.content_part.done",
          "response.output_item.done",
          "response.completed"
        ]
      )
      assert.deepStrictEqual(
        events.map((event) => event.sequence_number),
        events.map((_, index) => index)
      )
      const last = events.at(-1)
      assert.strictEqual(last?.type === "response.completed" ? (last.response.output_text ?? "") : undefined, "")
      const text = last?.type === "response.completed" ? last.response.output[0] : undefined
      assert.deepStrictEqual(
        text?.type === "message" ? text.content.map((part) => (part.type === "output_text" ? part.text : "")) : [],
        ["one two three"]
      )
    })
  )

  it.live("previous_response_id goes on in the same session", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "envelope")
      serve(worker, "envelope", (got) => [String(got.sessionId)])
      const first = yield* Effect.promise(() => openai.responses.create({ model, input: "a" }))
      const second = yield* Effect.promise(() =>
        openai.responses.create({ model, input: "b", previous_response_id: first.id })
      )
      const third = yield* Effect.promise(() => openai.responses.create({ model, input: "c" }))
      assert.strictEqual(second.output_text, first.output_text)
      assert.notStrictEqual(third.output_text, first.output_text)
      assert.strictEqual(second.previous_response_id, first.id)
    })
  )

  it.live("items, roles and metadata reach the agent", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      serve(worker, "gateway", () => ["ok"])
      yield* Effect.promise(() =>
        openai.responses.create({
          model,
          instructions: "be brief",
          input: [
            { role: "user", content: "first" },
            { role: "assistant", content: "answer" },
            { role: "user", content: [{ type: "input_text", text: "second" }] }
          ],
          metadata: { topic: "tests" }
        })
      )
      const frame = worker.frames.find(isMessage)
      assert.deepStrictEqual(
        frame?.["input"][0]["content"].map((part: { text: string }) => part.text),
        ["[instructions]\nbe brief", "first", "[assistant]\nanswer", "second"]
      )
      assert.strictEqual(frame?.["metadata"]["topic"], "tests")
    })
  )

  it.live("a failed reply is a response that failed, with the agent's words", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const asked = openai.responses.create({ model, input: "hi" })
      const write = yield* begin(worker)
      write.fail("RATE_LIMIT", "Too much at once.")
      const response = yield* Effect.promise(() => asked)
      assert.strictEqual(response.status, "failed")
      assert.deepStrictEqual(response.error as unknown, { code: "RATE_LIMIT", message: "Too much at once." })
    })
  )

  it.live("cancel from the client, and what was written before stays", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const queued = yield* Effect.promise(() => openai.responses.create({ model, input: "hi", background: true }))
      assert.oneOf(queued.status, ["queued", "in_progress"])
      const write = yield* begin(worker)
      write.delta("half")
      const stream = yield* Effect.promise(() => openai.responses.retrieve(queued.id, { stream: true }))
      yield* Effect.promise(async () => {
        for await (const event of stream) {
          if (event.type === "response.output_text.delta") await openai.responses.cancel(queued.id)
        }
      })
      const ended = yield* Effect.promise(() => openai.responses.retrieve(queued.id))
      assert.strictEqual(ended.status, "failed")
      assert.strictEqual(ended.error?.code as string, "CANCELLED")
      assert.strictEqual(ended.output_text, "half")
      assert.strictEqual((yield* worker.type("response.cancel"))["response_id"], "mine")
    })
  )

  it.live("starting_after: the rest of a reply under way, and the whole text of one that ended", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const queued = yield* Effect.promise(() => openai.responses.create({ model, input: "hi", background: true }))
      const write = yield* begin(worker)
      for (const piece of ["a", "b", "c"]) write.delta(piece)
      const stream = yield* Effect.promise(() =>
        openai.responses.retrieve(queued.id, { stream: true, starting_after: 4 })
      )
      const seen: Array<string> = []
      yield* Effect.promise(async () => {
        for await (const event of stream) {
          seen.push(event.type === "response.output_text.delta" ? event.delta : event.type)
          if (event.type === "response.output_text.delta" && event.delta === "c") write.complete("abc")
        }
      })
      assert.deepStrictEqual(seen.slice(0, 3), ["b", "c", "response.output_text.done"])
      assert.strictEqual(seen.at(-1), "response.completed")
      const after = yield* Effect.promise(() =>
        openai.responses.retrieve(queued.id, { stream: true, starting_after: 6 })
      )
      const rest: Array<readonly [number, string]> = []
      yield* Effect.promise(async () => {
        for await (const event of after) {
          rest.push([event.sequence_number, event.type === "response.output_text.done" ? event.text : event.type])
        }
      })
      assert.deepStrictEqual(rest[0], [7, "abc"])
      assert.strictEqual(rest.at(-1)?.[1], "response.completed")
    })
  )

  it.live("a client that hangs up cancels the reply, streamed or whole", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const stream = yield* Effect.promise(() => openai.responses.create({ model, input: "a", stream: true }))
      const write = yield* begin(worker)
      write.delta("half")
      yield* Effect.promise(async () => {
        for await (const event of stream) if (event.type === "response.output_text.delta") break
      })
      assert.strictEqual((yield* worker.type("response.cancel"))["response_id"], "mine")
      const whole = yield* Effect.forkChild(
        Effect.promise((signal) => openai.responses.create({ model, input: "b" }, { signal }))
      )
      yield* begin(worker, "second")
      yield* Fiber.interrupt(whole)
      assert.strictEqual((yield* worker.type("response.cancel"))["response_id"], "second")
    })
  )

  it.live("models are the agents", () =>
    Effect.gen(function* () {
      const { model, openai } = yield* setUp
      const models = yield* Effect.promise(() => openai.models.list())
      assert.deepStrictEqual(
        models.data.map((one) => [one.id, one.owned_by]),
        [[model, "Ada"]]
      )
      assert.strictEqual((yield* Effect.promise(() => openai.models.retrieve(model))).id, model)
    })
  )

  it.live("refusals have OpenAI's shape and status", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const away = yield* refused(() => openai.responses.create({ model, input: "hi" }))
      assert.strictEqual(away.status, 503)
      assert.strictEqual(away.code, "agent_away")
      const stranger = yield* refused(() => clientOf(platform, "nonsense").models.list())
      assert.strictEqual(stranger.status, 401)
      assert.strictEqual(stranger.type, "authentication_error")
      const nobody = yield* refused(() => openai.responses.create({ model: "gpt-9", input: "hi" }))
      assert.strictEqual(nobody.status, 404)
      assert.strictEqual(nobody.code, "model_not_found")
      assert.strictEqual(nobody.param, "model")
      serve(yield* agent(platform, keys, "gateway"), "gateway", () => ["ok"])
      const empty = yield* refused(() => openai.responses.create({ model, input: "" }))
      assert.strictEqual(empty.status, 400)
      assert.strictEqual(empty.param, "input")
      const lost = yield* refused(() => openai.responses.create({ model, input: "x", previous_response_id: "resp_no" }))
      assert.strictEqual(lost.status, 400)
      assert.strictEqual(lost.param, "previous_response_id")
      const noFile = yield* refused(() =>
        openai.responses.create({
          model,
          input: [{ role: "user", content: [{ type: "input_file", file_id: "file_none" }] }]
        })
      )
      assert.strictEqual(noFile.status, 404)
      assert.strictEqual(noFile.code, "file_not_found")
      assert.match(noFile.message, /uploaded anew/)
      const none = yield* refused(() => openai.responses.retrieve("resp_none"))
      assert.strictEqual(none.status, 404)
      const broken = yield* call(platform, "POST", "/v1/responses", {
        headers: { authorization: `Bearer ${openai.apiKey}` },
        body: { model: 7 }
      })
      assert.strictEqual(broken.status, 400)
      assert.strictEqual(broken.body["error"]["param"], "model")
    })
  )

  it.live("a reply of /v1 is part of the same history, and seen by the person's windows", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform, token } = yield* setUp
      serve(yield* agent(platform, keys, "gateway"), "gateway", () => ["ok"])
      const sessionId = yield* openSession(platform, token, model)
      const line = yield* person(platform, token)
      const response = yield* Effect.promise(() =>
        openai.responses.create({ model, input: "hi", metadata: { session_id: sessionId } })
      )
      assert.strictEqual((yield* line.type("response.completed"))["response"]["id"], response.id)
      const { body } = yield* call(platform, "GET", `/api/session/${sessionId}/messages`, { token })
      assert.strictEqual(body["data"]["items"][0]["response_id"], response.id)
    })
  )

  it.live("law stop: whoever listens is told when the platform stops in the middle", () =>
    Effect.gen(function* () {
      const { keys, model, openai, platform } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const stream = yield* Effect.promise(() => openai.responses.create({ model, input: "hi", stream: true }))
      const write = yield* begin(worker)
      write.delta("half")
      const types: Array<string> = []
      const half = yield* Deferred.make<void>()
      const reading = yield* Effect.forkChild(
        Effect.promise(async () => {
          for await (const event of stream) {
            types.push(event.type)
            if (event.type === "response.output_text.delta") Deferred.doneUnsafe(half, Exit.void)
          }
        })
      )
      yield* Deferred.await(half)
      yield* platform.stop
      yield* Fiber.join(reading)
      assert.strictEqual(types.at(-1), "response.failed")
    })
  )
})
