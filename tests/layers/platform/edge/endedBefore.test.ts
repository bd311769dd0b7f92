/** A reply whose end was stored by a former life of the platform, and is told by this one. */
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { agent, ask, message, openSession, pen, person, register, signIn, start } from "./harness.ts"

describe("an end that was stored before", () => {
  it.live("law stream: readers get the text that they lack before it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const data = yield* fs.makeTempDirectoryScoped()
      const platform = yield* start({ data })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const line = yield* person(platform, token)
      const worker = yield* agent(platform, keys, "gateway")
      ask(line, sessionId, "m1")
      const write = pen(worker, "gateway", yield* message(worker), "r1")
      write.begin()
      write.delta("the whole ")
      yield* line.type("response.output_text.delta")
      const database = new DatabaseSync(`${data}/platform.sqlite`)
      database
        .prepare("UPDATE exchanges SET status = 'completed', reply_text = ?, ended_at = ? WHERE message_id = 'm1'")
        .run("the whole answer", Date.now())
      database.close()
      write.fail("INTERRUPTED", "The agent died.")
      const end = yield* line.type("response.completed")
      assert.strictEqual(end["response"]["output_text"], "the whole answer")
      const deltas = line.frames.filter((frame) => frame["type"] === "response.output_text.delta")
      assert.strictEqual(deltas.map((frame) => String(frame["delta"])).join(""), "the whole answer")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
