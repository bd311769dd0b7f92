/** A person's own agents on the page: a token, the agent that registers with it, its profile, its keys, off and on. */
import { mkdir } from "node:fs/promises"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { WebSocket } from "ws"
import { checkBarriers } from "./barriers.ts"
import { missing } from "./chromium.ts"
import type { Stage } from "./stage.ts"
import { setStage } from "./stage.ts"

type Keys = Readonly<Record<string, string>>

/** Where pictures of it go, for whoever wants to look: CLAWFIBER_SHOTS. */
const shots = process.env["CLAWFIBER_SHOTS"]

describe.skipIf(missing !== undefined)("my agents", () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await setStage()
    if (shots !== undefined) await mkdir(shots, { recursive: true })
  })
  afterAll(() => stage.close())

  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(stage.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body)
    })
    const answer = (await response.json()) as { readonly data: Keys; readonly code: number }
    return { status: response.status, ...answer }
  }

  /** An agent that is somebody's without the page. */
  const owned = async (person: string, profile: object): Promise<Keys> => {
    const { data } = await post("/api/sign-in", { name: person })
    const made = await post("/profiles/create", profile, { authorization: `Bearer ${data["token"]}` })
    return made.data
  }

  /** On the line, or the code of the refusal. */
  const dial = (keys: Keys) =>
    new Promise<WebSocket | number>((resolve, reject) => {
      const ws = new WebSocket(`${stage.url.replace("http", "ws")}/ws/chat`, {
        headers: { "x-app-key": keys["app_key"] ?? "", "x-app-secret": keys["app_secret"] ?? "" }
      })
      ws.on("open", () => resolve(ws))
      ws.on("error", reject)
      ws.on("unexpected-response", (_, response) => {
        let body = ""
        response.on("data", (chunk) => (body += String(chunk)))
        response.on("end", () => resolve(JSON.parse(body).code))
      })
    })

  const line = async (keys: Keys): Promise<WebSocket> => {
    const ws = await dial(keys)
    if (typeof ws === "number") throw new Error(`refused with ${ws}`)
    return ws
  }

  const signIn = async (page: Page, name: string, words = { account: /^Account of/, mine: "My agents" }) => {
    await page.getByRole("textbox").fill(name)
    await page.keyboard.press("Enter")
    await page.getByRole("button", { name: words.account }).click()
    await page.getByRole("menuitem", { name: words.mine }).click()
    await page.getByRole("dialog").waitFor()
  }

  const check = async (page: Page, where: string) => {
    if (shots !== undefined) await page.screenshot({ path: `${shots}/${where.replaceAll(/\W+/g, "-")}.png` })
    await checkBarriers(page, where)
    const sideways = await page.evaluate(() => {
      const body = document.querySelector("[role=dialog]") ?? document.documentElement
      return body.scrollWidth - body.clientWidth
    })
    assert.strictEqual(sideways, 0, where)
  }

  const back = (page: Page) => page.getByRole("button", { name: "Back to my agents" }).click()

  it("shows a token once, and the agent that registers with it", async () => {
    const { close, page } = await stage.window()
    await signIn(page, "Ann")
    await page.getByText("You have no agent here yet.").waitFor()
    await page.getByRole("button", { name: "Add an agent" }).click()
    await page.getByRole("button", { name: "Make a token" }).click()
    const field = page.getByRole("textbox", { name: "The token" })
    await field.waitFor()
    const token = await field.inputValue()
    assert.match(token, /^cact_/)
    await page.getByText(`clawfiber register --url ${stage.page} --token ${token}`).waitFor()
    await page.getByText(/Nobody has used it yet\. Good for another 1[45]:\d\d\./).waitFor()
    await check(page, "token")
    const made = await post("/profiles/create", { name: "Ada" }, { authorization: `Bearer ${token}` })
    assert.strictEqual(made.status, 200)
    await page.getByText("Ada is registered, and yours.").waitFor()
    assert.strictEqual(await page.getByText(token).count(), 0)
    await back(page)
    await page.getByText("has not connected yet").waitFor()
    const ws = await line(made.data)
    await page
      .getByText(/^on the line since/)
      .first()
      .waitFor()
    await check(page, "list")
    ws.terminate()
    await close()
  })

  it("withdraws a token that still waits", async () => {
    const { close, page } = await stage.window()
    await signIn(page, "Wim")
    await page.getByRole("button", { name: "Add an agent" }).click()
    await page.getByRole("button", { name: "Make a token" }).click()
    const token = await page.getByRole("textbox", { name: "The token" }).inputValue()
    await back(page)
    await page.getByRole("button", { name: "Add an agent" }).click()
    assert.strictEqual(await page.getByText(token).count(), 0)
    await check(page, "waiting tokens")
    await page.getByRole("button", { name: /^Withdraw the token cact_/ }).click()
    await page.getByText("Tokens that still wait").waitFor({ state: "detached" })
    const late = await post("/profiles/create", { name: "Late" }, { authorization: `Bearer ${token}` })
    assert.deepStrictEqual([late.status, late.code], [401, 40110])
    await close()
  })

  it("edits the profile: what is wrong stands at its field, and nothing is half changed", async () => {
    await owned("Eve", { name: "Edda", description: "Old words.", scene_tags: ["07001", "99999"] })
    const { close, page } = await stage.window()
    await signIn(page, "Eve")
    await page.getByRole("button", { name: "Edit: Edda" }).click()
    const name = page.getByRole("textbox", { name: "Name" })
    await name.fill(" ")
    await page.getByRole("textbox", { name: "Hourly rate" }).fill("much")
    await page.getByRole("button", { name: "Save" }).click()
    await page.getByText("An agent needs a name.").waitFor()
    await page.getByText("This is not a number of 0 or more.").waitFor()
    await page.getByText("Nothing was changed: look at what is marked.").waitFor()
    assert.strictEqual(await name.evaluate((element) => element === document.activeElement), true)
    await check(page, "edit with faults")
    await name.fill("Edda the Second")
    await page.getByRole("textbox", { name: "Hourly rate" }).fill("12.5")
    await page.getByRole("textbox", { name: "Description" }).fill("New words.")
    await page.getByRole("button", { name: "Save" }).click()
    await page.getByRole("button", { name: "Edit: Edda the Second" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    // Who chats sees it at once, and the scene by its name.
    await page.getByRole("link", { name: "Edda the Second" }).click()
    await page.locator(".tag", { hasText: /^Text$/ }).waitFor()
    await page.locator(".tag", { hasText: /^99999$/ }).waitFor()
    await page.getByRole("button", { name: "中文" }).click()
    await page.locator(".tag", { hasText: /^文本写作$/ }).waitFor()
    await page.getByRole("button", { name: "English" }).click()
    await close(/400 \(Bad Request\)/)
  })

  it("gives a new secret, with grace or without", async () => {
    const keys = await owned("Rob", { name: "Rosa" })
    const ws = await line(keys)
    const closed = new Promise<number>((resolve) => ws.on("close", resolve))
    const { close, page } = await stage.window()
    await signIn(page, "Rob")
    const renew = async (grace: RegExp) => {
      await page.getByRole("button", { name: "More about Rosa" }).click()
      await page.getByRole("menuitem", { name: "New secret" }).click()
      await page.getByRole("radio", { name: grace }).check()
      await check(page, "new secret")
      await page.getByRole("button", { name: "Make a new secret" }).click()
      const field = page.getByRole("textbox", { name: "The new secret" })
      await field.waitFor()
      const app_secret = await field.inputValue()
      await page.getByRole("button", { name: "Done" }).click()
      await page.getByRole("button", { name: "More about Rosa" }).waitFor()
      return { ...keys, app_secret }
    }
    const second = await renew(/another hour/)
    assert.strictEqual(ws.readyState, WebSocket.OPEN)
    ;(await line(second)).terminate()
    const third = await renew(/ends at once/)
    assert.oneOf(await closed, [1008, 4001])
    assert.strictEqual(await dial(keys), 40100)
    ;(await line(third)).terminate()
    await close()
  })

  it("switches off and on, ends the keys and brings back, each said before it is done", async () => {
    const keys = await owned("Olga", { name: "Otto" })
    const ws = await line(keys)
    const closed = new Promise<number>((resolve) => ws.on("close", resolve))
    const { close, page } = await stage.window()
    await signIn(page, "Olga")
    const choose = async (item: string) => {
      await page.getByRole("button", { name: "More about Otto" }).click()
      await page.getByRole("menuitem", { name: item }).click()
    }
    await choose("Switch off")
    await check(page, "switch off")
    await page.getByRole("button", { name: "Cancel" }).click()
    assert.strictEqual(ws.readyState, WebSocket.OPEN)
    await choose("Switch off")
    await page.getByRole("button", { name: "Switch off", exact: true }).click()
    await page.getByText("switched off by you").waitFor()
    assert.strictEqual(await closed, 4003)
    assert.strictEqual(await dial(keys), 40102)
    await choose("Switch on")
    await page.getByText("switched off by you").waitFor({ state: "detached" })
    ;(await line(keys)).terminate()
    await choose("End its keys")
    await check(page, "end keys")
    await page.getByRole("button", { name: "End its keys", exact: true }).click()
    await page.getByText("its keys have ended").waitFor()
    assert.strictEqual(await dial(keys), 40100)
    await choose("New secret")
    await page.getByText("A new secret brings it back.").waitFor()
    await page.getByRole("button", { name: "Make a new secret" }).click()
    const app_secret = await page.getByRole("textbox", { name: "The new secret" }).inputValue()
    ;(await line({ ...keys, app_secret })).terminate()
    await page.getByRole("button", { name: "Done" }).click()
    await close()
  })

  it("is worked by the keyboard alone", async () => {
    const keys = await owned("Kay", { name: "Kit" })
    const { close, page } = await stage.window()
    await page.getByRole("textbox").fill("Kay")
    await page.keyboard.press("Enter")
    const account = page.getByRole("button", { name: /^Account of/ })
    await account.focus()
    await page.keyboard.press("Enter")
    await page.waitForFunction(() => document.activeElement?.textContent === "My agents")
    await page.keyboard.press("Enter")
    await page.getByRole("dialog").waitFor()
    const more = page.getByRole("button", { name: "More about Kit" })
    await more.focus()
    await page.keyboard.press("Enter")
    await page.waitForFunction(() => document.activeElement?.textContent === "New secret")
    await page.keyboard.press("ArrowDown")
    await page.waitForFunction(() => document.activeElement?.textContent === "Switch off")
    await page.keyboard.press("Enter")
    // Its heading has the focus: what comes next by Tab is what it is about.
    await page.waitForFunction(() => document.activeElement?.textContent === "Switch Kit off?")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.getByText("switched off by you").waitFor()
    assert.strictEqual(await dial(keys), 40102)
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })
    await close()
  })

  for (const colorScheme of ["light", "dark"] as const) {
    it(`has no barrier on a narrow screen, ${colorScheme}, in Chinese`, async () => {
      await owned(`窄${colorScheme}`, { name: "一个名字非常非常长的智能体，用来看看它放不放得下", hourly_rate: 3 })
      const { close, page } = await stage.window({
        colorScheme,
        viewport: { width: 390, height: 780 },
        locale: "zh-CN"
      })
      await signIn(page, `窄${colorScheme}`, { account: /的账户$/, mine: "我的智能体" })
      await page.getByRole("button", { name: /的更多操作$/ }).waitFor()
      await check(page, `narrow list ${colorScheme}`)
      await page.getByRole("button", { name: /^编辑/ }).click()
      await page.getByRole("textbox", { name: "名称" }).fill("")
      await page.getByRole("button", { name: "保存" }).click()
      await page.getByText("智能体需要一个名称。").waitFor()
      await check(page, `narrow edit ${colorScheme}`)
      await page.getByRole("button", { name: "返回我的智能体" }).click()
      await page.getByRole("button", { name: "添加智能体" }).click()
      await page.getByRole("button", { name: "生成令牌" }).click()
      await page.getByRole("textbox", { name: "令牌" }).waitFor()
      await check(page, `narrow token ${colorScheme}`)
      await close(/400 \(Bad Request\)/)
    })
  }
})
