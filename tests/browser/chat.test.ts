import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { missing } from "./chromium.ts"
import type { ScriptedAgent } from "./ScriptedAgent.ts"
import { scriptedAgent } from "./ScriptedAgent.ts"
import type { Stage, Window } from "./stage.ts"
import { choose, composer, last, say, setStage, signIn } from "./stage.ts"

/** A red square of two by two. */
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP8z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==",
  "base64"
)

describe.skipIf(missing !== undefined)("the chat", () => {
  let stage: Stage
  let agent: ScriptedAgent
  let people = 0

  beforeAll(async () => {
    stage = await setStage({ withOfflineAgent: true })
    agent = await scriptedAgent(stage.url, { name: "Echo", description: "Says what the test says." })
  })
  afterAll(() => stage.close())

  /** A person of their own, before the scripted agent. */
  const withEcho = async (): Promise<Window> => {
    const window = await stage.window()
    await signIn(window.page, `Person ${++people}`)
    await choose(window.page, "Echo")
    return window
  }

  const ids = (page: Page) =>
    page.locator(".exchange").evaluateAll((all) => all.map((each) => each.getAttribute("data-message")))

  it("streams the offline agent's reply and has it again after a reload", async () => {
    const { close, page } = await stage.window()
    await signIn(page, "Ada")
    await choose(page, "Claw")
    await page.getByRole("button", { name: "help", exact: true }).click()
    assert.strictEqual(await composer(page).inputValue(), "help")
    await composer(page).press("Enter")
    await last(page, "answering").waitFor()
    await page.getByText(/^writing · /).waitFor()
    await last(page, "completed").waitFor()
    const text = await page.locator(".answer .prose").innerText()
    await page.getByText(/first words after \d/).waitFor()
    await page.reload()
    await last(page, "completed").waitFor()
    assert.strictEqual(await page.locator(".answer .prose").innerText(), text)
    assert.strictEqual(await page.locator(".exchange").count(), 1)
    await close()
  })

  it("shows words as they come, and the figures of the conversation", async () => {
    const { close, page } = await withEcho()
    await say(page, "hello")
    const asked = await agent.asked()
    assert.strictEqual(asked.text, "hello")
    asked.say("Good ")
    await page.locator(".prose", { hasText: /^Good\s*$/ }).waitFor()
    asked.say("day")
    asked.end()
    await last(page, "completed").waitFor()
    assert.strictEqual(await page.locator(".prose").innerText(), "Good day")
    await page.locator(".figure", { hasText: /messages\s*2/ }).waitFor()
    await page.getByText(/^8 characters · first words after/).waitFor()
    await close()
  })

  it("stops by the button and by Escape, keeps what had come, and asks again as a new message", async () => {
    const { close, page } = await withEcho()
    await say(page, "talk")
    ;(await agent.asked()).say("Half of")
    await page.getByRole("button", { name: "Stop" }).click()
    await last(page, "failed").waitFor()
    await page.getByText("Stopped.", { exact: true }).waitFor()
    assert.strictEqual(await page.locator(".prose").innerText(), "Half of")
    await page.getByRole("button", { name: "Ask again" }).click()
    const again = await agent.asked()
    assert.strictEqual(again.text, "talk")
    again.say("Once")
    await page.locator(".prose", { hasText: "Once" }).waitFor()
    await page.keyboard.press("Escape")
    await last(page, "failed").waitFor()
    const [first, second] = await ids(page)
    assert.notStrictEqual(first, second)
    await close()
  })

  it("says a failure in words, in both languages", async () => {
    const { close, page } = await withEcho()
    await say(page, "too much")
    ;(await agent.asked()).fail("RATE_LIMIT", "The model is busy. Try again in 20 s.")
    await last(page, "failed").waitFor()
    const failure = page.locator(".failure")
    await failure.getByText("Too much at once. Wait a moment, then ask again.").waitFor()
    await failure.getByText("The model is busy. Try again in 20 s.").waitFor()
    await page.getByRole("button", { name: "中文" }).click()
    await failure.getByText("请求过多。请稍等片刻再问。").waitFor()
    await failure.getByText("模型繁忙，请在 20 秒后再试。").waitFor()
    await close()
  })

  it("makes, names, renames and deletes conversations", async () => {
    const { close, page } = await withEcho()
    agent.answers((text) => `Re: ${text}`)
    await say(page, "first talk")
    await last(page, "completed").waitFor()
    await page.getByRole("button", { name: "New conversation" }).click()
    await page.getByText("Say something to Echo.").waitFor()
    await say(page, "second talk")
    await last(page, "completed").waitFor()
    agent.answers(() => undefined)
    const titles = page.locator(".row-line .row-name")
    await page.waitForFunction(() => document.querySelectorAll(".row-line").length === 2)
    assert.deepStrictEqual(await titles.allInnerTexts(), ["second talk", "first talk"])

    await page.getByRole("button", { name: "More about “first talk”" }).click()
    await page.getByRole("menuitem", { name: "Rename" }).click()
    const field = page.getByRole("textbox", { name: "Title" })
    await field.fill("  ")
    await page.getByRole("button", { name: "Save" }).click()
    await page.getByText("A title has at least one character.").waitFor()
    await field.fill("周会纪要整理")
    await field.press("Enter")
    await page.getByRole("link", { name: "周会纪要整理" }).waitFor()

    await page.getByRole("button", { name: "More about “second talk”" }).click()
    await page.getByRole("menuitem", { name: "Delete" }).click()
    await page.getByRole("button", { name: "Cancel" }).click()
    await page.getByRole("dialog").waitFor({ state: "detached" })
    assert.strictEqual(await titles.count(), 2)
    await page.getByRole("button", { name: "More about “second talk”" }).click()
    await page.getByRole("menuitem", { name: "Delete" }).click()
    await page.getByRole("button", { name: "Delete for good" }).click()
    await page.getByText("Say something to Echo.").waitFor()
    await page.reload()
    await page.locator(".row-line").waitFor()
    assert.deepStrictEqual(await titles.allInnerTexts(), ["周会纪要整理"])
    await close()
  })

  it("sends pictures and files, by button, paste and drop, and shows them again", async () => {
    const { close, page } = await withEcho()
    await page.locator("input[type=file]").setInputFiles([
      { name: "red.png", mimeType: "image/png", buffer: png },
      { name: "周报.md", mimeType: "text/markdown", buffer: Buffer.from("# notes") }
    ])
    const dropped = await page.evaluateHandle(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File(["a,b"], "table.csv", { type: "text/csv" }))
      return transfer
    })
    await page.locator(".dropzone").dispatchEvent("drop", { dataTransfer: dropped })
    await composer(page).evaluate((element) => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(["pasted"], "pasted.txt", { type: "text/plain" }))
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
    })
    await page.waitForFunction(() => document.querySelectorAll(".attachment").length === 4)
    await page.waitForFunction(() => !document.body.innerText.includes("uploading"))
    await page.getByRole("button", { name: "Remove pasted.txt" }).click()
    await say(page, "look")
    const asked = await agent.asked()
    assert.deepStrictEqual(
      asked.parts.map((part) => [part["type"], part["filename"]]),
      [
        ["input_text", undefined],
        ["input_image", "red.png"],
        ["input_file", "周报.md"],
        ["input_file", "table.csv"]
      ]
    )
    asked.say("Seen.")
    asked.end()
    await last(page, "completed").waitFor()
    await page.reload()
    const picture = page.getByRole("img", { name: "Attached picture red.png" })
    await picture.waitFor()
    assert.strictEqual(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth), 2)
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download 周报.md" }).click()
    ])
    assert.strictEqual(file.suggestedFilename(), "周报.md")
    await close()
  })

  it("refuses a file that is too large by itself, and says that nothing of it was sent", async () => {
    const { close, page } = await withEcho()
    await composer(page).evaluate((element) => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File([new Uint8Array(20 * 1024 * 1024 + 1)], "film.mp4", { type: "video/mp4" }))
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
    })
    await page.getByRole("alert").getByText("film.mp4 is larger than 20 MB. Nothing has been sent of it.").waitFor()
    assert.strictEqual(await page.locator(".attachment").count(), 0)
    await close()
  })

  it("makes a key that is shown once and works, and takes it back", async () => {
    const { close, page } = await withEcho()
    await page.getByRole("button", { name: "Your keys" }).click()
    await page.getByText("You have no key yet.").waitFor()
    await page.getByRole("textbox", { name: "Name of the key" }).fill("robot")
    await page.getByRole("button", { name: "Make the key" }).click()
    const key = await page.getByRole("textbox", { name: "The new key" }).inputValue()
    const call = () => fetch(`${stage.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    assert.strictEqual((await call()).status, 200)
    await page.keyboard.press("Escape")
    await page.getByRole("button", { name: "Your keys" }).click()
    await page.getByText("robot").waitFor()
    assert.isFalse((await page.content()).includes(key))
    await page.getByRole("button", { name: "Revoke the key “robot”" }).click()
    await page.getByText("You have no key yet.").waitFor()
    assert.strictEqual((await call()).status, 401)
    await close()
  })

  it("signs out, and says so where a sign-in has ended", async () => {
    const { close, page } = await withEcho()
    await page.getByRole("button", { name: /^Account of/ }).click()
    await page.getByRole("menuitem", { name: "Sign out" }).click()
    await page.getByRole("button", { name: "Sign in" }).waitFor()
    assert.strictEqual(await page.evaluate(() => localStorage.getItem("clawfiber.token")), null)
    await page.evaluate(() => localStorage.setItem("clawfiber.token", "no longer good"))
    await page.reload()
    await page.getByText("Your sign-in has ended.").waitFor()
    await close(/401/)
  })
})
