import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { ConnectionError, CredentialsRefused, Unreachable } from "../../src/services/channel/Connection.ts"
import type { InFlight } from "../../src/services/channel/Dispatcher.ts"
import * as scripted from "../layers/channel/control/scripted.ts"
import { missing } from "./chromium.ts"
import type { OperatorStage } from "./operator.ts"
import { pending, setOperatorStage, token } from "./operator.ts"

const reply = (patch: Partial<InFlight> = {}): InFlight => ({
  responseId: "resp_1",
  sessionId: "session_of_the_test",
  messageId: "m1",
  acceptedAt: Date.now() - 1_200,
  startedAt: Date.now() - 1_100,
  firstDeltaAt: Date.now() - 800,
  characters: 318,
  ...patch
})

describe.skipIf(missing !== undefined)("the operator's place", () => {
  let stage: OperatorStage

  beforeAll(async () => {
    stage = await setOperatorStage()
  })
  afterAll(() => stage.close())
  beforeEach(() => {
    stage.set({ _tag: "absent", setback: undefined, retryAt: undefined })
    Effect.runSync(SubscriptionRef.set(stage.one.line, Option.none()))
    stage.one.replies.inFlight = []
    stage.one.replies.recent = []
  })

  const field = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true })

  it("says in words how to come in, takes the link that is pasted, and forgets on demand", async () => {
    const { close, page } = await stage.window({}, "")
    await page.getByText("Open the link that the program printed when it started").waitFor()
    assert.deepStrictEqual(await page.getByRole("navigation").getByRole("link").allInnerTexts(), ["Agent"])
    await page.getByRole("button", { name: "Open" }).click()
    await page.getByText("Paste the link or the token first.").waitFor()
    await field(page, "Link or token").fill("http://127.0.0.1:8788/#/agent?token=not-the-token-of-this-agent")
    await page.keyboard.press("Enter")
    await page.getByRole("alert").getByText("That is not the token of the agent that runs now.").waitFor()
    await field(page, "Link or token").fill(`${stage.page}/#/agent?token=${token}`)
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Who your agent is" }).waitFor()
    await page.reload()
    await page.getByRole("heading", { name: "Who your agent is" }).waitFor()
    await page.getByRole("button", { name: "Forget the token" }).click()
    await field(page, "Link or token").waitFor()
    assert.isNull(await page.evaluate(() => localStorage.getItem("clawfiber.control")))
    await close(/403/)
  })

  it("takes the token out of the address at once, and sends it in no address (law secret)", async () => {
    const { close, page } = await stage.window()
    const asked: Array<string> = []
    page.on("request", (request) => asked.push(request.url()))
    await page.getByRole("heading", { name: "Who your agent is" }).waitFor()
    assert.strictEqual(await page.evaluate(() => window.location.hash), "#/agent")
    await page.reload()
    await page.getByRole("heading", { name: "Who your agent is" }).waitFor()
    assert.isFalse(asked.some((url) => url.includes(token)))
    assert.isFalse((await page.content()).includes(token))
    assert.isFalse((await page.content()).includes(scripted.canary))
    await close()
  })

  it("says each state on the way to an identity, and what happens next", async () => {
    const { close, page } = await stage.window()
    await page.getByText("The agent has no identity yet.").waitFor()
    await page.getByText("It proposes one in a moment.").waitFor()
    const { count } = stage.one.retried
    await page.getByRole("button", { name: "Propose now" }).click()
    for (let tries = 0; stage.one.retried.count === count; tries++) {
      assert.isBelow(tries, 100)
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
    }
    stage.set({
      _tag: "absent",
      setback: {
        about: "proposal",
        message: "The model answered 429.",
        fields: [],
        at: Date.now(),
        needsPerson: false
      },
      retryAt: Date.now() + 30_500
    })
    await page.getByText(/^It proposes one in (30|29) s\.$/).waitFor()
    await page.getByText("The model answered 429.").waitFor()
    stage.set({ _tag: "proposing", since: Date.now() - 4_000, setback: undefined })
    await page.getByText(/The agent studies its folder .* This has taken \d s so far\./).waitFor()
    stage.set({ _tag: "coolingDown", until: Date.now() + 90_000 })
    await page.getByText("The agent makes another one in 1 min.").waitFor()
    await close()
  })

  it("fills the form with the proposal, shows a fault at its field, registers what was changed", async () => {
    const { close, page } = await stage.window()
    stage.set(pending())
    await page.getByText("Nothing has been sent yet.").waitFor()
    assert.strictEqual(await field(page, "Name").inputValue(), "文案助手")
    await page.getByText("02001 Documents").waitFor()
    await field(page, "Hourly rate").fill("-1")
    await field(page, "Name").fill("  ")
    await page.getByRole("button", { name: "Confirm and register" }).click()
    await page.getByText("An agent needs a name.").waitFor()
    await page.getByText("This is not a number of 0 or more.").waitFor()
    await page.getByRole("alert").getByText("Nothing has been sent: look at what is marked.").waitFor()
    assert.isTrue(await field(page, "Name").evaluate((element) => element === document.activeElement))
    assert.strictEqual(await field(page, "Name").getAttribute("aria-invalid"), "true")
    await field(page, "Name").fill("Copy Desk")
    assert.strictEqual(await page.getByText("An agent needs a name.").count(), 0)
    await field(page, "Hourly rate").fill("12.5")
    await page.getByRole("combobox", { name: "Scene tags" }).or(page.getByLabel("Scene tags")).first().fill("翻译")
    await page.getByRole("option", { name: "06001 Translation" }).click()
    await page.getByLabel("Words of your own").first().fill("quick")
    await page.keyboard.press("Enter")
    await page.locator("input[type=file]").setInputFiles({
      name: "red.png",
      mimeType: "image/png",
      buffer: Buffer.from(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP8z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==",
        "base64"
      )
    })
    await page.getByText(/^A picture of .* travels with the profile\.$/).waitFor()
    await page.getByRole("button", { name: "Confirm and register" }).click()
    await page.getByText("Copy Desk").waitFor()
    await page.getByText("on the line for").waitFor()
    const line = Option.getOrThrow(SubscriptionRef.getUnsafe(stage.one.line))
    assert.strictEqual(line.profile.name, "Copy Desk")
    assert.strictEqual(line.profile.hourly_rate, 12.5)
    assert.deepStrictEqual(line.profile.scene_tags, ["02001", "07001", "06001"])
    assert.deepStrictEqual(line.profile.custom_tags, ["中文", "quick"])
    assert.match(line.profile.avatar, /^data:image\/png;base64,/)
    await close(/422/)
  })

  it("refuses a file that is no picture, in words at the field", async () => {
    const { close, page } = await stage.window()
    stage.set(pending())
    await page
      .locator("input[type=file]")
      .setInputFiles({ name: "a.png", mimeType: "image/png", buffer: Buffer.from("no picture") })
    await page.getByText("This file is no picture that the browser can read. Nothing has been sent.").waitFor()
    await close()
  })

  it("drops a proposal, and shows the next one; keeps what was written while another comes", async () => {
    const { close, page } = await stage.window()
    stage.set(pending())
    await page.getByRole("button", { name: "Not like this" }).click()
    await page.getByText(/You did not take the last proposal\./).waitFor()
    stage.set(pending("p2", { ...scripted.proposal, name: "Second" }))
    await field(page, "Name").waitFor()
    assert.strictEqual(await field(page, "Name").inputValue(), "Second")
    // Untouched: the newest is shown.
    stage.set(pending("p3", { ...scripted.proposal, name: "Third" }))
    await page.waitForFunction(() => [...document.querySelectorAll("input")].some((each) => each.value === "Third"))
    await field(page, "Name").fill("My own")
    stage.set(pending("p4", { ...scripted.proposal, name: "Fourth" }))
    await page.getByText("The agent has proposed anew while you wrote.").waitFor()
    assert.strictEqual(await field(page, "Name").inputValue(), "My own")
    await page.getByRole("button", { name: "Take the new proposal" }).click()
    assert.strictEqual(await field(page, "Name").inputValue(), "Fourth")
    await close()
  })

  it("keeps what was written where it was not taken, and says why", async () => {
    const { close, page } = await stage.window()
    stage.set(pending())
    await field(page, "Name").fill("Kept")
    stage.cut()
    await page.getByText(/^The link to the program is lost\. What you see may be old\. Next try in/).waitFor()
    await page.getByRole("button", { name: "Confirm and register" }).click()
    await page
      .getByText("It was not registered: the program does not answer. Is it still running?", { exact: true })
      .waitFor()
    assert.strictEqual(await field(page, "Name").inputValue(), "Kept")
    stage.mend()
    await page.getByRole("button", { name: "Try now" }).click()
    await page.getByText(/^The link to the program is lost/).waitFor({ state: "detached" })
    assert.strictEqual(await field(page, "Name").inputValue(), "Kept")
    await page.getByRole("button", { name: "Confirm and register" }).click()
    await page.getByText("on the line for").waitFor()
    await close(/ERR_/)
  })

  it("keeps what was written while the platform is asked, and says why it did not take it", async () => {
    const { close, page } = await stage.window()
    stage.set(pending())
    await field(page, "Name").fill("Kept")
    const since = Date.now() - 7_000
    stage.set({ _tag: "submitting", proposal: scripted.proposal, proposalId: "p1", since })
    await page.getByText(/^Registering with the platform\. It has taken \d+ s so far\.$/).waitFor()
    assert.isTrue(await field(page, "Name").isDisabled())
    const message = "The platform refused the registration: the name is taken."
    const setback = { about: "registration" as const, message, fields: [], at: Date.now(), needsPerson: false }
    stage.set({ _tag: "pending", proposal: scripted.proposal, proposalId: "p1", proposedAt: since, setback })
    await page.getByText(message).waitFor()
    assert.isFalse(await field(page, "Name").isDisabled())
    assert.strictEqual(await field(page, "Name").inputValue(), "Kept")
    await close()
  })

  it("says how the connection is: lost, refused, and tries again on demand", async () => {
    const { close, page } = await stage.window()
    stage.onLine(Date.now() - 3_600_000 * 3 - 60_000 * 12)
    await page.getByText("on the line for 3 h 12 min").waitFor()
    stage.connection({
      phase: "reconnecting",
      connectedAt: undefined,
      attempt: 3,
      retryAt: Date.now() + 20_000,
      lastFailure: new ConnectionError({
        reason: new Unreachable({ code: undefined, detail: "nothing listens at 127.0.0.1:8787" })
      })
    })
    await page.getByText(/^lost, next attempt in (20|19|18) s$/).waitFor()
    await page.getByText("nothing listens at 127.0.0.1:8787").waitFor()
    stage.connection({
      phase: "blocked",
      retryAt: undefined,
      lastFailure: new ConnectionError({ reason: new CredentialsRefused({ code: 401 }) })
    })
    await page.getByRole("alert").getByText("The platform refused the key (401).").waitFor()
    await page.getByText("stopped, it needs you", { exact: true }).first().waitFor()
    const { count } = stage.one.retried
    await page.getByRole("button", { name: "Try now" }).click()
    for (let tries = 0; stage.one.retried.count === count; tries++) {
      assert.isBelow(tries, 100)
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
    }
    await close()
  })

  it("shows replies as they run, stops one, and says how the last ones ended", async () => {
    const { close, page } = await stage.window()
    stage.onLine(Date.now() - 60_000)
    await page.getByText("Nothing yet. Replies show up here as they run").waitFor()
    stage.one.replies.recent = [
      {
        ...reply({ responseId: "resp_0", acceptedAt: Date.now() - 9_000, firstDeltaAt: Date.now() - 8_600 }),
        endedAt: Date.now() - 5_000,
        failure: { code: "SDK_ERROR", message: "The model answered 429." }
      }
    ]
    stage.one.replies.inFlight = [reply()]
    const row = page.getByRole("row", { name: /writing/ })
    await row.waitFor()
    stage.one.replies.inFlight = [reply({ characters: 512 })]
    await row.getByText("512").waitFor()
    await page.getByText("The agent failed on this message. The model answered 429.").waitFor()
    await row.getByRole("button", { name: /^Stop the reply/ }).click()
    await page.getByRole("cell", { name: "Stopped.", exact: true }).waitFor()
    assert.deepStrictEqual(stage.one.replies.inFlight, [])
    await close()
  })

  it("shows the settings in force, where they come from, and no secret", async () => {
    const { close, page } = await stage.window()
    await page.getByRole("row", { name: /MAX_CONCURRENT_REQUESTS.*4.*\.env file/ }).waitFor()
    await page.getByRole("row", { name: /OPENAI_API_KEY.*set, not shown.*environment/ }).waitFor()
    assert.strictEqual(await page.getByText("CLAWFIBER_TOKEN").count(), 0)
    await page.getByRole("checkbox", { name: "Only what is not the default" }).uncheck()
    await page.getByRole("row", { name: /CLAWFIBER_TOKEN.*not set.*default/ }).waitFor()
    await close()
  })
})

describe.skipIf(missing !== undefined)("the operator's place with several accounts", () => {
  let stage: OperatorStage
  beforeAll(async () => {
    stage = await setOperatorStage(["default", "ada"])
  })
  afterAll(() => stage.close())

  it("switches between them, and each has its own", async () => {
    const { close, page } = await stage.window()
    const second = stage.accounts[1] ?? assert.fail()
    Effect.runSync(second.goOnLine({ ...scripted.profileOf(scripted.proposal), name: "Ada" }, Date.now()))
    second.replies.inFlight = [reply()]
    await page.getByText("The agent has no identity yet.").waitFor()
    await page.getByRole("combobox", { name: "Account" }).selectOption({ label: "ada: Ada" })
    await page.getByText("on the line for").waitFor()
    await page.getByRole("row", { name: /writing/ }).waitFor()
    // The form begins with the whole proposal, its picture too.
    const avatar = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    stage.set(pending("p", { ...scripted.proposal, avatar }))
    await page.getByRole("combobox", { name: "Account" }).selectOption("default")
    await page.getByRole("button", { name: "Confirm and register" }).waitFor()
    await page.getByText(/^A picture of .* travels with the profile\.$/).waitFor()
    await close()
  })
})
