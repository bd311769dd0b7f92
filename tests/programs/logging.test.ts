import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Logging from "../../src/layers/Logging.ts"

const collect = (options: Partial<Logging.Options>, effect: Effect.Effect<void>) => {
  const lines: Array<string> = []
  return effect.pipe(
    Effect.provide(
      Logging.layer({ json: false, level: "Info", colors: false, write: (line) => void lines.push(line), ...options })
    ),
    Effect.as(lines)
  )
}

const secret = { key: Redacted.make("hush-hush"), deep: [Redacted.make("hush-hush", { label: "app_secret" })] }

const work = Effect.gen(function* () {
  yield* Effect.logInfo("hello", secret)
  yield* Effect.logWarning("line one\nline two \u001b[2J").pipe(Effect.annotateLogs({ account: "a", secret }))
  yield* Effect.logDebug("not at info")
})

describe("Logging", () => {
  it.effect("readable: one line a message, no secret, no control characters of others", () =>
    Effect.gen(function* () {
      const lines = yield* collect({}, work)
      assert.strictEqual(lines.length, 2)
      assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d INFO {2}hello /)
      assert.match(lines[1] ?? "", /WARN {2}line one ⏎ line two .*account=a/)
      for (const line of lines) assert.match(line, /^[^\u0000-\u0009\u000b-\u001f]*\n$/)
      assert.notInclude(lines.join(""), "hush")
    })
  )

  it.effect("colours do not let a stranger's control characters through either", () =>
    Effect.gen(function* () {
      const lines = yield* collect({ colors: true }, work)
      assert.include(lines[0], "\u001b[32mINFO \u001b[0m")
      assert.notInclude(lines.join(""), "\u001b[2J")
      assert.notInclude(lines.join(""), "hush")
    })
  )

  it.effect("json: one object a line, no secret", () =>
    Effect.gen(function* () {
      const lines = yield* collect({ json: true, level: "Debug" }, work)
      assert.deepStrictEqual(
        lines.map((line): string => JSON.parse(line).level),
        ["INFO", "WARN", "DEBUG"]
      )
      assert.notInclude(lines.join(""), "hush")
    })
  )
})
