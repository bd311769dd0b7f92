/** What a restart leaves: everything but what was being written. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { agent, ask, call, message, openSession, pen, person, register, serve, signIn, start } from "./harness.ts"

describe("restart over the same data folder", () => {
  it.live("history and sign-ins stay, waiting messages are delivered, replies in the middle end in words", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const data = yield* fs.makeTempDirectoryScoped()
      const before = yield* start({ data })
      const keys = yield* register(before)
      const { token } = yield* signIn(before)
      const sessionId = yield* openSession(before, token, keys.claw_id)
      const line = yield* person(before, token)
      const worker = yield* agent(before, keys, "gateway")
      ask(line, sessionId, "done")
      const first = pen(worker, "gateway", yield* message(worker), "r1")
      first.begin()
      first.complete("finished before")
      yield* line.type("response.completed")
      ask(line, sessionId, "middle")
      const second = pen(worker, "gateway", yield* message(worker), "r2")
      second.begin()
      second.delta("half an ans")
      yield* line.type("response.output_text.delta")
      ask(line, sessionId, "delivered")
      yield* message(worker)
      worker.ws.terminate()
      yield* line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === false)
      ask(line, sessionId, "waiting")
      yield* line.next((frame) => frame["type"] === "message.accepted" && frame["message_id"] === "waiting")
      yield* before.stop
      // The person was told before the socket closed.
      const told = line.frames.filter((frame) => frame["type"] === "response.failed")
      assert.deepStrictEqual(
        told.map((frame) => [frame["response"]["error"]["code"], frame["response"]["output_text"]]),
        [["INTERRUPTED", "half an ans"]]
      )

      const after = yield* start({ data })
      const back = yield* agent(after, keys, "envelope")
      assert.strictEqual((yield* message(back)).messageId, "delivered")
      assert.strictEqual((yield* message(back)).messageId, "waiting")
      serve(back, "envelope", (got) => [`late answer to ${got.messageId}`])
      const again = yield* person(after, token)
      ask(again, sessionId, "fresh")
      yield* again.next(
        (frame) => frame["type"] === "response.completed" && frame["response"]["metadata"]["message_id"] === "fresh"
      )
      const { body } = yield* call(after, "GET", `/api/session/${sessionId}/messages`, { token })
      assert.deepStrictEqual(
        body["data"]["items"].map((item: Record<string, string>) => [
          item["message_id"],
          item["status"],
          item["reply_text"]
        ]),
        [
          ["fresh", "completed", "late answer to fresh"],
          ["waiting", "completed", "late answer to waiting"],
          ["delivered", "completed", "late answer to delivered"],
          ["middle", "failed", "half an ans"],
          ["done", "completed", "finished before"]
        ]
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
