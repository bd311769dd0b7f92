/** What the platform agrees on with an agent: acknowledgements, confirmations, epochs. And what it does without. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import {
  ask,
  call,
  dial,
  isMessage,
  type Keys,
  message,
  openSession,
  pen,
  person,
  type Platform,
  register,
  signIn,
  start
} from "../layers/platform/edge/harness.ts"
import * as CuttingProxy from "./CuttingProxy.ts"
import { agent, ended, isEnd, shown } from "./stage.ts"

/** An agent written from the description of the wire. */
const stranger = Effect.fnUntraced(function* (platform: Platform, keys: Keys, features?: string) {
  const line = yield* dial(platform, {
    "x-app-key": keys.app_key,
    "x-app-secret": keys.app_secret,
    "x-claw-dialect": "gateway",
    ...(features === undefined ? {} : { "x-claw-features": features })
  })
  const greeting = yield* line.type("session.auto_bound")
  return Object.assign(line, { greeting })
})

const scene = Effect.fnUntraced(function* (options: Parameters<typeof start>[0] = {}) {
  const platform = yield* start(options)
  const keys = yield* register(platform)
  const { token } = yield* signIn(platform)
  const sessionId = yield* openSession(platform, token, keys.claw_id)
  const line = yield* person(platform, token)
  return { platform, keys, token, sessionId, line }
})

const away = (frame: Record<string, unknown>) => frame["type"] === "presence.changed" && frame["online"] === false

describe("features", () => {
  it.live("are agreed in the greeting, with the epoch; who names none hears of none", () =>
    Effect.gen(function* () {
      const { platform, keys } = yield* scene()
      const first = yield* stranger(platform, keys, "resume, ack ,teleport")
      assert.deepStrictEqual(first.greeting["features"], ["ack", "resume"])
      const second = yield* stranger(platform, keys, "ack,resume,cancel")
      assert.deepStrictEqual(second.greeting["features"], ["ack", "resume", "cancel"])
      assert.isAbove(second.greeting["epoch"], first.greeting["epoch"])
      const refused = yield* first.error()
      assert.strictEqual(refused["error"]["code"], "stale_epoch")
      assert.strictEqual((yield* first.end).code, 4001)
      const plain = yield* stranger(platform, keys)
      assert.isUndefined(plain.greeting["features"])
      assert.isUndefined(plain.greeting["epoch"])
    })
  )

  it.live("a message is delivered again, with its id, until it is acknowledged", () =>
    Effect.gen(function* () {
      const { platform, keys, sessionId, line } = yield* scene()
      const first = yield* stranger(platform, keys, "ack,resume")
      ask(line, sessionId, "kept")
      ask(line, sessionId, "lost")
      yield* message(first)
      yield* message(first)
      first.send({ type: "session.ack", message_id: "kept", session_id: sessionId })
      // Whatever is answered after it has seen it.
      first.send({ type: "session.bind", session_id: sessionId })
      yield* first.type("session.auto_bound")
      first.ws.terminate()
      yield* line.next(away)
      const second = yield* stranger(platform, keys, "ack,resume")
      assert.strictEqual((yield* message(second)).messageId, "lost")
      // The acknowledged one is held open for it, and takes its end.
      pen(second, "gateway", { messageId: "kept", sessionId, text: "" }, "r1").complete("late, but said")
      const last = yield* ended(line)
      assert.strictEqual(last["response"]["output_text"], "late, but said")
      assert.strictEqual(second.frames.filter(isMessage).length, 1)
    })
  )

  it.live("what is taken is confirmed now and then, the end at once when it is stored", () =>
    Effect.gen(function* () {
      const { platform, keys, token, sessionId, line } = yield* scene()
      const worker = yield* stranger(platform, keys, "resume")
      ask(line, sessionId, "m")
      const got = yield* message(worker)
      const metadata = { session_id: sessionId, message_id: got.messageId }
      worker.send({ type: "response.created", response: { id: "r", metadata }, sequence_number: 0 })
      for (let index = 0; index < 300; index++) {
        worker.send({ type: "response.output_text.delta", response_id: "r", delta: "x", sequence_number: 4 + index })
      }
      yield* worker.next((frame) => frame["type"] === "response.ack" && frame["sequence_number"] === 303)
      assert.isBelow(worker.frames.filter((frame) => frame["type"] === "response.ack").length, 30)
      // A number is missing: it is asked for, and what comes after it is not shown before it has come.
      worker.send({ type: "response.output_text.delta", response_id: "r", delta: "z", sequence_number: 305 })
      const gap = yield* worker.type("response.gap")
      assert.deepStrictEqual([gap["response_id"], gap["from"], gap["to"]], ["r", 304, 304])
      worker.send({ type: "response.output_text.delta", response_id: "r", delta: "y", sequence_number: 304 })
      worker.send({ type: "response.output_text.delta", response_id: "r", delta: "z", sequence_number: 305 })
      const text = `${"x".repeat(300)}yz`
      worker.send({
        type: "response.completed",
        response: { id: "r", status: "completed", output_text: text, metadata },
        sequence_number: 309
      })
      const last = yield* worker.next((frame) => frame["type"] === "response.ack" && frame["status"] === "ended")
      assert.strictEqual(last["sequence_number"], 309)
      const { body } = yield* call(platform, "GET", `/api/session/${sessionId}/messages`, { token })
      assert.strictEqual(body["data"]["items"][0]["reply_text"], text)
      yield* ended(line)
      assert.strictEqual(shown(line.frames).text, text)
      // What it says again is known.
      worker.send({ type: "response.resume", response_id: "r", from: 0, message_id: "m", session_id: sessionId })
      const again = yield* worker.type("response.ack")
      assert.strictEqual(again["status"], "ended")
      worker.send({ type: "response.resume", response_id: "never", from: 0 })
      assert.strictEqual((yield* worker.type("response.ack"))["status"], "unknown")
    })
  )

  it.live("an agent that crashed takes back nothing of what was shown when it says how it ended", () =>
    Effect.gen(function* () {
      const { platform, keys, sessionId, line } = yield* scene()
      const first = yield* stranger(platform, keys, "resume")
      ask(line, sessionId, "m")
      yield* message(first)
      const metadata = { session_id: sessionId, message_id: "m" }
      first.send({ type: "response.created", response: { id: "r", metadata }, sequence_number: 0 })
      first.send({ type: "response.output_text.delta", response_id: "r", delta: "Half an ans", sequence_number: 4 })
      yield* line.type("response.output_text.delta")
      first.ws.terminate()
      yield* line.next(away)
      const second = yield* stranger(platform, keys, "resume")
      second.send({ type: "response.output_text.done", response_id: "r", text: "", sequence_number: 1 })
      const error = { code: "INTERRUPTED", message: "The agent's program stopped." }
      second.send({
        type: "response.failed",
        response: { id: "r", status: "failed", error, output_text: "", metadata },
        sequence_number: 4
      })
      const last = yield* ended(line)
      assert.strictEqual(last["response"]["output_text"], "Half an ans")
      assert.strictEqual(last["response"]["error"]["code"], "INTERRUPTED")
      assert.strictEqual(line.frames.filter(isEnd).length, 1)
    })
  )
})

describe("two platform processes over one database", () => {
  it.live("an agent that comes to the other one goes on there with the reply; the first one does not end it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const data = yield* fs.makeTempDirectoryScoped()
      const a = yield* scene({ data, grace: "1 second" })
      const proxy = yield* CuttingProxy.make(() => target)
      let target = a.platform.port
      let speak: ((text: string | undefined) => void) | undefined
      yield* agent({
        port: proxy.port,
        keys: a.keys,
        reply: () =>
          Stream.fromAsyncIterable(
            (async function* () {
              for (;;) {
                const text = await new Promise<string | undefined>((resolve) => (speak = resolve))
                if (text === undefined) return
                yield { _tag: "Text", text } as const
              }
            })(),
            () => new Error("unreachable")
          ).pipe(Stream.orDie)
      })
      yield* a.line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === true)
      ask(a.line, a.sessionId, "m")
      yield* a.line.type("response.created")
      // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the agent sets it
      while (speak === undefined) yield* Effect.sleep("5 millis")
      speak("One. ")
      yield* a.line.type("response.output_text.delta")
      const b = yield* start({ data, grace: "1 second" })
      const onB = yield* person(b, a.token)
      target = b.port
      proxy.cutAll()
      yield* onB.type("response.output_text.delta")
      // Longer than both keep a reply open without its agent.
      yield* Effect.sleep("2500 millis")
      speak("Two.")
      yield* onB.type("response.output_text.delta")
      speak(undefined)
      const last = yield* ended(onB)
      assert.strictEqual(last["type"], "response.completed")
      assert.strictEqual(last["response"]["output_text"], "One. Two.")
      assert.strictEqual(shown(onB.frames).text, "One. Two.")
      const { body } = yield* call(b, "GET", `/api/session/${a.sessionId}/messages`, { token: a.token })
      assert.strictEqual(body["data"]["items"][0]["status"], "completed")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
