import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as FileTranscripts from "../../../../src/layers/channel/FileTranscripts.ts"
import * as MemoryTranscripts from "../../../../src/layers/channel/MemoryTranscripts.ts"
import * as OpenAiAgent from "../../../../src/layers/channel/OpenAiAgent.ts"
import * as OpenAiInput from "../../../../src/layers/channel/OpenAiInput.ts"
import * as PlatformAttachments from "../../../../src/layers/channel/PlatformAttachments.ts"
import { AttachmentError, Attachments, Missing } from "../../../../src/services/channel/Attachments.ts"
import { Transcripts } from "../../../../src/services/channel/Transcripts.ts"
import * as ModelServer from "./ModelServer.ts"
import { ask, askFailing, textOf, turnOf } from "./turns.ts"

const Services = Layer.mergeAll(MemoryTranscripts.layer, PlatformAttachments.layerWithoutPlatform)

const start = (options: Partial<OpenAiAgent.Options> = {}) =>
  Effect.gen(function* () {
    const server = yield* ModelServer.make
    const agent = yield* OpenAiAgent.make({
      model: "test-model",
      baseUrl: server.baseUrl,
      apiKey: Redacted.make("sk-secret-1234"),
      retryDelay: "1 millis",
      ...options
    })
    return { server, agent, transcripts: yield* Transcripts }
  })

const withServices = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(Effect.scoped(effect), Services)

// Real sockets: the clock is the real one, and nothing waits for it.
describe("OpenAiAgent", () => {
  it.live("streams the Responses API: text, activity, usage", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(ModelServer.respond("Hel", "lo, ", "世界", "!"))
        const parts = yield* Stream.runCollect(
          agent.reply(turnOf("Hi", { systemPrompt: "You are kind.", context: "User u_1 asks." }))
        )
        assert.deepStrictEqual(
          parts.filter((part) => part._tag === "Text").map((part) => part.text),
          ["Hel", "lo, ", "世界", "!"]
        )
        assert.isTrue(parts.some((part) => part._tag === "Activity"))
        assert.deepStrictEqual(parts.at(-1), {
          _tag: "Usage",
          usage: {
            input_tokens: 37,
            output_tokens: 11,
            total_tokens: 48,
            input_tokens_details: { cached_tokens: 5 },
            output_tokens_details: { reasoning_tokens: 3 }
          }
        })
        const seen = server.seen[0]
        assert.strictEqual(seen?.path, "/v1/responses")
        assert.strictEqual(seen?.authorization, "Bearer sk-secret-1234")
        assert.strictEqual(seen?.body["instructions"], "You are kind.\n\nUser u_1 asks.")
        assert.strictEqual(seen?.body["store"], false)
        assert.strictEqual(agent.description, `test-model at ${new URL(server.baseUrl).host}`)
      })
    )
  )

  it.live("falls back to chat completions on 404, remembers it, and keeps the session's past", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(
          ModelServer.refuse(404, "404 page not found"),
          ModelServer.chat("one", " two"),
          ModelServer.chat("three")
        )
        const parts = yield* Stream.runCollect(agent.reply(turnOf("first", { systemPrompt: "Be brief." })))
        assert.strictEqual(textOf(parts), "one two")
        const last = parts.at(-1)
        assert.strictEqual(last?._tag === "Usage" ? last.usage.total_tokens : undefined, 29)
        assert.strictEqual(yield* ask(agent, "second"), "three")
        assert.deepStrictEqual(
          server.seen.map((seen) => seen.path),
          ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]
        )
        assert.deepStrictEqual(server.seen[1]?.body["messages"], [
          { role: "system", content: "Be brief." },
          { role: "user", content: "first" }
        ])
        assert.deepStrictEqual(server.seen[2]?.body["messages"], [
          { role: "user", content: "first" },
          { role: "assistant", content: "one two" },
          { role: "user", content: "second" }
        ])
      })
    )
  )

  it.live("goes on with a session after a restart, with a bounded past", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const server = yield* ModelServer.make
      server.script(ModelServer.respond("answer"))
      // Everything anew for each message, as if the process had started again.
      const askAnew = (text: string) =>
        Effect.gen(function* () {
          const agent = yield* OpenAiAgent.make({ model: "m", baseUrl: server.baseUrl, apiKey: undefined })
          return yield* ask(agent, text)
        }).pipe(
          Effect.provide([FileTranscripts.layer({ folder, maxMessages: 4 }), PlatformAttachments.layerWithoutPlatform])
        )
      for (const text of ["one", "two", "three", "four"]) yield* askAnew(text)
      assert.deepStrictEqual(server.seen[3]?.body["input"], [
        { role: "user", content: "two" },
        { role: "assistant", content: "answer" },
        { role: "user", content: "three" },
        { role: "assistant", content: "answer" },
        { role: "user", content: [{ type: "input_text", text: "four" }] }
      ])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("does not take a missing model for a missing endpoint", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(
          ModelServer.refuse(404, {
            message: "The model `test-model` does not exist or you do not have access to it.",
            type: "invalid_request_error",
            param: null,
            code: "model_not_found"
          })
        )
        const { reason } = yield* askFailing(agent, "Hi")
        assert.strictEqual(reason, "Misconfigured")
        assert.lengthOf(server.seen, 1)
      })
    )
  )

  it.live("asks without stream_options where a server does not know them", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start({ api: "chat" })
        server.script(
          ModelServer.refuse(422, {
            message: "extra fields not permitted: stream_options",
            type: "invalid_request_error"
          }),
          ModelServer.chat("fine")
        )
        assert.strictEqual(yield* ask(agent, "Hi"), "fine")
        assert.isUndefined(server.seen[1]?.body["stream_options"])
      })
    )
  )

  it.live("401: Misconfigured, not retried, and the key stays out of the log's words", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(
          ModelServer.refuse(401, {
            message: "Incorrect API key provided: sk-secret-1234.",
            type: "invalid_request_error",
            param: null,
            code: "invalid_api_key"
          })
        )
        const { error, reason } = yield* askFailing(agent, "Hi")
        assert.strictEqual(reason, "Misconfigured")
        assert.notInclude(error.message, "sk-secret-1234")
        assert.lengthOf(server.seen, 1)
      })
    )
  )

  it.live("429 with a long retry-after: told at once; with a short one: tried again", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        const limit = { message: "Rate limit reached", type: "requests", param: null, code: "rate_limit_exceeded" }
        server.script(ModelServer.refuse(429, limit, { "retry-after": "37" }))
        const { error } = yield* askFailing(agent, "Hi")
        assert.deepStrictEqual(error.reason._tag === "RateLimited" && error.reason.retryAfterSeconds, 37)
        assert.lengthOf(server.seen, 1)
        server.script(ModelServer.refuse(429, limit, { "retry-after-ms": "1" }), ModelServer.respond("done"))
        assert.strictEqual(yield* ask(agent, "Hi"), "done")
      })
    )
  )

  it.live("an exhausted account is not a matter of waiting", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(
          ModelServer.refuse(429, {
            message: "You exceeded your quota",
            type: "insufficient_quota",
            code: "insufficient_quota"
          })
        )
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Misconfigured")
        assert.lengthOf(server.seen, 1)
      })
    )
  )

  it.live("500 before any text is retried, at most twice", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        const down = ModelServer.refuse(500, { message: "The server had an error", type: "server_error", code: null })
        server.script(down, down, ModelServer.respond("up again"))
        assert.strictEqual(yield* ask(agent, "Hi"), "up again")
        assert.lengthOf(server.seen, 3)
        server.script(down)
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Unavailable")
        assert.lengthOf(server.seen, 6)
      })
    )
  )

  it.live("an activity before the failure does not count as text", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        const breaks: ModelServer.Answer = ({ response }) => {
          ModelServer.responseDeltas(response, [])
          response.end()
        }
        server.script(breaks, breaks, breaks, ModelServer.respond("too late"))
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Unavailable")
        assert.lengthOf(server.seen, 3)
      })
    )
  )

  it.live("a stream that breaks after text is not run again, whether it is cut or merely ends", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent, transcripts } = yield* start()
        for (const end of ["cut", "end"] as const) {
          server.script(({ response }) => {
            ModelServer.responseDeltas(response, ["half ", "of it"])
            // After the bytes have gone out, or the client sees nothing of them.
            response.write("\n", () => (end === "cut" ? response.destroy() : response.end()))
          })
          const before = server.seen.length
          const failed = yield* askFailing(agent, "Hi", { sessionKey: end })
          assert.strictEqual(failed.reason, "Unavailable")
          assert.strictEqual(failed.before, "half of it")
          assert.lengthOf(server.seen, before + 1)
          // What the person saw is what the session remembers.
          assert.deepStrictEqual(
            (yield* transcripts.load(end)).map((said) => said.text),
            ["Hi", "half of it"]
          )
        }
      })
    )
  )

  it.live("nobody listening: Unavailable", () =>
    withServices(
      Effect.gen(function* () {
        const gone = yield* Effect.scoped(ModelServer.make)
        const { agent } = yield* start({ baseUrl: gone.baseUrl })
        const { error, reason } = yield* askFailing(agent, "Hi")
        assert.strictEqual(reason, "Unavailable")
        assert.include(error.message, "ECONNREFUSED")
      })
    )
  )

  it.live("refusals by the provider's filter are Refused, in every shape they come in", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start({ api: "responses" })
        server.script(ModelServer.responseFailed("invalid_prompt", "flagged"))
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Refused")
        server.script(
          ModelServer.refuse(400, { message: "filtered", code: "content_filter", type: "invalid_request_error" })
        )
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Refused")
        const { server: chatServer, agent: chatAgent } = yield* start({ api: "chat" })
        chatServer.script(({ response }) => {
          ModelServer.chatChunk(response, { role: "assistant", content: "I " })
          ModelServer.chatChunk(response, {}, "content_filter")
          response.end("data: [DONE]\n\n")
        })
        const filtered = yield* askFailing(chatAgent, "Hi")
        assert.strictEqual(filtered.reason, "Refused")
        assert.strictEqual(filtered.before, "I ")
      })
    )
  )

  it.live("an error inside the stream is read by its code", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start({ api: "responses" })
        server.script(({ response }) => {
          ModelServer.responseEvent(response, {
            type: "error",
            sequence_number: 1,
            code: "context_length_exceeded",
            message: "Your input exceeds the context window",
            param: "input"
          })
          response.end()
        })
        const { error } = yield* askFailing(agent, "Hi")
        assert.strictEqual(error.reason._tag, "Unsupported")
        assert.include(error.publicMessage, "too long")
      })
    )
  )

  it.live("what servers that imitate the API say in words is understood as well", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start({ api: "chat" })
        const saying = (message: string) =>
          ModelServer.refuse(400, { message, type: "BadRequestError", param: null, code: 400 })
        server.script(saying("This model's maximum context length is 4096 tokens."))
        const long = yield* askFailing(agent, "Hi")
        assert.strictEqual(long.reason, "Unsupported")
        assert.include(long.error.publicMessage, "too long")
        server.script(saying("At most 0 image(s) may be provided in one request."))
        const blind = yield* askFailing(agent, "Hi")
        assert.strictEqual(blind.reason, "Unsupported")
        assert.include(blind.error.publicMessage, "attached")
        server.script(saying("Unrecognized request argument supplied: temperature"))
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Misconfigured")
      })
    )
  )

  it.live("a web page instead of an API: the address is wrong, and the operator is told", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(({ response }) => {
          response.writeHead(200, { "content-type": "text/html" })
          response.end("<!doctype html>\n<p>Welcome</p>\n")
        })
        const { error, reason } = yield* askFailing(agent, "Hi")
        assert.strictEqual(reason, "Misconfigured")
        assert.include(error.message, "/v1")
        assert.deepStrictEqual(
          server.seen.map((seen) => seen.path),
          ["/v1/responses", "/v1/chat/completions"]
        )
      })
    )
  )

  it.live("too many attachments are refused before any is loaded", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        const { error } = yield* askFailing(agent, "", {
          parts: Array.from({ length: 17 }, () => ({
            type: "input_file" as const,
            fileId: undefined,
            url: "data:,x",
            filename: undefined
          }))
        })
        assert.include(error.publicMessage, "at most 16")
        assert.lengthOf(server.seen, 0)
      })
    )
  )

  it.effect("a public provider may be told a public address", () =>
    Effect.gen(function* () {
      const attachments = yield* Attachments
      const parts = [
        { type: "input_image" as const, fileId: undefined, url: "https://example.com/a.png", filename: undefined }
      ]
      assert.deepStrictEqual(yield* OpenAiInput.contentOfTurn({ parts }, attachments, { passLinks: true }), [
        { type: "image", url: "https://example.com/a.png" }
      ])
    }).pipe(Effect.provide(Services))
  )

  it.live("does not follow a redirect with the conversation", () =>
    withServices(
      Effect.gen(function* () {
        const other = yield* ModelServer.make
        const { server, agent } = yield* start({ api: "responses" })
        server.script(ModelServer.refuse(307, "", { location: `${other.baseUrl}/responses` }))
        other.script(ModelServer.respond("stolen"))
        assert.strictEqual((yield* askFailing(agent, "Hi")).reason, "Misconfigured")
        assert.lengthOf(other.seen, 0)
      })
    )
  )

  it.live("interruption closes the connection (law stop)", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        const closed = Promise.withResolvers<void>()
        server.script(({ response, closed: gone }) => {
          ModelServer.responseDeltas(response, ["begun"])
          void gone.then(closed.resolve)
        })
        const begun = yield* Deferred.make<void>()
        const fiber = yield* agent.reply(turnOf("Hi")).pipe(
          Stream.runForEach((part) => (part._tag === "Text" ? Deferred.succeed(begun, undefined) : Effect.void)),
          Effect.forkChild
        )
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => closed.promise)
      })
    )
  )

  it.live("inlines pictures and text files; a stranger's address is neither fetched nor passed to a local server", () =>
    withServices(
      Effect.gen(function* () {
        const { server, agent } = yield* start()
        server.script(ModelServer.respond("seen"))
        const png = Buffer.from("89504e470d0a1a0a0000000d49484452000000020000000308060000000000000000", "hex")
        yield* ask(agent, "", {
          parts: [
            { type: "input_text", text: "What is this?" },
            {
              type: "input_image",
              fileId: undefined,
              url: `data:image/png;base64,${png.toString("base64")}`,
              filename: "dot.png"
            },
            {
              type: "input_file",
              fileId: undefined,
              url: `data:text/csv;base64,${Buffer.from("a,b\n1,2\n").toString("base64")}`,
              filename: "table.csv"
            },
            { type: "input_image", fileId: undefined, url: "https://example.com/cat.jpg", filename: undefined }
          ]
        })
        assert.deepStrictEqual(server.seen[0]?.body["input"], [
          {
            role: "user",
            content: [
              { type: "input_text", text: "What is this?" },
              { type: "input_image", image_url: `data:image/png;base64,${png.toString("base64")}`, detail: "auto" },
              { type: "input_text", text: 'File "table.csv", 8 bytes:\n\na,b\n1,2\n' },
              {
                type: "input_text",
                text: "[The user names a picture at https://example.com/cat.jpg. It was not opened.]"
              }
            ]
          }
        ])
      })
    )
  )

  it.live("what cannot be read is refused in words, and the model is not asked", () =>
    Effect.gen(function* () {
      const { server, agent } = yield* start()
      const refused = yield* askFailing(agent, "", {
        parts: [{ type: "input_file", fileId: "gone", url: undefined, filename: "gone.txt" }]
      })
      assert.strictEqual(refused.reason, "Unsupported")
      assert.include(refused.error.publicMessage, "gone.txt")
      const binary = yield* askFailing(agent, "", {
        parts: [{ type: "input_file", fileId: "zip", url: undefined, filename: "archive.zip" }]
      })
      assert.strictEqual(binary.reason, "Unsupported")
      assert.include(binary.error.publicMessage, "archive.zip")
      assert.lengthOf(server.seen, 0)
    }).pipe(
      Effect.scoped,
      Effect.provide([
        MemoryTranscripts.layer,
        Layer.succeed(Attachments, {
          fetch: (part) =>
            part.fileId === "zip"
              ? Effect.succeed({
                  _tag: "Content",
                  mediaType: "application/zip",
                  bytes: Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0),
                  filename: part.filename
                })
              : Effect.fail(new AttachmentError({ name: part.filename ?? "", reason: new Missing({}) }))
        })
      ])
    )
  )

  it.live("law secret: no key in clear to another machine, none in an address", () =>
    withServices(
      Effect.gen(function* () {
        const apiKey = Redacted.make("sk-secret-1234")
        for (const baseUrl of [
          "http://example.com/v1",
          "http://10.0.0.5/v1",
          "https://me:pw@example.com/v1",
          "ftp://x"
        ]) {
          const error = yield* Effect.flip(OpenAiAgent.make({ model: "m", apiKey, baseUrl }))
          assert.strictEqual(error.reason._tag, "Misconfigured")
          assert.notInclude(error.message, "pw@")
        }
        const lan = yield* OpenAiAgent.make({ model: "m", apiKey: undefined, baseUrl: "http://10.0.0.5/v1" })
        assert.strictEqual(lan.description, "m at 10.0.0.5")
      })
    )
  )
})
