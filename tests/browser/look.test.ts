import type { BrowserContextOptions, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { checkBarriers as check, sideways } from "./barriers.ts"
import { missing } from "./chromium.ts"
import type { ScriptedAgent } from "./ScriptedAgent.ts"
import { scriptedAgent } from "./ScriptedAgent.ts"
import type { Stage } from "./stage.ts"
import { choose, composer, last, say, setStage, signIn } from "./stage.ts"

const rich = `### A heading

Some **words**, a [link](https://example.com), \`code\` and a ![picture](https://example.com/a.png).

- one
- [x] two

> said

| name | value |
|---|---|
| a | 1 |

\`\`\`ts
const answer = await agent.reply({ text: "a line that is long enough to have to scroll on a narrow screen, surely" })
\`\`\`
`

/** A red square of two by two. */
const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP8z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==",
  "base64"
)

const narrow = { width: 390, height: 780 }

describe.skipIf(missing !== undefined)("the look of the page", () => {
  let stage: Stage
  let agent: ScriptedAgent
  let people = 0

  beforeAll(async () => {
    stage = await setStage()
    agent = await scriptedAgent(stage.url, {
      name: "文案助手",
      description: "整理、改写、校对中文长文。",
      custom_tags: ["中文"],
      scene_tags: ["02001"]
    })
    agent.answers((text) => (text === "wait" ? undefined : rich))
  })
  afterAll(() => stage.close())

  const dialog = async (page: Page, open: () => Promise<void>, where: string) => {
    await open()
    await page.getByRole("dialog").waitFor()
    await check(page, where)
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
  }

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has no barrier, wide and ${colorScheme}`, async () => {
      const { close, page } = await stage.window({ colorScheme })
      await check(page, "sign-in")
      await page.getByRole("button", { name: "Sign in" }).click()
      await page.getByText("Write a name first. Nothing has been sent yet.").waitFor()
      await check(page, "sign-in with a fault")
      await signIn(page, `Wide ${colorScheme}`)
      await page.getByText("Say something to 文案助手.").waitFor()
      await check(page, "empty")
      await say(page, "show")
      await last(page, "completed").waitFor()
      await check(page, "answered")
      await say(page, "wait")
      const asked = await agent.asked()
      asked.say("Half")
      await last(page, "answering").waitFor()
      await check(page, "writing")
      asked.fail("INTERRUPTED", "The agent was stopped.")
      await last(page, "failed").waitFor()
      await check(page, "failed")
      const more = page.getByRole("button", { name: /^More about/ })
      await more.click()
      await page.getByRole("menu").waitFor()
      await check(page, "menu")
      await page.keyboard.press("Escape")
      await page.getByRole("menu").waitFor({ state: "detached" })
      await page.getByRole("button", { name: /^Account of/ }).click()
      await page.getByRole("menu").waitFor()
      await check(page, "account")
      await page.keyboard.press("Escape")
      await page.getByRole("menu").waitFor({ state: "detached" })
      for (const item of ["Rename", "Delete"]) {
        const open = async () => {
          await more.click()
          await page.getByRole("menuitem", { name: item }).click()
        }
        await dialog(page, open, item)
      }
      await dialog(page, () => page.getByRole("button", { name: "Your keys" }).click(), "keys")
      await page.locator("input[type=file]").setInputFiles([
        { name: "red.png", mimeType: "image/png", buffer: picture },
        { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("# notes") }
      ])
      await page.waitForFunction(() => !document.body.innerText.includes("uploading"))
      await check(page, "attachments")
      await say(page, "with files")
      await last(page, "completed").waitFor()
      await dialog(page, () => page.getByRole("button", { name: "Show red.png large" }).click(), "picture")
      stage.cut()
      await page.getByText(/^Offline\. Next try in/).waitFor()
      await check(page, "offline")
      stage.mend()
      await page.getByRole("button", { name: "Try now" }).click()
      await page.getByText(/^Offline\. Next try in/).waitFor({ state: "detached" })
      await close(/ERR_|WebSocket connection/)
    })

    it(`has no barrier, narrow and ${colorScheme}`, async () => {
      const { close, page } = await stage.window({ colorScheme, viewport: narrow, locale: "zh-CN" })
      await check(page, "sign-in")
      await signIn(page, `Narrow ${colorScheme}`)
      await say(page, "show")
      await last(page, "completed").waitFor()
      await check(page, "answered")
      assert.strictEqual(await sideways(page), 0)
      await dialog(page, () => page.getByRole("button", { name: "对话", exact: true }).click(), "lists")
      await dialog(page, () => page.getByRole("button", { name: "关于这个智能体" }).click(), "about")
      await close()
    })
  }

  it("puts rail and composer at the bottom of a narrow window, and the lists into a sheet", async () => {
    const { close, page } = await stage.window({ viewport: narrow })
    await signIn(page, "Narrow person")
    const rail = await page.getByRole("navigation").boundingBox()
    assert.closeTo((rail?.y ?? 0) + (rail?.height ?? 0), narrow.height, 1)
    assert.strictEqual(await page.getByRole("link", { name: "文案助手" }).count(), 0)
    await page.getByRole("button", { name: "Conversations" }).click()
    await page.getByRole("dialog").getByRole("link", { name: "文案助手" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "New conversation" }).click()
    await page.getByRole("dialog").waitFor({ state: "detached" })
    for (const width of [320, 390, 760, 761, 1120, 1121, 1900]) {
      await page.setViewportSize({ width, height: 700 })
      assert.strictEqual(await sideways(page), 0, `${width} px`)
      await composer(page).waitFor()
    }
    await close()
  })

  const languages: ReadonlyArray<readonly [BrowserContextOptions["locale"], string, string]> = [
    ["zh-CN", "zh-CN", "登录"],
    ["zh-TW", "zh-CN", "登录"],
    ["en-US", "en", "Sign in"],
    ["de-DE", "en", "Sign in"]
  ]
  it("speaks the language of the browser, and the one that was chosen ever after", async () => {
    for (const [locale, lang, words] of languages) {
      const { close, page } = await stage.window({ locale: locale ?? "en-US" })
      await page.getByRole("button", { name: words, exact: true }).waitFor()
      assert.strictEqual(await page.locator("html").getAttribute("lang"), lang)
      await close()
    }
    const { close, page } = await stage.window()
    await page.getByRole("button", { name: "中文" }).click()
    await page.getByRole("button", { name: "登录" }).waitFor()
    await page.reload()
    await page.getByRole("button", { name: "登录" }).waitFor()
    await signIn(page, "语言")
    await page.getByText("和 文案助手 说点什么吧。").waitFor()
    await page.getByRole("button", { name: "English" }).click()
    await page.getByText("Say something to 文案助手.").waitFor()
    await close()
  })

  it("is worked by the keyboard alone", async () => {
    const { close, page } = await stage.window()
    await page.waitForFunction(() => document.activeElement?.tagName === "INPUT")
    await page.keyboard.type(`Keys ${++people}`)
    await page.keyboard.press("Enter")
    await composer(page).waitFor()
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.textContent), "Skip to the conversation")
    const outlined = () =>
      page.evaluate(() => {
        const element = document.activeElement
        return element !== null && getComputedStyle(element).outlineStyle !== "none"
      })
    assert.isTrue(await outlined())
    await composer(page).focus()
    await page.keyboard.type("line one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("line two")
    await page.keyboard.press("Enter")
    await last(page, "completed").waitFor()
    assert.strictEqual(await page.locator(".question-text").innerText(), "line one\nline two")
    assert.strictEqual(await composer(page).inputValue(), "")
    await page.getByRole("button", { name: "New conversation" }).focus()
    await page.keyboard.press("Enter")
    await page.waitForFunction(() => document.activeElement?.hasAttribute("data-composer"))
    await page.keyboard.type("another")
    await page.keyboard.press("Enter")
    await last(page, "completed").waitFor()
    await page.getByRole("link", { name: /^another/ }).focus()
    await page.keyboard.press("ArrowDown")
    assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ""), /^line one/)
    assert.isTrue(await outlined())
    await page.keyboard.press("Enter")
    await page.getByText("line two").first().waitFor()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.getByRole("menuitem", { name: "Rename" }).waitFor()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.getByRole("dialog").waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    await close()
  })

  it("does not send what an input method is still composing", async () => {
    const { close, page } = await stage.window()
    await signIn(page, "输入法")
    await choose(page, "文案助手")
    const input = await page.context().newCDPSession(page)
    await composer(page).focus()
    await input.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 })
    await composer(page).dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true })
    await composer(page).dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true })
    await input.send("Input.insertText", { text: "你好" })
    assert.strictEqual(await composer(page).inputValue(), "你好")
    assert.strictEqual(await page.locator(".exchange").count(), 0)
    await composer(page).press("Enter")
    await last(page, "completed").waitFor()
    assert.strictEqual(await page.locator(".question-text").innerText(), "你好")
    await close()
  })

  it("reads out a reply when it has ended, not each piece of it", async () => {
    const { close, page } = await stage.window()
    await signIn(page, `Listener ${++people}`)
    const said = page.getByRole("status").and(page.locator("[aria-atomic=true]"))
    await say(page, "wait")
    const asked = await agent.asked()
    asked.say("First ")
    await said.getByText("文案助手 is writing.").waitFor({ state: "attached" })
    asked.say("second.")
    await page.locator(".prose", { hasText: "second." }).waitFor()
    assert.strictEqual(await said.innerText(), "文案助手 is writing.")
    asked.end()
    await said.getByText("文案助手 answered: First second.").waitFor({ state: "attached" })
    await close()
  })
})
