/** What every layer of `AgentRuntime` promises, asked of each of them. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as Scope from "effect/Scope"
import * as CustomAgent from "../../../../src/layers/channel/CustomAgent.ts"
import * as ExecAgent from "../../../../src/layers/channel/ExecAgent.ts"
import * as MemoryTranscripts from "../../../../src/layers/channel/MemoryTranscripts.ts"
import * as OfflineAgent from "../../../../src/layers/channel/OfflineAgent.ts"
import * as OpenAiAgent from "../../../../src/layers/channel/OpenAiAgent.ts"
import * as PlatformAttachments from "../../../../src/layers/channel/PlatformAttachments.ts"
import * as SimAgent from "../../../../src/layers/channel/SimAgent.ts"
import { AgentError, type AgentRuntime, Unavailable } from "../../../../src/services/channel/AgentRuntime.ts"
import { Attachments } from "../../../../src/services/channel/Attachments.ts"
import { Transcripts } from "../../../../src/services/channel/Transcripts.ts"
import * as ModelServer from "./ModelServer.ts"
import { askFailing, textOf, turnOf } from "./turns.ts"

const Services = Layer.mergeAll(MemoryTranscripts.layer, PlatformAttachments.layerWithoutPlatform, NodeServices.layer)

interface Subject {
  readonly agent: AgentRuntime["Service"]
  /** A turn that is answered with exactly this text. */
  readonly answered: { readonly say: string; readonly text: string }
  /** A turn that fails after the text before. */
  readonly failing: { readonly say: string; readonly reason: AgentError["reason"]["_tag"] }
  /** A turn that says something and then goes on for ever, or nearly. */
  readonly endless: string
  /** Settles when the work of the endless turn has stopped; undefined where it is the fiber itself that works. */
  readonly stopped: Promise<void> | undefined
}

type Make = Effect.Effect<Subject, unknown, Scope.Scope | Attachments | Transcripts | NodeServices.NodeServices>

const long = "All of it, exactly: 日本語 👩‍👩‍👧 \n\n end ".repeat(20)

const subjects: Readonly<Record<string, Make>> = {
  SimAgent: Effect.sync(() => ({
    agent: SimAgent.make({
      script: (turn) => {
        const said = textOf(
          turn.parts.map((part) => ({ _tag: "Text", text: part.type === "input_text" ? part.text : "" }))
        )
        if (said === "fail")
          return [
            SimAgent.say("some"),
            SimAgent.fail(new AgentError({ reason: new Unavailable({ detail: "scripted" }) }))
          ]
        return said === "endless" ? [SimAgent.say("begun"), SimAgent.stall] : [SimAgent.say(...long)]
      }
    }),
    answered: { say: "answer", text: long },
    failing: { say: "fail", reason: "Unavailable" as const },
    endless: "endless",
    stopped: undefined
  })),

  OfflineAgent: Effect.map(OfflineAgent.make({ rhythm: "none" }), (agent) => ({
    agent,
    answered: { say: `upper: ${long}`, text: long.trim().toUpperCase() },
    failing: { say: "fail late", reason: "RuntimeFailed" as const },
    endless: "slow 3600",
    stopped: undefined
  })),

  CustomAgent: Effect.gen(function* () {
    const stopped = Promise.withResolvers<void>()
    const agent = yield* CustomAgent.make({
      name: "contract",
      reply: async function* (turn) {
        try {
          if (turn.text === "fail") {
            yield "some"
            throw new Error("on purpose")
          }
          if (turn.text === "answer") return yield* long
          for (;;) {
            yield "more "
            await new Promise((resolve) => setImmediate(resolve))
          }
        } finally {
          if (turn.text === "endless") stopped.resolve()
        }
      }
    })
    return {
      agent,
      answered: { say: "answer", text: long },
      failing: { say: "fail", reason: "RuntimeFailed" as const },
      endless: "endless",
      stopped: stopped.promise
    }
  }),

  ExecAgent: Effect.gen(function* () {
    const script = `case "$(cat)" in fail) echo some; exit 1;; answer) printf %s "$LONG";; *) while :; do echo more; sleep 0.01; done;; esac`
    return {
      agent: yield* ExecAgent.make({ command: script, env: { PATH: process.env["PATH"], LONG: long } }),
      answered: { say: "answer", text: long },
      failing: { say: "fail", reason: "RuntimeFailed" as const },
      endless: "endless",
      stopped: undefined
    }
  }),

  OpenAiAgent: Effect.gen(function* () {
    const server = yield* ModelServer.make
    const stopped = Promise.withResolvers<void>()
    server.script((exchange) => {
      const asked = JSON.stringify(exchange.body["input"])
      if (asked.includes("endless")) {
        ModelServer.responseDeltas(exchange.response, ["begun"])
        void exchange.closed.then(stopped.resolve)
      } else if (asked.includes("fail")) {
        ModelServer.responseDeltas(exchange.response, ["some"])
        exchange.response.end()
      } else return ModelServer.respond(...long)(exchange)
    })
    return {
      agent: yield* OpenAiAgent.make({
        model: "m",
        baseUrl: server.baseUrl,
        apiKey: undefined,
        retryDelay: "1 millis"
      }),
      answered: { say: "answer", text: long },
      failing: { say: "fail", reason: "Unavailable" as const },
      endless: "endless",
      stopped: stopped.promise
    }
  })
}

describe("AgentRuntime", () => {
  for (const [name, make] of Object.entries(subjects)) {
    const withSubject = <E>(body: (subject: Subject) => Effect.Effect<void, E>) =>
      make.pipe(Effect.flatMap(body), Effect.scoped, Effect.provide(Services))

    it.live(`${name}: says what it is`, () =>
      withSubject(({ agent }) =>
        Effect.sync(() => {
          assert.isNotEmpty(agent.description)
          assert.isNotEmpty(agent.model)
        })
      )
    )

    it.live(`${name}: text parts are exact pieces: joined they are the answer (law stream)`, () =>
      withSubject(({ agent, answered }) =>
        Effect.gen(function* () {
          const parts = yield* Stream.runCollect(agent.reply(turnOf(answered.say, { sessionKey: "a" })))
          assert.strictEqual(textOf(parts), answered.text)
          assert.isFalse(parts.some((part) => part._tag === "Text" && part.text === ""))
        })
      )
    )

    it.live(`${name}: each run of a reply is a run of its own, also two at once`, () =>
      withSubject(({ agent, answered }) =>
        Effect.gen(function* () {
          const reply = agent.reply(turnOf(answered.say, { sessionKey: "b" }))
          const both = yield* Effect.all([Stream.runCollect(reply), Stream.runCollect(reply)], { concurrency: 2 })
          for (const parts of both) assert.strictEqual(textOf(parts), answered.text)
        })
      )
    )

    it.live(`${name}: fails with a typed reason, after the text before it, with words for the person`, () =>
      withSubject(({ agent, failing }) =>
        Effect.gen(function* () {
          const { before, error, reason } = yield* askFailing(agent, failing.say, { sessionKey: "c" })
          assert.strictEqual(reason, failing.reason)
          assert.isNotEmpty(before)
          assert.match(error.publicMessage, /^[A-Z].*\.$/)
        })
      )
    )

    it.live(`${name}: interruption stops the work (law stop)`, () =>
      withSubject(({ agent, endless, stopped }) =>
        Effect.gen(function* () {
          const begun = yield* Deferred.make<void>()
          const fiber = yield* agent.reply(turnOf(endless, { sessionKey: "d" })).pipe(
            Stream.runForEach((part) => (part._tag === "Text" ? Deferred.succeed(begun, undefined) : Effect.void)),
            Effect.forkChild
          )
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(fiber)
          assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
          if (stopped !== undefined) yield* Effect.promise(() => stopped)
        })
      )
    )
  }
})
