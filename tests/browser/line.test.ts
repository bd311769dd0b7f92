import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { missing } from "./chromium.ts"
import type { ScriptedAgent } from "./ScriptedAgent.ts"
import { scriptedAgent } from "./ScriptedAgent.ts"
import type { Stage, Window } from "./stage.ts"
import { choose, last, say, setStage, signIn } from "./stage.ts"

describe.skipIf(missing !== undefined)("the chat when something is away, broken, reloaded or long", () => {
  let stage: Stage
  let agent: ScriptedAgent
  let people = 0

  beforeAll(async () => {
    stage = await setStage()
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

  it("keeps a message for an agent that is away", async () => {
    const { close, page } = await withEcho()
    await agent.goAway()
    await page.getByText("Echo is away. You can write; the message waits.").waitFor()
    await page
      .getByText(/^away since \d\d:\d\d/)
      .first()
      .waitFor()
    await say(page, "for later")
    await page.getByText("The agent is away. Your message waits and is delivered when it is back.").first().waitFor()
    await page.reload()
    await last(page, "waiting").waitFor()
    await agent.comeOnLine()
    const asked = await agent.asked()
    assert.strictEqual(asked.text, "for later")
    asked.say("Here now.")
    asked.end()
    await last(page, "completed").waitFor()
    await close()
  })

  it("loses and doubles nothing when the line breaks in the middle of a reply", async () => {
    const { close, page } = await withEcho()
    await say(page, "count")
    const asked = await agent.asked()
    asked.say("one two ")
    await page.locator(".prose", { hasText: "one two" }).waitFor()
    stage.cut()
    await page.getByText(/^Offline\. Next try in/).waitFor()
    asked.say("three ")
    await say(page, "written offline")
    await last(page, "unsent").waitFor()
    stage.mend()
    await page.getByRole("button", { name: "Try now" }).click()
    const second = await agent.asked()
    assert.strictEqual(second.text, "written offline")
    asked.say("four")
    await page.locator(".exchange").first().getByText("one two three four").waitFor()
    asked.end()
    second.say("Got it.")
    second.end()
    await last(page, "completed").waitFor()
    assert.deepStrictEqual(await page.locator(".prose").allInnerTexts(), ["one two three four", "Got it."])
    assert.strictEqual(new Set(await ids(page)).size, 2)
    await close(/ERR_|WebSocket connection/)
  })

  it("goes on with a reply in progress after a reload, and shows it in a second window", async () => {
    const { close, page } = await withEcho()
    await say(page, "story")
    const asked = await agent.asked()
    asked.say("Once ")
    await page.locator(".prose", { hasText: "Once" }).waitFor()
    await page.reload()
    await page.locator(".prose", { hasText: "Once" }).waitFor()
    asked.say("upon ")
    await page.locator(".prose", { hasText: "Once upon" }).waitFor()
    const other = await page.context().newPage()
    await other.goto(page.url())
    await other.locator(".prose", { hasText: "Once upon" }).waitFor()
    asked.say("a time.")
    asked.end()
    for (const each of [page, other]) {
      await last(each, "completed").waitFor()
      assert.strictEqual(await each.locator(".prose").innerText(), "Once upon a time.")
    }
    await close()
  })

  it("reads a long conversation in pages, and does not pull one who reads above to the end", async () => {
    const { close, page } = await withEcho()
    agent.answers((text) => `Re: ${text}`)
    await say(page, "message 0")
    await last(page, "completed").waitFor()
    const session = decodeURIComponent(new URL(page.url()).hash.split("/").at(-1) ?? "")
    const token = await page.evaluate(() => localStorage.getItem("clawfiber.token"))
    for (let number = 1; number <= 45; number++) {
      const response = await fetch(`${stage.url}/v1/responses`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({
          model: agent.clawId,
          input: `message ${number}`,
          metadata: { session_id: session, message_id: `m${number}` }
        })
      })
      assert.strictEqual(response.status, 200)
      await response.text()
    }
    await page.reload()
    await page.getByText("Re: message 45").waitFor()
    assert.strictEqual(await page.locator(".exchange").count(), 40)
    const thread = page.getByRole("region", { name: "Messages" })
    await thread.evaluate((element) => element.scrollTo(0, 0))
    await page.getByRole("button", { name: "Show older messages" }).click()
    await page.waitForFunction(() => document.querySelectorAll(".exchange").length === 46)
    agent.answers(() => undefined)
    await thread.evaluate((element) => element.scrollTo(0, 0))
    await page.getByRole("button", { name: "To the newest" }).waitFor()
    const before = await thread.evaluate((element) => element.scrollTop)
    await fetch(`${stage.url}/v1/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: agent.clawId,
        input: "elsewhere",
        metadata: { session_id: session },
        background: true
      })
    })
    const asked = await agent.asked()
    asked.say("Words\n\nand more\n\nand more")
    asked.end()
    await last(page, "completed").waitFor({ state: "attached" })
    assert.closeTo(await thread.evaluate((element) => element.scrollTop), before, 2)
    await page.getByRole("button", { name: "To the newest" }).click()
    await page.getByText("and more").last().waitFor()
    await page.getByRole("button", { name: "To the newest" }).waitFor({ state: "detached" })
    await close()
  })
})
