import { assert, describe, it } from "@effect/vitest"
import { make } from "../../src/programs/run/settingViews.ts"
import { table } from "../../src/services/channel/Settings.ts"

describe("the settings that the operator sees", () => {
  const views = make({
    variables: {
      OPENAI_API_KEY: "sk-canary-settings",
      CLAWFIBER_DATABASE_URL: "postgres://me:canary-settings@host/db",
      MAX_CONCURRENT_REQUESTS: "4",
      CLAWFIBER_SYNC: "normal",
      CLAWFIBER_LOG: ""
    },
    ignored: ["taskApiBaseUrl"],
    flags: { sync: "full", wsUrl: "ws://127.0.0.1:8787/ws/chat?token=canary-settings", grace: undefined }
  })
  const of = (name: string) => {
    const view = views.find((each) => each.name === name)
    return [view?.value, view?.source]
  }
  it("say the value in force and where it comes from, the flag before all", () => {
    assert.deepStrictEqual(of("MAX_CONCURRENT_REQUESTS"), ["4", "file"])
    assert.deepStrictEqual(of("CLAWFIBER_SYNC"), ["full", "flag"])
    assert.deepStrictEqual(of("CLAWFIBER_GRACE"), [table.grace.fallback, "default"])
    assert.deepStrictEqual(of("CLAWFIBER_LOG"), ["", "default"])
    assert.deepStrictEqual(of(table.taskApiBaseUrl.name), [undefined, undefined])
  })
  it("show no secret (law secret)", () => {
    assert.deepStrictEqual(of("OPENAI_API_KEY"), ["set", "file"])
    assert.deepStrictEqual(of("CLAWFIBER_TOKEN"), ["not set", "default"])
    assert.isFalse(JSON.stringify(views).includes("canary"))
  })
})
