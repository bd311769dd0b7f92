/** Two platform processes over one Postgres: whoever reads at the one hears at once of what ended at the other. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as postgres from "../../../postgres/postgres.ts"
import { agent, ask, message, openSession, pen, person, register, signIn, start } from "./harness.ts"

describe.skipIf(postgres.missing !== undefined)("two platforms over one Postgres", () => {
  it.live("a person at the other one is shown the reply when it has ended, and not a second time", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const url = Redacted.make(yield* postgres.database)
      const options = { data: yield* fs.makeTempDirectoryScoped(), postgres: { url, maxConnections: 3 } }
      const first = yield* start(options)
      const second = yield* start(options)
      const keys = yield* register(first)
      const { token } = yield* signIn(first)
      const sessionId = yield* openSession(first, token, keys.claw_id)
      const here = yield* person(first, token)
      const there = yield* person(second, token)
      const worker = yield* agent(first, keys, "gateway")
      for (const id of ["m1", "m2"]) {
        ask(here, sessionId, id)
        const write = pen(worker, "gateway", yield* message(worker), `r_${id}`)
        write.begin()
        write.delta("an answer")
        write.complete("an answer")
        const end = yield* there.type("response.completed")
        assert.strictEqual(end["response"]["metadata"]["message_id"], id)
        assert.strictEqual(end["response"]["output_text"], "an answer")
        yield* here.type("response.completed")
      }
      for (const line of [here, there]) {
        assert.strictEqual(line.frames.filter((frame) => frame["type"] === "response.completed").length, 2)
      }
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
