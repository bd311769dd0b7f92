/** A model calls what its turn's toolbox holds: over both APIs, with the real package against a server on loopback. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as MemoryTranscripts from "../../../../src/layers/channel/MemoryTranscripts.ts"
import * as OpenAiAgent from "../../../../src/layers/channel/OpenAiAgent.ts"
import * as PlatformAttachments from "../../../../src/layers/channel/PlatformAttachments.ts"
import * as ToolCalls from "../../../../src/layers/channel/ToolCalls.ts"
import * as Toolbox from "../../../../src/services/channel/Toolbox.ts"
import { Transcripts } from "../../../../src/services/channel/Transcripts.ts"
import * as ModelServer from "./ModelServer.ts"
import { ask, askFailing, textOf, turnOf } from "./turns.ts"

type Api = "responses" | "chat"
const apis: ReadonlyArray<Api> = ["responses", "chat"]

const withServices = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provide(
    Effect.scoped(effect),
    Layer.mergeAll(MemoryTranscripts.layer, PlatformAttachments.layerWithoutPlatform)
  )

const start = (api: OpenAiAgent.Options["api"]) =>
  Effect.gen(function* () {
    const server = yield* ModelServer.make
    const agent = yield* OpenAiAgent.make({
      model: "test-model",
      baseUrl: server.baseUrl,
      apiKey: undefined,
      retryDelay: "1 millis",
      api
    })
    return { server, agent, transcripts: yield* Transcripts }
  })

/** Tools that write down what they were called with. `weather` answers; others come from `more`. */
type Tools = Readonly<Record<string, (input: unknown) => Effect.Effect<Toolbox.ToolResult>>>
const recording = (more: Tools = {}) => {
  const made: Array<readonly [string, unknown]> = []
  const handlers: Tools = {
    weather: () => Effect.succeed({ isError: false, value: { sky: "clear" } }),
    ...more
  }
  const byName = new Map(Object.entries(handlers))
  const tools = [...byName.keys()].map((name) => ({
    name,
    description: `Tells the ${name}.`,
    parameters: { type: "object", properties: { place: { type: "string" } }, additionalProperties: false }
  }))
  const toolbox: Toolbox.Toolbox = {
    tools,
    call: (name, input) => {
      const handler = byName.get(name)
      if (handler === undefined) return Effect.succeed(Toolbox.unknownTool(name, tools))
      made.push([name, input])
      return handler(input)
    }
  }
  return { toolbox, made }
}

const calls = (api: Api, text: string, ...calls: ReadonlyArray<ModelServer.Call>): ModelServer.Answer =>
  api === "responses" ? ModelServer.respondCalls(text, calls) : ModelServer.chatCalls(text, calls)
const says = (api: Api, ...deltas: ReadonlyArray<string>): ModelServer.Answer =>
  api === "responses" ? ModelServer.respond(...deltas) : ModelServer.chat(...deltas)

const weather = (id: string, place: string): ModelServer.Call => ({
  id,
  name: "weather",
  arguments: JSON.stringify({ place })
})

const Sent = Schema.Struct({
  input: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Unknown))),
  messages: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Unknown)))
})
/** What a request told the model: the items or messages. */
const sent = (seen: ModelServer.Seen | undefined) => {
  const body = Schema.decodeUnknownSync(Sent)(seen?.body)
  return body.input ?? body.messages ?? []
}

/** The results of calls in a request, parsed, by call. */
const resultsIn = (seen: ModelServer.Seen | undefined): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    sent(seen).flatMap((item) => {
      const id = item["type"] === "function_call_output" ? item["call_id"] : item["tool_call_id"]
      const text = item["type"] === "function_call_output" ? item["output"] : item["content"]
      return typeof id === "string" ? [[id, JSON.parse(String(text))]] : []
    })
  )

// Real sockets: the clock is the real one, and nothing waits for it.
for (const api of apis) {
  describe(`the tool loop over ${api}`, () => {
    it.live("Part C 3, 4: text before and after a call is all kept, never doubled; the call is shown", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server, transcripts } = yield* start(api)
          server.script(calls(api, "Let me look.", weather("call_a", "Rome")), says(api, "It is ", "clear."))
          const { made, toolbox } = recording()
          const parts = yield* Stream.runCollect(agent.reply(turnOf("How is Rome?", { toolbox })))
          assert.strictEqual(textOf(parts), "Let me look.\n\nIt is clear.")
          assert.deepStrictEqual(made, [["weather", { place: "Rome" }]])
          const labels = parts.flatMap((part) => (part._tag === "Activity" ? [part.label] : []))
          assert.include(labels, "weather")
          const at = parts.findIndex((part) => part._tag === "Activity" && part.label === "weather")
          assert.strictEqual(textOf(parts.slice(0, at)), "Let me look.")
          const usage = parts.findLast((part) => part._tag === "Usage")?.usage
          assert.deepStrictEqual([usage?.input_tokens, usage?.total_tokens], api === "responses" ? [47, 63] : [29, 44])
          assert.deepStrictEqual(resultsIn(server.seen[1]), { call_a: { sky: "clear" } })
          assert.deepStrictEqual(
            (yield* transcripts.load("instaclaw:acc_1:ses_1")).map(({ text }) => text),
            ["How is Rome?", "Let me look.\n\nIt is clear."]
          )
        })
      )
    )

    it.live("law confined: without tools the request is what it always was, and no call is made", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server } = yield* start(api)
          server.script(says(api, "Hello."), calls(api, "I call nothing.", weather("call_a", "Rome")))
          assert.strictEqual(yield* ask(agent, "Hi"), "Hello.")
          assert.sameMembers(
            Object.keys(server.seen[0]?.body ?? {}),
            api === "responses"
              ? ["model", "input", "store", "stream"]
              : ["model", "messages", "stream", "stream_options"]
          )
          assert.strictEqual(yield* ask(agent, "Hi"), "I call nothing.")
          assert.lengthOf(server.seen, 2)
        })
      )
    )

    it.live("several calls at once are made in their order, and each gets its own result", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server } = yield* start(api)
          const { made, toolbox } = recording({
            echo: (input) => Effect.succeed({ isError: false, value: input })
          })
          server.script(
            calls(
              api,
              "",
              weather("c1", "Rome"),
              { id: "c2", name: "echo", arguments: '{"place":"日本 👩‍👩‍👧"}' },
              weather("c3", "Oslo")
            ),
            says(api, "Done.")
          )
          assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "Done.")
          assert.deepStrictEqual(made, [
            ["weather", { place: "Rome" }],
            ["echo", { place: "日本 👩‍👩‍👧" }],
            ["weather", { place: "Oslo" }]
          ])
          assert.deepStrictEqual(resultsIn(server.seen[1]), {
            c1: { sky: "clear" },
            c2: { place: "日本 👩‍👩‍👧" },
            c3: { sky: "clear" }
          })
        })
      )
    )

    it.live("what a model writes badly goes back to it in words: no JSON, no such tool, a tool that fails", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server } = yield* start(api)
          const { toolbox } = recording({
            fails: () =>
              Effect.succeed(
                Toolbox.failure({ error: "busy", message: "Somebody else is at it.", fields: [], next: "Wait." })
              )
          })
          server.script(
            calls(
              api,
              "",
              { id: "cut", name: "weather", arguments: '{"place":"Ro' },
              { id: "none", name: "read_file", arguments: '{"path":".env"}' },
              { id: "fails", name: "fails", arguments: "" }
            ),
            says(api, "I see.")
          )
          assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "I see.")
          const results = resultsIn(server.seen[1])
          assert.deepInclude(results["cut"], {
            error: "invalid_input",
            next: "Call weather again with one JSON object."
          })
          assert.deepInclude(results["none"], {
            error: "unknown_tool",
            next: "Call one of these instead: weather, fails."
          })
          assert.deepInclude(results["fails"], { error: "busy", message: "Somebody else is at it." })
        })
      )
    )

    it.live(
      "law bounded: a model that calls for ever is asked for words at the end; a long result is cut, in words",
      () =>
        withServices(
          Effect.gen(function* () {
            const { agent, server } = yield* start(api)
            const { made, toolbox } = recording({
              long: () => Effect.succeed({ isError: false, value: "x".repeat(ToolCalls.maxResult + 100) })
            })
            server.script(calls(api, "", { id: "again", name: "long", arguments: "{}" }))
            assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "")
            assert.lengthOf(server.seen, ToolCalls.maxRounds)
            assert.lengthOf(made, ToolCalls.maxRounds - 1)
            assert.isUndefined(server.seen.at(-2)?.body["tool_choice"])
            assert.strictEqual(server.seen.at(-1)?.body["tool_choice"], "none")
            const result = sent(server.seen[1])
              .map((item) => String(item["output"] ?? item["content"]))
              .at(-1)
            assert.match(result ?? "", /xx\n\[102 more characters were left out\. Ask for less at a time\.\]$/)
          })
        )
    )

    it.live("law once: a provider that fails after a call is asked again, and the call is not made again", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server } = yield* start(api)
          const { made, toolbox } = recording()
          server.script(
            calls(api, "First. ", weather("c1", "Rome")),
            ModelServer.refuse(503, { message: "overloaded", type: "server_error" }),
            says(api, "Then.")
          )
          assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "First. \n\nThen.")
          assert.lengthOf(made, 1)
          assert.deepStrictEqual(sent(server.seen[1]), sent(server.seen[2]))
        })
      )
    )

    it.live("a call in an answer that was cut off at its length is not made", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server } = yield* start(api)
          const { made, toolbox } = recording()
          const call = weather("c1", "Rome")
          server.script(
            api === "responses"
              ? ModelServer.respondCalls("As far as it goes", [call], { end: "incomplete" })
              : ModelServer.chatCalls("As far as it goes", [call], "length")
          )
          assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "As far as it goes")
          assert.lengthOf(made, 0)
          assert.lengthOf(server.seen, 1)
        })
      )
    )

    it.live("law stop: who stops the reply stops the tool", () =>
      withServices(
        Effect.gen(function* () {
          const { agent, server } = yield* start(api)
          const begun = yield* Deferred.make<void>()
          const stopped = yield* Deferred.make<void>()
          const { toolbox } = recording({
            endless: () =>
              Deferred.succeed(begun, undefined).pipe(
                Effect.andThen(Effect.never),
                Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
              )
          })
          server.script(calls(api, "", { id: "c1", name: "endless", arguments: "{}" }))
          const fiber = yield* Effect.forkChild(Stream.runDrain(agent.reply(turnOf("Go", { toolbox }))))
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(fiber)
          yield* Deferred.await(stopped)
          assert.lengthOf(server.seen, 1)
        })
      )
    )
  })
}

describe("the tool loop, in the ways of servers", () => {
  it.live("thoughts of a reasoning model go back to it with the results, as they came", () =>
    withServices(
      Effect.gen(function* () {
        const { agent, server } = yield* start("responses")
        const { toolbox } = recording()
        server.script(
          ModelServer.respondCalls("", [weather("c1", "Rome")], { encrypted: "gAAAA" }),
          ModelServer.respond("Clear.")
        )
        yield* ask(agent, "Go", { toolbox })
        assert.deepStrictEqual(server.seen[0]?.body["include"], ["reasoning.encrypted_content"])
        const [, thoughts, call, result] = sent(server.seen[1])
        assert.deepInclude(thoughts, { type: "reasoning", id: "rs_1", encrypted_content: "gAAAA" })
        assert.deepInclude(call, { type: "function_call", id: "fc_c1", call_id: "c1" })
        assert.deepInclude(result, { type: "function_call_output", call_id: "c1" })
      })
    )
  )

  it.live("a server that hands out no thoughts is asked without them, and its items go back without ids", () =>
    withServices(
      Effect.gen(function* () {
        const { agent, server } = yield* start("responses")
        const { toolbox } = recording()
        server.script(
          ModelServer.refuse(400, {
            message: "Encrypted content is not supported with this model.",
            type: "invalid_request_error",
            param: "include",
            code: null
          }),
          ModelServer.respondCalls("Hm. ", [weather("c1", "Rome")]),
          ModelServer.respond("Clear.")
        )
        assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "Hm. \n\nClear.")
        assert.isUndefined(server.seen[2]?.body["include"])
        assert.deepStrictEqual(sent(server.seen[2]).slice(1), [
          { role: "assistant", content: "Hm. " },
          { type: "function_call", call_id: "c1", name: "weather", arguments: '{"place":"Rome"}' },
          { type: "function_call_output", call_id: "c1", output: '{"sky":"clear"}' }
        ])
      })
    )
  )

  it.live("where there is no Responses API the loop runs over chat completions", () =>
    withServices(
      Effect.gen(function* () {
        const { agent, server } = yield* start("auto")
        const { made, toolbox } = recording()
        server.script(
          ModelServer.refuse(404, "404 page not found"),
          ModelServer.chatCalls("", [weather("c1", "Rome")], "stop"),
          ModelServer.chat("Clear.")
        )
        assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "Clear.")
        assert.lengthOf(made, 1)
        assert.deepStrictEqual(sent(server.seen[2]).slice(1), [
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: '{"place":"Rome"}' } }]
          },
          { role: "tool", tool_call_id: "c1", content: '{"sky":"clear"}' }
        ])
      })
    )
  )

  it.live("calls without ids or numbers, arguments as an object, thoughts in a field of their own", () =>
    withServices(
      Effect.gen(function* () {
        const { agent, server } = yield* start("chat")
        const { made, toolbox } = recording()
        server.script(({ response }) => {
          ModelServer.chatChunk(response, { role: "assistant", reasoning_content: "Which place?" })
          ModelServer.chatChunk(response, {
            tool_calls: [{ function: { name: "weather", arguments: { place: "Rome" } } }]
          })
          ModelServer.chatChunk(response, {
            tool_calls: [{ index: 0, id: "b", function: { name: "weather", arguments: '{"place":"Oslo"}' } }]
          })
          ModelServer.chatChunk(response, {
            tool_calls: [{ index: 0, id: "c", function: { name: "weather", arguments: "{}" } }]
          })
          ModelServer.chatChunk(response, {}, "tool_calls")
          response.end("data: [DONE]\n\n")
        }, ModelServer.chat("Clear."))
        assert.strictEqual(yield* ask(agent, "Go", { toolbox }), "Clear.")
        assert.deepStrictEqual(made, [
          ["weather", { place: "Rome" }],
          ["weather", { place: "Oslo" }],
          ["weather", {}]
        ])
        assert.deepInclude(sent(server.seen[1])[1], { reasoning_content: "Which place?" })
        assert.deepStrictEqual(Object.keys(resultsIn(server.seen[1])), ["call_0_0", "b", "c"])
      })
    )
  )

  it.live("a model that knows no tools: its operator has to choose another, and is told what the server said", () =>
    withServices(
      Effect.gen(function* () {
        const { agent, server } = yield* start("chat")
        const { toolbox } = recording()
        server.script(ModelServer.refuse(400, { message: "tiny:1b does not support tools", type: "api_error" }))
        const { error, reason } = yield* askFailing(agent, "Go", { toolbox })
        assert.strictEqual(reason, "Misconfigured")
        assert.include(error.message, "does not support tools")
      })
    )
  )
})
