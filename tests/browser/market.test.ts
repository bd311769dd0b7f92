/**
 * Paid work from a person's page to their points, with the real programs of `clawfiber up`: a task is posted, the agent
 * asks its operator, does it and hands it in; it is looked at, downloaded, accepted, or sent back with a reason.
 */
import { readFile } from "node:fs/promises"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { missing } from "./chromium.ts"
import { field, press, setUp, type UpStage } from "./up.ts"

describe.skipIf(missing !== undefined)("the market, from a posted task to the points", () => {
  let stage: UpStage
  let url: string
  let operator: string

  beforeAll(async () => {
    stage = await setUp()
    url = stage.url
    operator = stage.operator
  })
  afterAll(() => stage.close())

  const market = (name: string) => stage.at("Market", name)

  const points = (page: Page, value: string) =>
    page.getByRole("link", { name: `${value} points. See what moved them` }).waitFor()

  const fill = async (
    page: Page,
    task: { readonly title: string; readonly description: string; readonly bounty: string }
  ) => {
    await page.getByRole("link", { name: "Post a task" }).click()
    await field(page, "Title").fill(task.title)
    await field(page, "Description").fill(task.description)
    await page.getByRole("combobox", { name: "Category" }).selectOption("07001")
    await field(page, "Bounty").fill(task.bounty)
  }

  const post = async (page: Page, task: Parameters<typeof fill>[1]) => {
    await fill(page, task)
    await press(page, "Post it")
    await page.getByRole("heading", { level: 2, name: task.title }).waitFor()
  }

  const call = (method: string, params: object = {}) =>
    fetch(`${url}/control/call`, {
      method: "POST",
      headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
      body: JSON.stringify({ method, params })
    })

  /** What the operator says, to the question that the agent has about this task. */
  const say = async (title: string, take: boolean) => {
    interface Asked {
      readonly accounts: ReadonlyArray<{
        readonly jobs: ReadonlyArray<{ readonly task_id: string; readonly title: string; readonly question: unknown }>
      }>
    }
    for (;;) {
      const answer = await fetch(`${url}/control/snapshot`, { headers: { authorization: `Bearer ${operator}` } })
      const { accounts } = (await answer.json()) as Asked
      const asked = accounts[0]?.jobs.find((job) => job.title === title && job.question !== null)
      if (asked !== undefined) return call("instaclaw.work.answer", { task_id: asked.task_id, take })
      await call("instaclaw.work.look")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it("says at the field what is wrong, uploads files, and posts; the agent asks, does it; it is looked at and paid", async () => {
    const { close, page } = await market("Ann")
    await page.getByText("You have posted no task yet.").waitFor()
    await points(page, "1,000")
    await page.getByRole("link", { name: "Post a task" }).click()
    await press(page, "Post it")
    await page.getByText("Nothing has been sent: look at what is marked.").waitFor()
    for (const words of ["A task needs a title.", "Choose a category.", "This is no number of points."]) {
      await page.getByText(words).waitFor()
    }
    assert.strictEqual(await page.evaluate(() => document.activeElement?.getAttribute("data-field")), "title")
    await fill(page, { title: "Count the words", description: "Count the words of the file.", bounty: "1000.01" })
    await page.locator('input[type="datetime-local"]').fill("2020-01-01T10:00")
    await page.locator('input[type="file"]').setInputFiles([
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("one two three\n") },
      { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.from("") }
    ])
    await page.getByText("empty.txt is empty. It was not added.").waitFor()
    await press(page, "Post it")
    await page.getByText("You have not so many points. Offer a smaller bounty.").waitFor()
    await page.getByText("This has passed already.").waitFor()
    await page.locator('input[type="datetime-local"]').fill("")
    await field(page, "Bounty").fill("12,5")
    await page.getByRole("button", { name: "Remove notes.txt" }).waitFor()
    await press(page, "Post it")
    await page.getByRole("heading", { level: 2, name: "Count the words" }).waitFor()
    await points(page, "987.5")

    await press(page, "Change")
    await field(page, "Bounty").fill("20")
    await press(page, "Save the changes")
    await points(page, "980")

    await page.getByRole("link", { name: "To your agent" }).click()
    await field(page, "Link or token").fill(operator)
    await page.keyboard.press("Enter")
    const question = page.getByRole("listitem").filter({ hasText: "Shall it take this task?" })
    // It may have asked before the bounty was changed.
    await press(page, "Look now")
    await question.getByText("20 points · Text · deadline: none").waitFor()
    await question.getByText("Files: notes.txt (14 B)").waitFor()
    await page.getByRole("button", { name: "Take it: Count the words", exact: true }).click()
    await page.getByText("handed in, waits to be looked at").waitFor()
    await page.locator("summary", { hasText: "What it did" }).click()
    await page.getByText("reads input/notes.txt").waitFor()
    await page.getByText("writes output/notes-count.md").waitFor()

    await page.getByRole("link", { name: "Market", exact: true }).click()
    await page.getByRole("link", { name: /Count the words/ }).click()
    await page.getByText("Handed in by Claw").waitFor()
    // Looked at in place: Markdown as such.
    const preview = page.getByRole("group", { name: "Preview of notes-count.md" })
    await preview.getByRole("row", { name: "Words 3", exact: true }).waitFor()
    const saved = page.waitForEvent("download")
    await page.getByRole("button", { name: /^Download delivery_.*\.zip$/ }).click()
    const file = await saved
    assert.match(file.suggestedFilename(), /^delivery_.*\.zip$/)
    const bytes = await readFile(await file.path())
    assert.strictEqual(bytes.subarray(0, 2).toString(), "PK")
    await press(page, "Accept and pay 20 points")
    await page.getByText("Accepted. 20 points were paid.").waitFor()
    await page.getByText("accepted and paid").first().waitFor()
    await page.getByRole("link", { name: /See what moved them$/ }).click()
    await page.getByText("You have 980 points").waitFor()
    const rows = await page.locator(".ledger tbody tr").allInnerTexts()
    assert.lengthOf(rows, 3)
    await page.getByRole("link", { name: "Agent", exact: true }).click()
    await press(page, "Look now")
    await page.getByText("handed in and accepted, 20 points").waitFor()
    await close()
  })

  it("sends back with a reason, and the agent hands in again", async () => {
    const { close, page } = await market("Ben")
    await post(page, {
      title: "Clean this up",
      description: "Clean up the text.\n\nText:\nmuch   space  \n",
      bounty: "5"
    })
    await say("Clean this up", true)
    await press(page, "Send it back")
    await page.locator(".review form").getByRole("button", { name: "Send it back" }).click()
    await page.getByText("Say what is missing or wrong: the agent has nothing else to go by.").waitFor()
    await page.getByRole("textbox", { name: "What is missing or wrong" }).fill("Once more, please.")
    await page.locator(".review form").getByRole("button", { name: "Send it back" }).click()
    await page.getByText("Sent back. The agent has it again, with your reason.").waitFor()
    await call("instaclaw.work.look")
    await page.getByRole("button", { name: "Accept and pay 5 points" }).waitFor()
    await page.locator(".result summary", { hasText: "From an earlier hand-in" }).waitFor()
    await press(page, "Accept and pay 5 points")
    await page.getByText("Accepted. 5 points were paid.").waitFor()
    await points(page, "995")
    await close()
  })

  it("is told that an agent has grabbed the task while it is changed", async () => {
    const { close, page } = await market("Cleo")
    await post(page, { title: "Count these", description: "Count the words.\n\nText:\na b", bounty: "3" })
    await press(page, "Change")
    await field(page, "Bounty").fill("4")
    await say("Count these", true)
    await page.getByText("An agent has grabbed this task while you wrote").waitFor()
    assert.isTrue(await page.getByRole("button", { name: "Save the changes" }).isDisabled())
    assert.strictEqual(await field(page, "Bounty").inputValue(), "4")
    await press(page, "Cancel")
    await page.getByText("Accept and pay 3 points").waitFor()
    await close()
  })

  it("takes a task off the market, and the bounty comes back; the list shows it by its state", async () => {
    const { close, page } = await market("Dora")
    await post(page, { title: "Never mind", description: "Paint a horse.", bounty: "100" })
    await points(page, "900")
    await press(page, "Take off the market")
    await page.getByText("No agent can grab it any more, and its bounty of 100 points is yours again.").waitFor()
    await page.getByRole("dialog").getByRole("button", { name: "Take off the market" }).click()
    await page.getByText("The task is off the market, and its bounty is yours again.").waitFor()
    await points(page, "1,000")
    await page.getByRole("combobox", { name: "Show" }).selectOption("available")
    await page.getByText("No task of yours is in this state.").waitFor()
    await page.getByRole("combobox", { name: "Show" }).selectOption("cancelled")
    await page.getByRole("link", { name: /Never mind/ }).waitFor()
    await close()
  })
})
