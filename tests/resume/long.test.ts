/** Law one-terminal for a reply that is larger than a frame: its last frame, which repeats all of it, goes without. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, call, openSession, person, register, signIn, start } from "../layers/platform/edge/harness.ts"
import { agent, ended, shown, spoken } from "./stage.ts"

const largest = 1024 * 1024
const piece = "An answer that goes on for a long, long time. ".repeat(2_000)
const pieces = Array.from({ length: 15 }, (_, index) => `${index}. ${piece}`)
const text = pieces.join("")

describe("a reply larger than a frame", () => {
  for (const dialect of ["gateway", "envelope", "legacy"] as const) {
    for (const features of [true, false]) {
      it.live(`in the dialect ${dialect}, ${features ? "with" : "without"} resume: shown whole, stored whole`, () =>
        Effect.gen(function* () {
          const platform = yield* start()
          const keys = yield* register(platform)
          const { token } = yield* signIn(platform)
          const sessionId = yield* openSession(platform, token, keys.claw_id)
          const line = yield* person(platform, token)
          yield* agent({ port: platform.port, keys, dialect, features, reply: () => spoken(pieces) })
          yield* line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === true)
          const sizes: Array<number> = []
          line.ws.on("message", (data: Buffer) => void sizes.push(data.length))
          ask(line, sessionId, "long")
          const end = yield* ended(line)
          assert.strictEqual(end["type"], "response.completed")
          assert.strictEqual(shown(line.frames).text, text)
          assert.isAtMost(Math.max(...sizes), largest, "a reader with the usual limit can take each frame")
          const { body } = yield* call(platform, "GET", `/api/session/${sessionId}/messages`, { token })
          const [message] = body["data"]["items"]
          assert.strictEqual(message["status"], "completed")
          assert.isTrue(message["reply_text"] === text)

          const late = yield* person(platform, token)
          late.send({ type: "response.resume", response_id: end["response"]["id"] })
          yield* ended(late)
          assert.isTrue(shown(late.frames).text === text)
        })
      )
    }
  }
})
