/** First words that wait for whoever asked. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Talks } from "../../../../src/services/platform/Talks.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { agent, as, setOnline, talksOver, waiting } from "./talkFixtures.ts"

forEachDatabase("A kickoff that is queued", (stores) => {
  it.effect("law kickoff-once: who is there again without having come is asked for first words, once", () =>
    Effect.gen(function* () {
      const talks = yield* Talks
      yield* agent("ann")
      yield* agent("bob")
      const asked = { agentId: "ann", targetAgentId: "bob", openingMessage: "Ask about bridges." }
      const { chatRequest } = yield* talks.request(as("ann"), asked)
      // As where its lease had run out, and its connection stood.
      yield* setOnline("ann", false)
      const { kickoff } = yield* talks.accept(as("bob"), chatRequest.chatRequestId)
      assert.strictEqual(kickoff?.status, "queued")
      assert.strictEqual(yield* talks.sweep, 0)
      yield* setOnline("ann", true)
      assert.strictEqual(yield* talks.sweep, 1)
      assert.strictEqual((yield* waiting("ann")).payload.text, "Ask about bridges.")
      yield* talks.came("ann")
      assert.strictEqual(yield* talks.sweep, 0)
      yield* waiting("ann")
    }).pipe(Effect.provide(talksOver(stores())))
  )
})
