/** The market in every state that a person sees: without barriers, within its window, safe against what is handed in. */
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { good } from "../layers/platform/market/zips.ts"
import { check, shoot } from "./barriers.ts"
import { missing } from "./chromium.ts"
import type { Stage } from "./stage.ts"
import { setStage, signIn } from "./stage.ts"

/** A picture of two pixels. */
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
  "base64"
)

const words = {
  "en-GB": { market: "Market", choose: /Choose a task on the left/, post: "Post it", faults: /Nothing has been sent/ },
  "zh-CN": { market: "市场", choose: /在左侧选择/, post: "发布", faults: /尚未发送任何内容：/ }
} as const

describe.skipIf(missing !== undefined)("the look of the market", () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await setStage()
    // Whoever signs in comes to a chat first, and that needs somebody to chat with.
    await prepare("Somebody")
  })
  afterAll(() => stage.close())

  type Data = Readonly<Record<string, string>>

  const ask = async (method: string, path: string, headers: Data, body?: object): Promise<Data> => {
    const isForm = body instanceof FormData
    const response = await fetch(stage.url + path, {
      method,
      headers: { ...headers, ...(body === undefined || isForm ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) })
    })
    const { code, data } = (await response.json()) as { readonly code: number; readonly data: Data }
    assert.strictEqual(code, 0, `${method} ${path}`)
    return data
  }

  const form = (
    fields: Readonly<Record<string, string | readonly [name: string, type: string, bytes: Uint8Array]>>
  ) => {
    const made = new FormData()
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === "string") made.set(name, value)
      else made.set(name, new Blob([Buffer.from(value[2])], { type: value[1] }), value[0])
    }
    return made
  }

  /** Tasks of this person in every state, done by an agent of theirs. */
  const prepare = async (person: string) => {
    const { token = "" } = await ask("POST", "/api/sign-in", {}, { name: person })
    const own = { authorization: `Bearer ${token}` }
    const agent = await ask("POST", "/profiles/create", own, {
      name: "文案助手",
      description: "",
      avatar: "",
      scene_tags: [],
      custom_tags: [],
      hourly_rate: 0,
      instance_type: 0
    })
    const keys = { "x-api-key": agent["app_key"] ?? "", "x-api-secret": agent["app_secret"] ?? "" }
    const post = async (title: string, more: object = {}) =>
      (
        await ask("POST", "/api/tasks", own, {
          title,
          description: "Do it.",
          category: "07001",
          bounty: "12.5",
          ...more
        })
      )["id"] ?? ""
    const grab = (id: string) => ask("POST", `/bots/tasks/${id}/grab`, keys)
    const upload = (id: string, name: string, type: string, text: string | Uint8Array) =>
      ask("POST", "/artifact/upload-and-bind", keys, form({ task_id: id, file: [name, type, Buffer.from(text)] }))
    const deliver = (id: string, said: string) =>
      ask(
        "POST",
        `/bots/tasks/${id}/deliverable`,
        keys,
        form({ result_description: said, zip_file: ["delivery.zip", "application/zip", good] })
      )
    const open = await post("把三份周会纪要合成一份，按项目分段，待办单独列出，谁在哪天之前做什么都要写清楚", {
      deadline: Date.now() + 86_400_000
    })
    const held = await post("Sum up the sales of the last quarter, table by table")
    await grab(held)
    const done = await post("Clean up a letter", { bounty: "100" })
    await grab(done)
    await deliver(done, "Cleaned up.")
    await ask("POST", `/api/tasks/${done}/accept`, own)
    const review = await post("Count the words of three reports", {
      description: "Count the words.\nA long address: https://example.com/" + "x".repeat(120)
    })
    await grab(review)
    await upload(review, "table.csv", "text/csv", 'name,said\nAnn,"a, b"\nBob,<b>bold</b>\n')
    await upload(review, "picture.png", "image/png", png)
    await upload(review, "page.html", "text/html", "<script>document.title = 'run'</script>")
    await upload(
      review,
      "counts.md",
      "text/markdown",
      "# Counts\n\n| Words | 3 |\n|---|---|\n| Lines | 1 |\n\n<script>document.title = 'run'</script>\n\n![x](https://example.com/x.png)\n"
    )
    await deliver(review, "Counted; the numbers are in **counts.md**.")
    return { open, held, done, review, grab }
  }

  for (const [locale, viewport, colorScheme] of [
    ["en-GB", { width: 1320, height: 860 }, "light"],
    ["zh-CN", { width: 380, height: 780 }, "dark"]
  ] as const) {
    it(`has no barrier: ${locale}, ${viewport.width}, ${colorScheme}`, async () => {
      const said = words[locale]
      const person = `Poster ${locale}`
      const { close, page } = await stage.window({ locale, viewport, colorScheme })
      const see = async (name: string) => {
        await check(page, name)
        await shoot(page, viewport, `market-${name}-${locale}`)
      }
      const go = (route: string) => page.evaluate((hash) => void (window.location.hash = hash), `#/market${route}`)
      await signIn(page, person)
      await page.getByRole("link", { name: said.market, exact: true }).click()
      await page.locator(".market-column .hint").waitFor()
      await see("empty")
      await go("/new")
      await page.getByRole("button", { name: said.post }).click()
      await page.getByText(said.faults).last().waitFor()
      await see("faults")
      const { held, open, review } = await prepare(person)
      await go("")
      await page.locator(".market-row").nth(3).waitFor()
      await see("list")
      await go(`/task/${open}`)
      await page.locator(".way-next").first().waitFor()
      await see("open")
      await go(`/task/${held}`)
      await page.getByText("文案助手").first().waitFor()
      await see("held")
      await go(`/task/${review}`)
      await page.locator(".preview").first().waitFor()
      const shut = page.locator('.result > .file-list .quiet[aria-expanded="false"]')
      while ((await shut.count()) > 0) await shut.first().click()
      await page.locator(".preview-table").waitFor()
      const picture = page.locator(".preview img")
      await picture.waitFor()
      assert.strictEqual(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth), 2)
      assert.strictEqual(await page.locator(".preview-table td").last().innerText(), "<b>bold</b>")
      await page.locator(".review .mantine-Button-root").last().click()
      await see("review")
      // Law confined: what an agent hands in is looked at, and never run or fetched for.
      assert.notStrictEqual(await page.title(), "run")
      await go("/points")
      await page.locator(".ledger tbody tr").nth(4).waitFor()
      await see("points")
      await close()
    })
  }

  for (const width of [390, 1280]) {
    it(`says what the platform refuses in the page's language: ${width}`, async () => {
      const person = `拒绝${width}`
      const viewport = { width, height: 780 }
      const { grab, open } = await prepare(person)
      const { close, page } = await stage.window({ locale: "zh-CN", viewport })
      await signIn(page, person)
      await page.evaluate((id) => void (window.location.hash = `#/market/task/${id}`), open)
      await page.getByRole("button", { name: "下架" }).click()
      const dialog = page.getByRole("dialog")
      const go = dialog.getByRole("button", { name: "下架" })
      // What is not in its tables comes behind the words of its code.
      await page.route(/\/api\/tasks\//, (route) =>
        route.request().method() === "DELETE"
          ? route.fulfill({ status: 409, json: { code: 40900, message: "It is <b>new</b> here.", data: null } })
          : route.fallback()
      )
      await go.click()
      await dialog.getByText("未能完成：情况已有变化，请重新查看。 It is <b>new</b> here.").waitFor()
      await page.unroute(/\/api\/tasks\//)
      await grab(open)
      await go.click()
      await dialog.getByText("未能完成：任务现在不能下架：已有智能体接取。").waitFor()
      await check(page, `refusal ${width}`)
      await shoot(page, viewport, `market-refusal-${width}`)
      await close(/409 \(Conflict\)/)
    })
  }

  it("is worked with the keyboard alone: to the task, its file, the reason for sending it back", async () => {
    const { close, page } = await stage.window()
    const { review } = await prepare("Keys")
    await signIn(page, "Keys")
    await page.getByRole("link", { name: "Market", exact: true }).focus()
    await page.keyboard.press("Enter")
    const row = page.getByRole("link", { name: /Count the words/ })
    await row.waitFor()
    for (let steps = 0; steps < 30; steps++) {
      await page.keyboard.press("Tab")
      if (await row.evaluate((each) => each === document.activeElement)) break
    }
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: "Send it back" }).focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("The tables are missing.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.getByText("Sent back. The agent has it again, with your reason.").waitFor()
    await page.getByText("The tables are missing.").waitFor()
    assert.isTrue(page.url().endsWith(review))
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "task-title")
    await close()
  })

  it("keeps what is there while the platform is away, says so, and goes on by itself", async () => {
    const { close, page } = await stage.window()
    const { open } = await prepare("Patience")
    await signIn(page, "Patience")
    await page.evaluate((id) => void (window.location.hash = `#/market/task/${id}`), open)
    await page.getByRole("button", { name: "Change", exact: true }).waitFor()
    stage.cut()
    await page
      .getByText(/^What you see may be old/)
      .first()
      .waitFor()
    await page.getByRole("button", { name: "Take off the market" }).click()
    await page.getByRole("dialog").getByRole("button", { name: "Take off the market" }).click()
    await page.getByText(/^It was not done/).waitFor()
    stage.mend()
    await page.getByRole("dialog").getByRole("button", { name: "Take off the market" }).click()
    await page.getByText("The task is off the market, and its bounty is yours again.").waitFor()
    await close(/ERR_|WebSocket/)
  })
})
