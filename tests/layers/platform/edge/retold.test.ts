/**
 * Law stream across processes: an agent tells a reply that it had begun elsewhere anew, cut into other deltas, so the
 * numbers of the first telling say nothing of the second. Two platforms over one data folder: the first one begins the
 * reply and is heard no more, the agent goes on at the second one.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import {
  ask,
  call,
  dial,
  type Json,
  type Keys,
  message,
  openSession,
  person,
  type Platform,
  register,
  signIn,
  start
} from "./harness.ts"

const text = "abcdefghijklmnopqrstuvwxyz"

/** An agent of ours: it can say all of a reply again. */
const worker = (platform: Platform, keys: Keys) =>
  Effect.gen(function* () {
    const line = yield* dial(platform, {
      "x-app-key": keys.app_key,
      "x-app-secret": keys.app_secret,
      "x-claw-dialect": "gateway",
      "x-claw-features": "ack,resume,cancel"
    })
    yield* line.type("session.auto_bound")
    return line
  })

type Line = Effect.Success<ReturnType<typeof worker>>

const metadata = (sessionId: string) => ({ session_id: sessionId, message_id: "m" })
const begin = (line: Line, sessionId: string): void =>
  line.send({
    type: "response.created",
    response: { id: "r", object: "response", status: "in_progress", metadata: metadata(sessionId) },
    sequence_number: 0
  })
const delta = (line: Line, delta: string, sequence: number): void =>
  line.send({ type: "response.output_text.delta", response_id: "r", delta, sequence_number: sequence })
const complete = (line: Line, sessionId: string, sequence: number): void => {
  line.send({ type: "response.output_text.done", response_id: "r", text, sequence_number: sequence })
  line.send({
    type: "response.completed",
    response: { id: "r", object: "response", status: "completed", output_text: text, metadata: metadata(sessionId) },
    sequence_number: sequence + 3
  })
}

/** The first platform has told six single letters, numbers 4 to 9; the second one has told four times three. */
const moved = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const data = yield* fs.makeTempDirectoryScoped()
  const first = yield* start({ data })
  const second = yield* start({ data })
  const keys = yield* register(first)
  const { token } = yield* signIn(first)
  const sessionId = yield* openSession(first, token, keys.claw_id)
  const before = yield* person(first, token)
  const old = yield* worker(first, keys)
  ask(before, sessionId, "m")
  yield* message(old)
  begin(old, sessionId)
  for (let i = 0; i < 6; i++) delta(old, text.charAt(i), 4 + i)
  const last = yield* before.next((frame) => frame["sequence_number"] === 9)
  const responseId: string = last["response_id"]
  const line = yield* worker(second, keys)
  return { second, token, sessionId, line, responseId }
})

const goOn = (line: Line, sessionId: string): void => {
  begin(line, sessionId)
  for (let i = 0; i < 4; i++) delta(line, text.slice(i * 3, i * 3 + 3), 4 + i)
}

const eventsOf = (answer: string): ReadonlyArray<Json> =>
  answer
    .split("\n\n")
    .flatMap((block) => block.split("\n").filter((one) => one.startsWith("data: {")))
    .map((one) => JSON.parse(one.slice(6)))

const readOn = (platform: Platform, token: string, responseId: string, after: number) =>
  Effect.map(
    call(platform, "GET", `/v1/responses/${responseId}?stream=true&starting_after=${after}`, { token }),
    ({ body }) => eventsOf(body["text"])
  )

/** The gap is said, no delta comes, the whole text does, and the numbers only go up. */
const isGapAndEnd = (events: ReadonlyArray<Json>, after: number): void => {
  assert.strictEqual(events[0]?.["type"], "response.gap")
  assert.strictEqual(events[0]?.["from"], after + 1)
  assert.isFalse(events.some(({ type }) => type === "response.output_text.delta"))
  assert.strictEqual(events[1]?.["type"], "response.output_text.done")
  assert.strictEqual(events[1]?.["text"], text)
  assert.strictEqual(events[1]?.["sequence_number"], events[0]?.["to"] + 1)
  assert.strictEqual(events.at(-1)?.["type"], "response.completed")
}

describe("law stream: a reply told anew by another process", () => {
  for (const when of ["before it has begun", "in the middle", "after its end"] as const) {
    it.live(`/v1, old numbers, ${when}: the gap, then the whole text, and no delta with a hole before it`, () =>
      Effect.gen(function* () {
        const { line, responseId, second, sessionId, token } = yield* moved
        const watcher = yield* person(second, token)
        const read = readOn(second, token, responseId, 9)
        const asked = (frame: Json) => frame["response"]?.["id"] === responseId
        if (when !== "before it has begun") {
          goOn(line, sessionId)
          yield* watcher.next((frame) => frame["sequence_number"] === 7)
        }
        if (when === "after its end") {
          complete(line, sessionId, 8)
          yield* watcher.next((frame) => asked(frame) && frame["type"] === "response.completed")
          return isGapAndEnd(yield* read, 9)
        }
        const fiber = yield* Effect.forkChild(read, { startImmediately: true })
        // The reader is there when its answer has begun: with the comment that it always begins with.
        yield* call(second, "GET", `/v1/responses/${responseId}`, { token })
        if (when === "before it has begun") goOn(line, sessionId)
        complete(line, sessionId, 8)
        isGapAndEnd(yield* Fiber.join(fiber), 9)
      }).pipe(Effect.provide(NodeServices.layer))
    )
  }

  it.live("/v1, a reader that has no delta yet misses none", () =>
    Effect.gen(function* () {
      const { line, responseId, second, sessionId, token } = yield* moved
      goOn(line, sessionId)
      complete(line, sessionId, 8)
      const events = yield* readOn(second, token, responseId, 3)
      assert.deepStrictEqual(
        events.map((event) => event["sequence_number"]),
        events.map((_, index) => index + 4)
      )
      assert.strictEqual(
        events.flatMap((event) => (event["type"] === "response.output_text.delta" ? [event["delta"]] : [])).join(""),
        text
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a person's socket, old numbers: the gap at once, the whole text at the end, no delta between", () =>
    Effect.gen(function* () {
      const { line, responseId, second, sessionId, token } = yield* moved
      const watcher = yield* person(second, token)
      goOn(line, sessionId)
      yield* watcher.next((frame) => frame["sequence_number"] === 7)
      const reader = yield* person(second, token)
      reader.send({ type: "response.resume", response_id: responseId, starting_after: 9 })
      const gap = yield* reader.type("response.gap")
      assert.deepStrictEqual({ from: gap["from"], to: gap["to"] }, { from: 10, to: 10 })
      complete(line, sessionId, 8)
      const done = yield* reader.next((frame) => String(frame["type"]).startsWith("response."))
      assert.strictEqual(done["type"], "response.output_text.done")
      assert.strictEqual(done["text"], text)
      assert.strictEqual(done["sequence_number"], 11)
      yield* reader.type("response.completed")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a person's socket that after the gap asks for all of it gets all of it, live", () =>
    Effect.gen(function* () {
      const { line, responseId, second, sessionId, token } = yield* moved
      const reader = yield* person(second, token)
      // Before the agent has begun anew.
      reader.send({ type: "response.resume", response_id: responseId, starting_after: 9 })
      yield* reader.type("response.gap")
      reader.send({ type: "response.resume", response_id: responseId })
      yield* call(second, "GET", `/v1/responses/${responseId}`, { token })
      goOn(line, sessionId)
      complete(line, sessionId, 8)
      yield* reader.type("response.completed")
      const own = reader.frames.filter((frame) => String(frame["type"]).startsWith("response.")).slice(1)
      assert.strictEqual(own[0]?.["type"], "response.created")
      assert.strictEqual(own.flatMap((frame) => frame["delta"] ?? []).join(""), text.slice(0, 12) + text.slice(12))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
