/** Readers that come back: with OpenAI's own client, over a person's socket, after a restart. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import OpenAI from "openai"
import {
  agent,
  ask,
  call,
  message,
  openSession,
  pen,
  person,
  type Platform,
  register,
  signIn,
  start
} from "../layers/platform/edge/harness.ts"
import { ended, shown } from "./stage.ts"

const clientOf = Effect.fnUntraced(function* (platform: Platform, token: string) {
  const { body } = yield* call(platform, "POST", "/api/keys", { token, body: { name: "test" } })
  return new OpenAI({ apiKey: body["data"]["key"], baseURL: `${platform.url}/v1`, maxRetries: 0 })
})

type Event = OpenAI.Responses.ResponseStreamEvent

/** Everything after this number, to the end. */
const from = (client: OpenAI, responseId: string, after?: number): Effect.Effect<ReadonlyArray<Event>> =>
  Effect.promise(async () => {
    const events: Array<Event> = []
    const stream = await client.responses.retrieve(responseId, {
      stream: true,
      ...(after === undefined ? {} : { starting_after: after })
    })
    for await (const event of stream) events.push(event)
    return events
  })

const textOf = (events: ReadonlyArray<Event>): string =>
  events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("")

const scene = Effect.fnUntraced(function* (options: Parameters<typeof start>[0] = {}) {
  const platform = yield* start(options)
  const keys = yield* register(platform)
  const { token } = yield* signIn(platform)
  const worker = yield* agent(platform, keys, "gateway")
  const client = yield* clientOf(platform, token)
  return { platform, keys, token, worker, client }
})

describe("GET /v1/responses/{id}?stream=true&starting_after=N with OpenAI's client", () => {
  it.live("goes on in the middle, live, and after the end: each event once, whatever the number", () =>
    Effect.gen(function* () {
      const { client, keys, worker } = yield* scene()
      const begun = yield* Effect.promise(() =>
        client.responses.create({ model: keys.claw_id, input: "hello", background: true })
      )
      const write = pen(worker, "gateway", yield* message(worker), "r")
      write.begin()
      const pieces = Array.from({ length: 20 }, (_, index) => `piece ${index}, `)
      for (const piece of pieces.slice(0, 9)) write.delta(piece)
      // A reader that leaves after the sixth event.
      const first: Array<Event> = []
      yield* Effect.promise(async () => {
        const stream = await client.responses.retrieve(begun.id, { stream: true })
        for await (const event of stream) {
          first.push(event)
          if (event.sequence_number === 6) break
        }
      })
      const rest = yield* Effect.forkChild(from(client, begun.id, 6))
      yield* Effect.sleep("20 millis")
      for (const piece of pieces.slice(9)) write.delta(piece)
      write.complete(pieces.join(""))
      const all = [...first, ...(yield* Fiber.join(rest))]
      assert.strictEqual(textOf(all), pieces.join(""))
      assert.deepStrictEqual(
        all.map((event) => event.sequence_number),
        all.map((_, index) => index)
      )
      for (const after of [-1, 0, 3, 4, 11, all.length - 5, all.length - 2, all.length - 1]) {
        const late = yield* from(client, begun.id, after)
        assert.deepStrictEqual(
          late.map((event) => event.sequence_number),
          all.slice(after + 1).map((event) => event.sequence_number),
          `after ${after}`
        )
      }
    })
  )

  it.live("after a restart the hole is said to be one, and the whole text follows", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const data = yield* fs.makeTempDirectoryScoped()
      const { client, keys, platform, token, worker } = yield* scene({ data })
      const begun = yield* Effect.promise(() =>
        client.responses.create({ model: keys.claw_id, input: "hello", background: true })
      )
      const write = pen(worker, "gateway", yield* message(worker), "r")
      write.begin()
      for (const piece of ["one, ", "two, ", "three"]) write.delta(piece)
      write.complete("one, two, three")
      yield* from(client, begun.id)
      yield* platform.stop
      const after = yield* start({ data })
      const again = yield* clientOf(after, token)
      const rest = yield* from(again, begun.id, 5)
      assert.strictEqual(textOf(rest), "")
      const types = rest.map((event): string => event.type)
      assert.strictEqual(types[0], "response.gap")
      const done = rest.find((event) => event.type === "response.output_text.done")
      assert.strictEqual(done?.type === "response.output_text.done" ? done.text : undefined, "one, two, three")
      assert.strictEqual(types.at(-1), "response.completed")
      const numbers = rest.map((event) => event.sequence_number)
      assert.deepStrictEqual(
        numbers,
        numbers.toSorted((a, b) => a - b)
      )
      assert.isAbove(numbers[0] ?? 0, 5)
      assert.strictEqual(textOf(yield* from(again, begun.id)), "one, two, three")
      // The same over a person's socket.
      const line = yield* person(after, token)
      line.send({ type: "response.resume", response_id: begun.id, starting_after: 5 })
      const gap = yield* line.type("response.gap")
      assert.deepStrictEqual([gap["response_id"], gap["from"]], [begun.id, 6])
      assert.strictEqual((yield* line.type("response.output_text.done"))["text"], "one, two, three")
      assert.strictEqual((yield* ended(line))["type"], "response.completed")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("an agent that leaves before it begins: whoever waits is told, within the time a reply stays open", () =>
    Effect.gen(function* () {
      const { client, keys, worker } = yield* scene({ grace: "300 millis" })
      const streamed = yield* Effect.forkChild(
        Effect.promise(async () => {
          const events: Array<Event> = []
          const stream = await client.responses.create({ model: keys.claw_id, input: "hello", stream: true })
          for await (const event of stream) events.push(event)
          return events
        })
      )
      yield* message(worker)
      worker.ws.terminate()
      const events = yield* Fiber.join(streamed)
      const last = events.at(-1)
      assert.strictEqual(last?.type, "response.failed")
      if (last?.type === "response.failed") assert.include(last.response.error?.message, "left before it began")
    })
  )
})

describe("a person's socket", () => {
  it.live("that comes back in the middle gets the rest, each delta once", () =>
    Effect.gen(function* () {
      const { keys, platform, token, worker } = yield* scene()
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const first = yield* person(platform, token)
      ask(first, sessionId, "m")
      const write = pen(worker, "gateway", yield* message(worker), "r")
      write.begin()
      write.delta("one, ")
      write.delta("two, ")
      const seen = yield* first.next((frame) => frame["sequence_number"] === 5)
      first.ws.terminate()
      write.delta("three, ")
      const second = yield* person(platform, token)
      second.send({ type: "response.resume", response_id: seen["response_id"], starting_after: 5 })
      yield* second.next((frame) => frame["sequence_number"] === 6)
      write.delta("four")
      write.complete("one, two, three, four")
      yield* ended(second)
      assert.strictEqual(shown([...first.frames, ...second.frames]).text, "one, two, three, four")
      // After the end as well.
      const third = yield* person(platform, token)
      third.send({ type: "response.resume", response_id: seen["response_id"], starting_after: 6 })
      yield* ended(third)
      assert.deepStrictEqual(
        third.frames.flatMap((frame) => (frame["delta"] === undefined ? [] : [frame["delta"]])),
        ["four"]
      )
    })
  )
})
