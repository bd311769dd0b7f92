/** Frames that are larger than one side takes: said in words, and the same one is not sent for ever (law bounded). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import {
  agent,
  ask,
  dial,
  isMessage,
  type Json,
  type Keys,
  openSession,
  person,
  type Platform,
  read,
  register,
  signIn,
  start
} from "./harness.ts"

/** An agent with a limit of its own, that comes back whenever its connection ends. `answer` is what it says. */
const stubborn = (platform: Platform, keys: Keys, maxPayload: number, answer: (ws: WebSocket, frame: Json) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const state = { ended: [] as Array<number>, got: [] as Array<string>, over: false, ws: undefined as unknown }
      const connect = (): void => {
        const headers = { "x-app-key": keys.app_key, "x-app-secret": keys.app_secret, "x-claw-dialect": "gateway" }
        const ws = new WebSocket(`${platform.url.replace(/^http/, "ws")}/ws/chat`, { headers, maxPayload })
        state.ws = ws
        ws.on("error", () => undefined)
        ws.on("message", (data) => {
          const frame: Json = JSON.parse(String(data))
          if (!isMessage(frame)) return
          state.got.push(read(frame).messageId)
          answer(ws, frame)
        })
        ws.on("close", (code) => {
          state.ended.push(code)
          if (!state.over) connect()
        })
      }
      connect()
      return state
    }),
    (state) =>
      Effect.sync(() => {
        state.over = true
        if (state.ws instanceof WebSocket) state.ws.terminate()
      })
  )

const brief = (ws: WebSocket, frame: Json): void => {
  const { message_id, session_id } = frame["metadata"]
  const response = { id: `r_${message_id}`, object: "response", status: "completed", output_text: "ok" }
  ws.send(
    JSON.stringify({ type: "response.completed", response: { ...response, metadata: { message_id, session_id } } })
  )
}

const scene = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform)
  const { token } = yield* signIn(platform)
  const sessionId = yield* openSession(platform, token, keys.claw_id)
  const line = yield* person(platform, token)
  return { platform, keys, token, sessionId, line }
})

const isEndOf = (messageId: string) => (frame: Json) =>
  (frame["type"] === "response.completed" || frame["type"] === "response.failed") &&
  frame["response"]["metadata"]["message_id"] === messageId

describe("law bounded: frames that are too large", () => {
  it.live("a message too large for a foreign agent ends in words after the third time, and others are answered", () =>
    Effect.gen(function* () {
      const { keys, line, platform, sessionId } = yield* scene
      ask(line, sessionId, "before", "small")
      ask(line, sessionId, "large", "x".repeat(10_000))
      ask(line, sessionId, "after", "small")
      yield* line.next((frame) => frame["type"] === "message.accepted" && frame["message_id"] === "after")
      const worker = yield* stubborn(platform, keys, 4_096, brief)
      const end = yield* line.next(isEndOf("large"))
      assert.strictEqual(end["response"]["error"]["code"], "INVALID_REQUEST")
      assert.match(end["response"]["error"]["message"], /larger than/)
      const after = yield* line.next(isEndOf("after"))
      assert.strictEqual(after["type"], "response.completed")
      assert.isAtLeast(worker.ended.length, 3)
      assert.isAtMost(worker.ended.length, 5)
      assert.deepStrictEqual(
        line.frames.filter(isEndOf("before")).map((frame) => frame["type"]),
        ["response.completed"]
      )
    })
  )

  it.live("an answer that is too large in one frame, each time, ends in words too", () =>
    Effect.gen(function* () {
      const { keys, line, platform, sessionId } = yield* scene
      ask(line, sessionId, "m")
      const worker = yield* stubborn(platform, keys, 1024 * 1024, (ws, frame) => {
        if (frame["metadata"]["message_id"] === "m") ws.send("x".repeat(1_100_000))
        else brief(ws, frame)
      })
      const end = yield* line.next(isEndOf("m"))
      assert.strictEqual(end["response"]["error"]["code"], "INVALID_REQUEST")
      ask(line, sessionId, "next")
      assert.strictEqual((yield* line.next(isEndOf("next")))["type"], "response.completed")
      assert.deepStrictEqual(worker.got, ["m", "m", "m", "next"])
    })
  )

  it.live("whoever sends too large a frame is told so before the connection ends, in the words of that socket", () =>
    Effect.gen(function* () {
      const { keys, line, platform, token } = yield* scene
      const worker = yield* agent(platform, keys, "gateway")
      const v1 = yield* dial(platform, { authorization: `Bearer ${token}` }, "/v1/responses")
      yield* Effect.promise(
        () => new Promise((resolve) => (v1.ws.readyState === WebSocket.OPEN ? resolve(0) : v1.ws.once("open", resolve)))
      )
      for (const one of [worker, line, v1]) {
        one.send("x".repeat(1_100_000))
        const { code, reason } = yield* one.end
        assert.strictEqual(code, 1009)
        assert.match(reason, /1048576 bytes/)
        const said = one.frames.at(-1)
        assert.match(said?.["error"]["message"], /larger than the 1048576 bytes/)
      }
      assert.strictEqual(line.frames.at(-1)?.["error"]["code"], "frame_too_large")
      assert.strictEqual(v1.frames.at(-1)?.["type"], "error")
      assert.strictEqual(v1.frames.at(-1)?.["status"], 413)
    })
  )
})
