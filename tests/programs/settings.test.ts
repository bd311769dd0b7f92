import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Settings from "../../src/services/channel/Settings.ts"
import { envExample, markdownTable } from "../../src/programs/settingsText.ts"

const load = (environment: Record<string, string>, ignore: ReadonlyArray<Settings.SettingName> = []) =>
  Settings.load({ ignore }).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(environment))
  )

describe("Settings", () => {
  it.effect("without any variable the seed's defaults hold", () =>
    Effect.gen(function* () {
      const settings = yield* load({})
      assert.strictEqual(settings.wsUrl.href, "wss://claw.int-os.com/ws/chat")
      assert.strictEqual(settings.profileCreateUrl.href, "https://claw.int-os.com/profiles/create")
      assert.strictEqual(Duration.toMillis(settings.heartbeatInterval), 30_000)
      assert.strictEqual(Duration.toMillis(settings.timeoutThreshold), 60_000)
      assert.strictEqual(Duration.toMillis(settings.requestTimeout), 43_200_000)
      assert.strictEqual(settings.maxConcurrent, 10)
      assert.isUndefined(settings.openaiApiKey)
    })
  )

  it.effect("the seed's own .env.example is taken as it is, its plain http raised to https", () =>
    Effect.gen(function* () {
      const settings = yield* load({
        INSTACLAW_WS_URL: "wss://claw.int-os.com/ws/chat",
        INSTACLAW_HEARTBEAT_INTERVAL: "30000",
        INSTACLAW_TIMEOUT_THRESHOLD: "60000",
        SDK_REQUEST_TIMEOUT: "43200000",
        MAX_CONCURRENT_REQUESTS: "10",
        INSTACLAW_ARTIFACT_UPLOAD_AND_BIND_URL: "http://claw.int-os.com/artifact/upload-and-bind",
        INSTACLAW_PROFILE_CREATE_URL: "https://claw.int-os.com/profiles/create",
        INSTACLAW_TASK_API_BASE_URL: "https://claw.int-os.com"
      })
      assert.strictEqual(settings.artifactUrl.href, "https://claw.int-os.com/artifact/upload-and-bind")
    })
  )

  it.effect("all faults are listed at once, by name, with what is held and what is allowed, and no secret", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        load({
          INSTACLAW_WS_URL: "https://user:hush@claw.example/?token=hush",
          MAX_CONCURRENT_REQUESTS: "ten",
          SDK_REQUEST_TIMEOUT: "-1",
          CLAWFIBER_DIALECT: "latin",
          OPENAI_API_KEY: "hush hush",
          CLAWFIBER_MAX_QUEUED: "5"
        })
      )
      assert.deepStrictEqual(
        error.faults.map((fault) => fault.name),
        ["INSTACLAW_WS_URL", "OPENAI_API_KEY", "CLAWFIBER_DIALECT", "MAX_CONCURRENT_REQUESTS", "SDK_REQUEST_TIMEOUT"]
      )
      assert.include(error.message, 'CLAWFIBER_DIALECT holds "latin"; allowed: one of envelope, gateway, legacy')
      assert.include(error.message, 'MAX_CONCURRENT_REQUESTS holds "ten"; allowed: a whole number')
      assert.notInclude(`${error.message}${JSON.stringify(error)}`, "hush")
    })
  )

  it.effect("a threshold that the heartbeat never reaches is a fault", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        load({ INSTACLAW_HEARTBEAT_INTERVAL: "30000", INSTACLAW_TIMEOUT_THRESHOLD: "30000" })
      )
      assert.include(error.message, "INSTACLAW_TIMEOUT_THRESHOLD holds")
    })
  )

  it.effect("what is ignored keeps its default and cannot be at fault; an empty variable is none", () =>
    Effect.gen(function* () {
      const settings = yield* load({ INSTACLAW_WS_URL: "nonsense", OPENAI_MODEL: "", OPENAI_API_KEY: "sk-1" }, [
        "wsUrl"
      ])
      assert.strictEqual(settings.wsUrl.href, "wss://claw.int-os.com/ws/chat")
      assert.isUndefined(settings.openaiModel)
      assert.strictEqual(settings.openaiApiKey && Redacted.value(settings.openaiApiKey), "sk-1")
    })
  )

  it("names that look like ours and are none are found", () => {
    assert.deepStrictEqual(Settings.unknownNames({ CLAWFIBER_STAL_TIMEOUT: "1", PATH: "", INSTACLAW_WS_URL: "" }), [
      "CLAWFIBER_STAL_TIMEOUT"
    ])
  })

  for (const variable of Object.values<Settings.Variable<unknown>>(Settings.table)) {
    it.effect(`${variable.name}: the default shown is the default taken`, () =>
      Effect.gen(function* () {
        const absent = yield* variable.config.parse(ConfigProvider.fromEnvRecord({}))
        const shown = yield* variable.config.parse(ConfigProvider.fromEnvRecord({ [variable.name]: variable.fallback }))
        assert.deepStrictEqual(shown, absent)
      })
    )
  }
})

describe("what is written about the settings", () => {
  it(".env.example is the table (write it anew with npm run docs)", () => {
    assert.strictEqual(readFileSync(new URL("../../.env.example", import.meta.url), "utf8"), envExample())
  })

  // Between the two markers stands what settingsText.markdownTable gives.
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
  const section = /<!-- settings -->\n([^]*?)<!-- \/settings -->/.exec(readme)?.[1] ?? ""
  it("the README's table is the table (write it anew with npm run docs)", () => {
    assert.strictEqual(section.trim(), markdownTable())
  })
})
