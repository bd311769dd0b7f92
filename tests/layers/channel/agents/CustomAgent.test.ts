import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as CustomAgent from "../../../../src/layers/channel/CustomAgent.ts"
import * as MemoryTranscripts from "../../../../src/layers/channel/MemoryTranscripts.ts"
import * as PlatformAttachments from "../../../../src/layers/channel/PlatformAttachments.ts"
import { AgentError, RateLimited } from "../../../../src/services/channel/AgentRuntime.ts"
import { type AgentFunction, defineAgent } from "../../../../src/services/channel/defineAgent.ts"
import { ask, askFailing, turnOf } from "./turns.ts"

const Services = Layer.mergeAll(MemoryTranscripts.layer, PlatformAttachments.layerWithoutPlatform)

const agent = (reply: AgentFunction) => CustomAgent.make(defineAgent({ name: "mine", reply }))

const kinds: Readonly<Record<string, AgentFunction>> = {
  text: () => "ab",
  "a promise of text": async () => "ab",
  "an array": () => ["a", "", "b"],
  "a generator": function* () {
    yield "a"
    yield "b"
  },
  "an async generator": async function* () {
    yield "a"
    yield "b"
  },
  "a promise of an async iterable": async () =>
    (async function* () {
      yield "a"
      yield "b"
    })(),
  "a web stream": () => ReadableStream.from(["a", "b"]),
  parts: () => [
    { _tag: "Activity", label: "thinking" },
    { _tag: "Text", text: "ab" }
  ]
}

describe("CustomAgent", () => {
  for (const [kind, reply] of Object.entries(kinds)) {
    it.effect(`takes ${kind}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* ask(yield* agent(reply), "Hi"), "ab")
      }).pipe(Effect.provide(Services))
    )
  }

  it.effect("shows a friendly view of the turn, with what was said before", () =>
    Effect.gen(function* () {
      const mine = yield* agent((turn) => {
        const past = turn.history.map(({ role, text }) => `${role}: ${text}`).join("; ")
        return [turn.text, turn.session, turn.messageId, turn.systemPrompt, turn.context, past].join(" | ")
      })
      const more = { systemPrompt: "sys", context: "ctx" }
      assert.strictEqual(yield* ask(mine, "one", more), "one | ses_1 | msg_1 | sys | ctx | ")
      assert.strictEqual(
        yield* ask(mine, "two", more),
        "two | ses_1 | msg_1 | sys | ctx | user: one; assistant: one | ses_1 | msg_1 | sys | ctx | "
      )
      assert.strictEqual(
        yield* ask(mine, "three", { sessionKey: "another", sessionId: undefined }),
        "three | another | msg_1 |  |  | "
      )
    }).pipe(Effect.provide(Services))
  )

  it.effect("opens attachments, and says in words what it may not open", () =>
    Effect.gen(function* () {
      const mine = yield* agent(async function* (turn) {
        for (const part of turn.parts) {
          if (part.type === "input_text") continue
          const opened = await turn.open(part).then(
            (file) => `${file.mediaType} ${Buffer.from(file.bytes).toString()}`,
            (error: unknown) => (error instanceof Error ? error.message : "")
          )
          yield `${opened}\n`
        }
      })
      const answer = yield* ask(mine, "", {
        parts: [
          { type: "input_file", fileId: undefined, url: "data:text/plain,hi", filename: "a.txt" },
          { type: "input_file", fileId: undefined, url: "http://127.0.0.1/", filename: "b.txt" },
          { type: "input_image", fileId: undefined, url: "https://example.com/c.png", filename: undefined }
        ]
      })
      const lines = answer.split("\n")
      assert.strictEqual(lines[0], "text/plain hi")
      assert.match(lines[1] ?? "", /do not open b\.txt/)
      assert.match(lines[2] ?? "", /not opened/)
    }).pipe(Effect.provide(Services))
  )

  it.effect("what the function throws is RuntimeFailed; the detail is for the log alone", () =>
    Effect.gen(function* () {
      const throwing: ReadonlyArray<AgentFunction> = [
        () => {
          throw new Error("secret reason")
        },
        () => Promise.reject(new Error("secret reason")),
        async function* () {
          yield "some"
          throw new Error("secret reason")
        },
        () => JSON.parse("42"),
        () => JSON.parse("null"),
        () => JSON.parse('{"not": "a reply"}'),
        () => JSON.parse('["fine", 42]')
      ]
      for (const reply of throwing) {
        const { error, reason } = yield* askFailing(yield* agent(reply), "Hi")
        assert.strictEqual(reason, "RuntimeFailed")
        assert.notInclude(error.publicMessage, "secret reason")
        assert.match(error.message, /secret reason|a piece of a reply is a string/)
      }
    }).pipe(Effect.provide(Services))
  )

  it.effect("an agent may fail with a reason of the contract", () =>
    Effect.gen(function* () {
      const mine = yield* agent(() =>
        Promise.reject(new AgentError({ reason: new RateLimited({ retryAfterSeconds: 3 }) }))
      )
      assert.strictEqual((yield* askFailing(mine, "Hi")).reason, "RateLimited")
    }).pipe(Effect.provide(Services))
  )

  it.effect("aborts the turn's signal when nobody waits any more", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const aborted = Promise.withResolvers<void>()
      const mine = yield* agent(async function* (turn) {
        turn.signal.addEventListener("abort", () => aborted.resolve())
        yield "begun"
        await new Promise(() => {})
      })
      const fiber = yield* mine.reply(turnOf("Hi")).pipe(
        Stream.runForEach(() => Deferred.succeed(began, undefined)),
        Effect.forkChild
      )
      yield* Deferred.await(began)
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => aborted.promise)
    }).pipe(Effect.provide(Services))
  )
})

const files: Readonly<Record<string, string>> = {
  "typed.ts": "interface Turn { text: string }\nexport default (turn: Turn): string => turn.text",
  "plain.mjs": "export default () => 'x'",
  "late.ts": "const name = await Promise.resolve('late')\nexport default { name, reply: () => name }",
  "no-default.ts": "export const reply = () => 'x'",
  "wrong.ts": "export default 42",
  "syntax.ts": "export default () => {\n  const x: string = ;\n}",
  "syntax.mjs": "export default () => {\n\n  const x = ;\n}",
  "enum.ts": "export enum Mood { Good }\nexport default () => 'x'",
  "imports.ts": "import './nowhere.ts'\nexport default () => 'x'",
  "throws.ts": "export default (() => { throw new Error('not today') })()",
  "notes.txt": "hello",
  "node_modules/pkg/agent.ts": "export default () => 'x'"
}

const expected: Readonly<Record<string, RegExp>> = {
  "typed.ts": /^typed$/,
  "plain.mjs": /^plain$/,
  "late.ts": /^late$/,
  "no-default.ts": /no-default\.ts is no agent: it exports reply and no default\. It needs `export default`/,
  "wrong.ts": /wrong\.ts is no agent: its default export is of type number/,
  "syntax.ts": /syntax\.ts, line 2: /,
  "syntax.mjs": /syntax\.mjs, line 3: /,
  "enum.ts": /enum\.ts, line 1: .*no enum/,
  "imports.ts": /imports\.ts imports something that is not there: .*nowhere/,
  "throws.ts": /throws\.ts failed while it was loaded: .*not today/s,
  "notes.txt": /notes\.txt is no module/,
  "node_modules/pkg/agent.ts": /inside node_modules, where Node runs no TypeScript/,
  "missing.ts": /There is no file .*missing\.ts/,
  "": /is a folder/
}

describe("CustomAgent.load", () => {
  it.live("runs TypeScript as it is, and says what is wrong with a module in a sentence", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.makeDirectory(`${folder}/node_modules/pkg`, { recursive: true })
      yield* Effect.forEach(Object.entries(files), ([name, text]) => fs.writeFileString(`${folder}/${name}`, text))
      const names = Object.keys(expected)
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [
          path.join(import.meta.dirname, "fixtures/load.ts"),
          ...names.map((name) => path.join(folder, name))
        ])
      )
      const results: ReadonlyArray<{ name?: string; message?: string; reason?: string }> = JSON.parse(stdout)
      for (const [index, name] of names.entries()) {
        const result = results[index]
        assert.match(result?.name ?? result?.message ?? "", expected[name] ?? /^$/, name)
        if (result?.name === undefined) assert.strictEqual(result?.reason, "Misconfigured")
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("the examples load", () =>
    Effect.gen(function* () {
      const examples = path.join(import.meta.dirname, "../../../../examples")
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [
          path.join(import.meta.dirname, "fixtures/load.ts"),
          path.join(examples, "my-agent.ts"),
          path.join(examples, "echo-agent.ts")
        ])
      )
      assert.deepStrictEqual(JSON.parse(stdout), [{ name: "my-agent" }, { name: "echo" }])
    })
  )
})
