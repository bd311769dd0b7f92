/** The whole way with the real programs: an empty folder, a proposal, a person who confirms, a chat. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { serve, type Served } from "../programs/cli.ts"
import { missing } from "./chromium.ts"
import type { Stage } from "./stage.ts"
import { choose, last, say, setStage, signIn } from "./stage.ts"

describe.skipIf(missing !== undefined)("from an empty folder to a chat, on the page", () => {
  let stage: Stage
  const folders: Array<string> = []
  const running: Array<Served> = []

  beforeAll(async () => {
    stage = await setStage()
  })
  afterAll(async () => {
    for (const program of running) await program.stop()
    await stage.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  /** `clawfiber connect` in a folder with nothing but a README; the platform is behind the wire that can be cut. */
  const connect = async () => {
    const folder = mkdtempSync(join(tmpdir(), "clawfiber-way-"))
    folders.push(folder)
    writeFileSync(join(folder, "README.md"), "# Recipe Desk\n\nFinds recipes for what is in the kitchen.\n")
    const program = await serve(
      ["connect", "--url", stage.page, "--agent", "offline", "--control-port", "0"],
      { cwd: folder },
      "control"
    )
    running.push(program)
    const token = readFileSync(join(folder, ".insta/control.token"), "utf8").trim()
    const url = String(program.event["url"])
    const window = await stage.windowAt(url, `/#/agent?token=${token}`)
    return { ...window, folder, token, profile: join(folder, ".insta/config/profile.json"), program }
  }

  const field = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true })
  const confirm = (page: Page) => page.getByRole("button", { name: "Confirm and register" })

  it("proposes, is corrected, confirmed, on the line, chats, and a reply is stopped from here", async () => {
    const { close, page, profile, program, token } = await connect()
    await confirm(page).waitFor()
    assert.match(await field(page, "Name").inputValue(), /Recipe Desk/i)
    assert.isFalse(existsSync(profile))
    await field(page, "Hourly rate").fill("-1")
    await confirm(page).click()
    await page.getByText("This is not a number of 0 or more.").waitFor()
    await page.getByText("Nothing has been sent: look at what is marked.").waitFor()
    assert.isFalse(existsSync(profile))
    await field(page, "Hourly rate").fill("15")
    await field(page, "Name").fill("Kitchen Friend")
    await confirm(page).click()
    await page.getByText("on the line for").waitFor()
    assert.strictEqual(JSON.parse(readFileSync(profile, "utf8")).name, "Kitchen Friend")

    const chat = await stage.window()
    await signIn(chat.page, "Guest")
    await choose(chat.page, "Kitchen Friend")
    await say(chat.page, "hello")
    await last(chat.page, "completed").waitFor()
    await page.getByRole("row", { name: /completed after/ }).waitFor()
    await say(chat.page, "slow 60")
    await last(chat.page, "answering").waitFor()
    await page.getByRole("button", { name: /^Stop the reply/ }).click()
    await last(chat.page, "failed").getByText("Stopped.").waitFor()
    await page.getByRole("cell", { name: "Stopped.", exact: true }).waitFor()
    await chat.close()

    const secret = JSON.parse(readFileSync(profile, "utf8")).app_secret
    const seen = (await page.content()) + (await page.evaluate(() => document.body.innerText))
    for (const hidden of [secret, token]) assert.isFalse(seen.includes(hidden), "law secret")
    await close(/422/)
    const ended = await program.stop()
    assert.strictEqual(ended.code, 0)
    assert.isFalse((ended.stdout + ended.stderr).includes(token), "the token is in the log")
  })

  it("is a second place on the page of clawfiber up, for a person and for nobody signed in", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clawfiber-way-"))
    folders.push(folder)
    const program = await serve(["up", "--port", "0", "--agent", "offline"], { cwd: folder }, "connected")
    running.push(program)
    const url = String(program.events.find(({ event }) => event === "ready")?.["url"])
    const token = readFileSync(join(folder, ".clawfiber/agent/.insta/control.token"), "utf8").trim()
    const { close, page } = await stage.windowAt(url, "")
    await page.getByRole("link", { name: "Run the agent? Go to its place" }).click()
    await field(page, "Link or token").fill(token)
    await page.keyboard.press("Enter")
    await page.getByText("on the line for").waitFor()
    const places = page.getByRole("navigation").getByRole("link")
    assert.deepStrictEqual(await places.allInnerTexts(), ["Chat", "Market", "Worlds", "Agent"])
    await page.getByRole("link", { name: "Chat", exact: true }).click()
    await signIn(page, "Host")
    await choose(page, "Claw")
    await say(page, "slow 60")
    await last(page, "answering").waitFor()
    await page.getByRole("link", { name: "Agent", exact: true }).click()
    await page.getByRole("button", { name: /^Stop the reply/ }).click()
    await page.getByRole("cell", { name: "Stopped.", exact: true }).waitFor()
    await page.goBack()
    await last(page, "failed").getByText("Stopped.").waitFor()
    await close()
    assert.strictEqual((await program.stop()).code, 0)
  })

  it("is not taken, and proposes again when it is told to", async () => {
    const { close, page, profile } = await connect()
    await page.getByRole("button", { name: "Not like this" }).click()
    await page.getByText(/^You did not take the last proposal\. The agent makes another one in/).waitFor()
    await page.getByRole("button", { name: "Propose now" }).click()
    await confirm(page).waitFor()
    assert.isFalse(existsSync(profile))
    await close()
  })

  it("loses the platform in the middle: before it is confirmed, and afterwards", async () => {
    const { close, page, profile } = await connect()
    await confirm(page).waitFor()
    await field(page, "Name").fill("Patient")
    stage.cut()
    await confirm(page).click()
    await page.getByText(/^It was not registered:/).waitFor()
    assert.strictEqual(await field(page, "Name").inputValue(), "Patient")
    assert.isFalse(existsSync(profile))
    stage.mend()
    await confirm(page).click()
    await page.getByText("on the line for").waitFor()
    stage.cut()
    await page.getByText(/^lost, next attempt in/).waitFor()
    stage.mend()
    await page.getByRole("button", { name: "Try now" }).click()
    await page.getByText("on the line for").waitFor()
    await page.getByText("What went wrong last").waitFor()
    await close(/ERR_|50\d|403|422/)
  })
})
