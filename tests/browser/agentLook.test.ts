import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { ConnectionError, CredentialsRefused, HeartbeatLost } from "../../src/services/channel/Connection.ts"
import { noStats } from "../layers/channel/control/scripted.ts"
import { check, pictures } from "./barriers.ts"
import { missing } from "./chromium.ts"
import type { OperatorStage } from "./operator.ts"
import { pending, setOperatorStage } from "./operator.ts"
import { busyHour, someReplies, stats } from "./operatorSamples.ts"

const narrow = { width: 390, height: 780 }

describe.skipIf(missing !== undefined)("the look of the operator's place", () => {
  let stage: OperatorStage
  beforeAll(async () => {
    stage = await setOperatorStage()
  })
  afterAll(() => stage.close())

  const reset = () => {
    stage.set({ _tag: "absent", setback: undefined, retryAt: undefined })
    Effect.runSync(SubscriptionRef.set(stage.one.line, Option.none()))
    stage.hour([])
    stage.one.replies.stats = noStats
    stage.one.replies.inFlight = []
    stage.one.replies.recent = []
  }

  const words = {
    "en-GB": { title: "Who your agent is", confirm: "Confirm and register", table: "As a table", open: "Open" },
    "zh-CN": { title: "你的智能体是谁", confirm: "确认并注册", table: "以表格显示", open: "打开" }
  } as const

  for (const locale of ["en-GB", "zh-CN"] as const) {
    for (const [width, viewport] of [
      ["wide", { width: 1320, height: 900 }],
      ["narrow", narrow]
    ] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        // Each way once; with pictures every one.
        const light = (locale === "en-GB") === (width === "wide")
        if (pictures === undefined && light !== (colorScheme === "light")) continue
        it(`has no barrier: ${locale}, ${width}, ${colorScheme}`, async () => {
          reset()
          const said = words[locale]
          const { close, page } = await stage.window({ locale, viewport, colorScheme })
          const see = async (name: string) => {
            await check(page, name)
            if (pictures === undefined) return
            await page.screenshot({ path: `${pictures}/${name}-${locale}-${width}-${colorScheme}.png` })
            if (width === "narrow") {
              // All of it: the place scrolls within the window.
              const height = await page.evaluate(() => document.querySelector("#main")?.scrollHeight ?? 0)
              await page.setViewportSize({ width: narrow.width, height: height + 60 })
              await page.screenshot({ path: `${pictures}/${name}-whole-${locale}-${width}-${colorScheme}.png` })
              await page.setViewportSize(narrow)
            }
          }
          await page.getByRole("heading", { name: said.title }).waitFor()
          stage.set({
            _tag: "absent",
            setback: {
              about: "proposal",
              message: "The model answered 429. It is asked again.",
              fields: [],
              at: Date.now(),
              needsPerson: false
            },
            retryAt: Date.now() + 45_000
          })
          await page.getByText("The model answered 429. It is asked again.").waitFor()
          await see("absent")
          stage.set(pending())
          await page.getByRole("button", { name: said.confirm }).waitFor()
          await page.locator('[data-field="hourly_rate"]').fill("-1")
          await page.getByRole("button", { name: said.confirm }).click()
          await page.locator('[data-field="hourly_rate"][aria-invalid="true"]').waitFor()
          await see("form")
          await page.locator('[data-field="scene_tags"]').click()
          await page.getByRole("option").first().waitFor()
          await see("tags")
          await page.keyboard.press("Escape")
          stage.onLine(Date.now() - 11_520_000)
          stage.hour(busyHour(Date.now()))
          stage.one.replies.stats = stats
          stage.connection({
            lastPongAt: Date.now() - 4_000,
            lastFailure: new ConnectionError({ reason: new HeartbeatLost({ missed: 3 }) }),
            generation: 3
          })
          stage.one.replies.recent = someReplies(Date.now()).recent
          stage.one.replies.inFlight = someReplies(Date.now()).inFlight
          await page.getByText(said.table).waitFor()
          await see("running")
          await page.getByText(said.table).click()
          await check(page, "table")
          await page.getByText(said.table).click()
          stage.connection({
            phase: "blocked",
            connectedAt: undefined,
            lastFailure: new ConnectionError({ reason: new CredentialsRefused({ code: 401 }) })
          })
          await page.getByRole("alert").first().waitFor()
          await see("blocked")
          stage.cut()
          await page.locator(".link-down").waitFor()
          await see("lost")
          stage.mend()
          await close(/ERR_|422/)
          const other = await stage.window({ locale, viewport, colorScheme }, "/#/agent")
          await other.page.getByRole("button", { name: said.open, exact: true }).waitFor()
          await check(other.page, "token")
          if (pictures !== undefined) {
            await other.page.screenshot({ path: `${pictures}/token-${locale}-${width}-${colorScheme}.png` })
          }
          await other.close()
        })
      }
    }
  }

  it("is worked by keyboard alone: skip link, form, confirm", async () => {
    reset()
    const { close, page } = await stage.window()
    stage.set(pending())
    await page.getByRole("button", { name: "Confirm and register" }).waitFor()
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.textContent), "Skip to your agent")
    await page.keyboard.press("Enter")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "main")
    assert.strictEqual(await page.evaluate(() => window.location.hash), "#/agent")
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.getAttribute("data-field")), "name")
    await page.keyboard.press("Enter")
    await page.getByText("on the line for").waitFor()
    await close()
  })
})
