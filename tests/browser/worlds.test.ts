/**
 * Claworld on the page, with the real programs of `clawfiber up --agents 3`: one sees two agents talk, puts an agent of
 * one's own there, joins a world by its form, asks, declines, and makes a world.
 */
import { readFile } from "node:fs/promises"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { WebSocket } from "ws"
import { pictures } from "./barriers.ts"
import { missing } from "./chromium.ts"
import { field, press, setUp, type UpStage } from "./up.ts"

describe.skipIf(missing !== undefined)("the worlds, from a look around to a world of one's own", () => {
  let stage: UpStage
  let url: string

  beforeAll(async () => {
    stage = await setUp("--agents", "3")
    url = stage.url
  })
  afterAll(() => stage.close())

  const worlds = (name: string) => stage.at("Worlds", name)

  const actFor = async (page: Page, name: string) => {
    const select = page.getByRole("combobox", { name: "For my agent" })
    const option = select.locator("option", { hasText: name })
    await option.waitFor({ state: "attached" })
    await select.selectOption(await option.getAttribute("value"))
  }
  const meet = (page: Page) =>
    page
      .locator(".worlds-list")
      .getByRole("link", { name: /Meet somebody/ })
      .click()

  it("shows two agents talk, turn by turn, to the end, and keeps what was said as a file", async () => {
    const { close, page } = await worlds("Ann")
    await actFor(page, "Claw")
    await meet(page)
    await page.getByText("It is a member.").waitFor()
    await page.getByText("Be friendly and honest.").waitFor()
    const look = page.getByRole("button", { name: "Look again" })
    const ask = page.getByRole("button", { name: "Ask for a talk: Ada" })
    // Whoever is in a talk with it is no candidate until that is over.
    while (!(await ask.isVisible())) {
      await look.click()
      await page.waitForTimeout(300)
    }
    await page
      .getByText(/^In common: .*Place/)
      .first()
      .waitFor()
    await ask.click()
    await press(page, "Ask")
    await page.getByText("Say what it is to be about").waitFor()
    await field(page, /What Claw is to talk about with Ada/).fill("Old <b>railways</b>")
    await press(page, "Ask")
    await page.getByText("Ada was asked, and decides.").waitFor()
    // Her program accepts by itself, and the two begin.
    await page.getByRole("link", { name: "See the talk with Ada" }).first().click()
    const heading = page.getByRole("heading", { level: 2, name: "Claw and Ada" })
    await heading.waitFor()
    const turns = page.locator(".worlds-turn")
    const seen = new Set<number>()
    const standing = page.locator(".worlds-talk-title .standing")
    await standing.getByText(/live/).waitFor({ timeout: 20_000 })
    for (;;) {
      seen.add(await turns.count())
      if ((await standing.innerText()).startsWith("ended")) break
      await page.waitForTimeout(100)
    }
    assert.strictEqual(await standing.innerText(), "ended: hands were raised")
    const last = await turns.count()
    assert.isAtLeast(last, 4)
    // They came one after the other, and not all at once.
    assert.isAtLeast(seen.size, 2, `seen: ${[...seen].join(", ")}`)
    await page.locator(".worlds-side").getByText("Old <b>railways</b>").waitFor()
    assert.strictEqual(await page.locator(".worlds-side b").count(), 0)
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Keep the transcript" }).click()
    ])
    assert.match(download.suggestedFilename(), /^talk-Claw-Ada-\d{4}-\d\d-\d\d\.md$/)
    const file = await readFile(await download.path(), "utf8")
    assert.match(file, /^# Claw and Ada\n/)
    assert.strictEqual(file.match(/^\*\*(?:Claw|Ada)\*\* \(turn \d/gm)?.length, last)
    assert.match(file, /raised its hand/)
    // All four places fit the rail of a small telephone, beside the language and the person.
    await page.setViewportSize({ width: 380, height: 780 })
    await page.locator(".market-back").waitFor()
    const edges = await page.locator(".rail :is(a, button)").evaluateAll((each) =>
      each.map((one) => {
        const { left, right } = one.getBoundingClientRect()
        return { left, right }
      })
    )
    assert.isAtLeast(edges.length, 6)
    for (const [at, { left, right }] of edges.entries()) {
      assert.isAtLeast(left, edges[at - 1]?.right ?? 0)
      assert.isAtMost(right, 380)
    }
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/worlds-four-places.png` })
    await close()
  })

  /** The program of an agent, as far as it is needed: it is online, and says nothing. */
  const bringOnline = (identity: { readonly agent_id: string; readonly app_token: string }) =>
    new Promise<WebSocket>((resolve, reject) => {
      const socket = new WebSocket(url.replace("http", "ws") + "/ws")
      socket.on("open", () =>
        socket.send(
          JSON.stringify({
            type: "auth",
            agentId: identity.agent_id,
            credential: { type: "agent_token", token: identity.app_token },
            clientVersion: "test",
            bridgeProtocol: "claworld.delivery_reply.v1"
          })
        )
      )
      socket.on("message", (data) => {
        if (String(data).includes('"auth.ok"')) resolve(socket)
      })
      socket.on("error", reject)
      socket.on("close", () => reject(new Error("the relay hung up")))
    })

  it("takes a person in with an agent of theirs: wrong answers are named, one asks, one declines, one blocks", async () => {
    const { close, page } = await worlds("Bea")
    await page.getByRole("link", { name: "My agents" }).click()
    await press(page, "Put it there")
    await page.getByText("It needs a name. Nothing has been sent yet.").waitFor()
    await field(page, "Its name").fill("Bea's <i>own</i>")
    await field(page, /The beginning of its address/).fill("no good")
    await press(page, "Put it there")
    await page.getByText(/2 to 40 characters/).waitFor()
    await field(page, /The beginning of its address/).fill("bea")
    await press(page, "Put it there")
    await page.getByText(/^bea@.* is there\./).waitFor()
    const identity = JSON.parse(await field(page, "Identity").inputValue())
    assert.strictEqual(identity.server_url, `${url}/`)
    const socket = await bringOnline(identity)
    await press(page, "Done")
    assert.strictEqual(await page.getByText(identity.app_token).count(), 0)

    await meet(page)
    await page.getByText("It is not in this world.").waitFor()
    await page.getByText("Only members and admins see who is in.").waitFor()
    await press(page, "Join with Bea's <i>own</i>")
    await field(page, /^Headline/).fill("B")
    await field(page, /^Headline/).blur()
    await page.getByText("Write at least 2 characters.").waitFor()
    await page.getByText("3 answers are still to be given or mended.").waitFor()
    await field(page, /^Interests/).fill("maps, running, " + "x".repeat(90))
    await press(page, "Join")
    await page.getByText("Nothing has been sent: look at what is marked.").waitFor()
    await page.getByText("One of them has more than 80 characters. Shorten it.").waitFor()
    assert.strictEqual(await page.getByText("This is needed.").count(), 2)
    assert.match(await page.evaluate(() => document.activeElement?.getAttribute("data-field") ?? ""), /headline/)
    await field(page, /^Headline/).fill("Bea's agent, fond of maps")
    // What was written is still there after a reload.
    await page.reload()
    await page.getByText("What you wrote before is still here.").waitFor()
    assert.strictEqual(await field(page, /^Headline/).inputValue(), "Bea's agent, fond of maps")
    await field(page, /^Looking for/).fill("Somebody with maps")
    await field(page, /^Place/).fill("Shanghai")
    await field(page, /^Interests/).fill("maps, trail running")
    await page.getByText("Everything that is needed is there.").waitFor()
    await press(page, "Join")
    await page.getByText("Bea's <i>own</i> is in. Here is who is close to it.").waitFor()
    const ada = page.locator(".worlds-person", { has: page.getByRole("button", { name: "Ask for a talk: Ada" }) })
    await ada.getByText(/of 100$/).waitFor()
    await ada.getByText(/^In common: .*Place/).waitFor()

    // A talk that Ada asks for by word of this machine's person is declined by the one who owns the agent asked.
    const { token } = await (
      await fetch(`${url}/api/sign-in`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "Ann" })
      })
    )
      .json()
      .then((body: unknown) => (body as { readonly data: { readonly token: string } }).data)
    const call = async (method: string, path: string, body?: object) => {
      const answer = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      return (await answer.json()) as Readonly<Record<string, ReadonlyArray<Readonly<Record<string, string>>>>>
    }
    const adaId = (await call("GET", "/v1/agents"))["agents"]?.find(({ displayName }) => displayName === "Ada")?.[
      "agentId"
    ]
    await call("POST", "/v1/chat-requests", {
      agentId: adaId,
      targetAgentId: identity.agent_id,
      worldId: "dating-demo-world",
      openingMessage: "Maps of lines that are gone."
    })
    await page.getByRole("link", { name: "Requests", exact: true }).click()
    const asked = page.locator(".worlds-person", { hasText: "Maps of lines that are gone." })
    await asked.getByRole("button", { name: "Decline the request of Ada" }).click()
    await page.getByText("Declined. No talk begins.").waitFor()
    await asked.getByText(/· declined$/).waitFor()

    // A block is made among the members and undone in the settings.
    await meet(page)
    await page.getByRole("button", { name: "Block Ada" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Block Ada" }).click()
    await page.getByRole("dialog").waitFor({ state: "detached" })
    await press(page, "Look again")
    await ada.waitFor({ state: "detached" })
    await page.getByRole("link", { name: /^Settings of Bea/ }).click()
    await page.getByRole("checkbox", { name: /^Others may ask it for a talk/ }).click()
    await page.getByText("Saved.").waitFor()
    await press(page, "Unblock Ada")
    await page.getByText("It blocks nobody.").waitFor()
    await press(page, "New token")
    const closed = new Promise((resolve) => socket.once("close", resolve))
    await page.getByRole("dialog").getByRole("button", { name: "New token" }).click()
    await page.getByText("The new identity, with its token.").waitFor()
    assert.notStrictEqual(JSON.parse(await field(page, "Identity").inputValue()).app_token, identity.app_token)
    await closed
    await close()
  })

  it("makes a world of one's own: the form names what nobody could answer; then it stands, is changed and shut", async () => {
    const { close, page } = await worlds("Cleo")
    await actFor(page, "Claw")
    await page.getByRole("link", { name: "Create a world" }).click()
    await field(page, "Name").fill("Night owls")
    await field(page, "In a sentence or two").fill("For those who are awake.")
    await field(page, "Question").first().fill("When are you awake?")
    await page.getByRole("combobox", { name: "Kind of answer" }).selectOption("choice")
    await field(page, "To choose from, one to a line").focus()
    await field(page, "To choose from, one to a line").blur()
    await page.getByText("There has to be something to choose from.").waitFor()
    await press(page, "Add a question")
    const second = page.getByRole("group", { name: /^Question 2/ })
    await second.getByRole("textbox", { name: "Question", exact: true }).fill("When are you awake?")
    await second.getByRole("textbox", { name: "Characters at least" }).fill("9")
    await second.getByRole("textbox", { name: "Characters at most" }).fill("5")
    await field(page, "Turns at most").fill("1000")
    await press(page, "Create it")
    await page.getByText("Nothing has been sent: look at what is marked.").waitFor()
    await page.getByText("Two questions have this name. Choose another one.").waitFor()
    await page.getByText("Nothing can be both: the least is more than the most.").waitFor()
    await page.getByText("It is a whole number from 1 to 200.").waitFor()
    await page.getByText("4 things are still to be mended.").waitFor()
    await press(page, "Remove question 2")
    await field(page, "To choose from, one to a line").fill("after midnight\nbefore dawn")
    await field(page, "Turns at most").fill("6")
    await page.getByText("As it stands, it can be taken.").waitFor()
    await press(page, "Create it")
    await page.getByText("The world is there.").waitFor()
    await page.getByRole("heading", { level: 2, name: "Night owls" }).waitFor()
    await page.getByText("When are you awake?").waitFor()

    await page.getByRole("link", { name: "Change this world" }).click()
    await field(page, "In a sentence or two").fill("For those who wake at night.")
    await press(page, "Save the changes")
    await page.getByText("The changes are saved.").waitFor()
    await page.locator(".worlds-summary", { hasText: "For those who wake at night." }).waitFor()
    await page.getByRole("link", { name: "Change this world" }).click()
    await press(page, "Shut this world")
    await page.getByRole("dialog").getByRole("button", { name: "Shut this world" }).click()
    await page.getByText("The world is shut.").waitFor()
    await page.getByRole("button", { name: "Open this world" }).waitFor()
    await close()
  })
})
