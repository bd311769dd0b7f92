/** How the worlds look: no barrier found by axe, nothing wider than the window, in both languages, widths and colours. */
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { WebSocket } from "ws"
import { checkBarriers, shoot } from "./barriers.ts"
import { missing } from "./chromium.ts"
import type { Stage } from "./stage.ts"
import { setStage } from "./stage.ts"

interface Made {
  readonly agentId: string
  readonly appToken: string
}
interface Frame {
  readonly event: string
  readonly data: {
    readonly deliveryId?: string
    readonly sessionKey?: string
    readonly metadata?: { readonly allowReply: boolean }
  }
}

const hostile =
  "I like **maps**.\n\n<script>document.title = 'run'</script>\n\n![x](https://example.com/x.png)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAddress: https://example.com/" +
  "x".repeat(120)

describe.skipIf(missing !== undefined)("the look of the worlds", () => {
  let stage: Stage
  const sockets: Array<WebSocket> = []
  beforeAll(async () => {
    stage = await setStage()
  })
  afterAll(async () => {
    for (const socket of sockets) socket.terminate()
    await stage.close()
  })

  const call = async (token: string, method: string, path: string, body?: object) => {
    const answer = await fetch(stage.url + path, {
      method,
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    assert.isBelow(answer.status, 300, `${method} ${path}`)
    return (await answer.json()) as Readonly<Record<string, unknown>>
  }
  const personOf = async (name: string): Promise<string> => {
    const { data } = await call("", "POST", "/api/sign-in", { name })
    return (data as { readonly token: string }).token
  }

  /** Online, and says what it is given, one after the other; then nothing. */
  const live = (agent: Made, words: ReadonlyArray<string>) =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(`${stage.url.replace("http", "ws")}/ws`)
      const left = [...words]
      sockets.push(socket)
      socket.on("open", () =>
        socket.send(
          JSON.stringify({
            type: "auth",
            agentId: agent.agentId,
            credential: { type: "agent_token", token: agent.appToken },
            clientVersion: "test",
            bridgeProtocol: "claworld.delivery_reply.v1"
          })
        )
      )
      socket.on("message", (data) => {
        const { data: said, event } = JSON.parse(String(data)) as Frame
        if (event === "auth.ok") resolve()
        const text = event === "delivery" && said.metadata?.allowReply === true ? left.shift() : undefined
        if (text === undefined) return
        const { deliveryId, sessionKey } = said
        socket.send(JSON.stringify({ type: "reply", deliveryId, sessionKey, payload: { text, source: "test" } }))
      })
      socket.on("error", reject)
    })

  /** An agent of this person's among others, asked by one, in a talk with another. */
  const prepare = async (person: string) => {
    const token = await personOf(person)
    const make = async (
      name: string,
      own: string,
      headline: string,
      interests: string,
      words: ReadonlyArray<string>
    ) => {
      const agent = (await call(own, "POST", "/v1/onboarding/activate", { displayName: name })) as unknown as Made
      await live(agent, words)
      await call(agent.appToken, "POST", "/v1/worlds/dating-demo-world/join", {
        agentId: agent.agentId,
        profileSnapshot: { headline, intent: "Somebody to hike with", location: "Shanghai", interests }
      })
      return agent
    }
    const others = await personOf(`${person} 2`)
    const mine = await make("林夏", token, "喜欢徒步和摄影的翻译", "徒步, maps", [
      "你好，我喜欢老铁路。",
      "下次再说。\n[[request_conversation_end]]"
    ])
    const ada = await make("Ada", others, "Runner with a weakness for old railway maps", "maps, trains", [hostile])
    const bo = await make(`Bo ${"long name ".repeat(6)}`, others, "B".repeat(110), "maps", [])
    const ask = async (one: Made, other: Made, openingMessage: string) =>
      (
        (await call(one.appToken, "POST", "/v1/chat-requests", {
          agentId: one.agentId,
          targetAgentId: other.agentId,
          worldId: "dating-demo-world",
          openingMessage
        })) as unknown as { readonly chatRequest: { readonly chatRequestId: string } }
      ).chatRequest.chatRequestId
    const talk = await ask(mine, ada, "聊聊老铁路")
    await call(ada.appToken, "POST", `/v1/chat-requests/${talk}/accept`, {})
    await ask(bo, mine, "Would you show me\nthe hills? <b>Please</b>")
    const world = await call(token, "POST", "/v1/worlds", {
      agentId: mine.agentId,
      displayName: `夜猫子 Night owls ${person}`,
      summary: "For those who are awake.",
      entryProfileSchema: {
        fields: [
          { fieldId: "about", label: "About", type: "long_text", required: true, examples: ["I bake at night"] },
          { fieldId: "hours", label: "Hours of sleep", type: "number", constraints: { minimum: 0, maximum: 12 } },
          { fieldId: "day", label: "Best day", type: "choice", constraints: { choices: ["Mon", "Tue"] } },
          { fieldId: "likes", label: "Likes", type: "tags", constraints: { choices: ["tea", "maps"] } },
          { fieldId: "quiet", label: "Quiet?", type: "boolean", required: true }
        ]
      }
    })
    return { mine, talk, world: String(world["worldId"]) }
  }

  const check = async (page: Page, where: string) => {
    await checkBarriers(page, where)
    const wide = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll(".market-main, .market-column, .worlds-words, .rail")]
        .filter((each) => each.scrollWidth > each.clientWidth)
        .map((each) => each.className)
    )
    assert.deepStrictEqual(wide, [], `${where} is wider than the window`)
  }

  for (const [locale, viewport, colorScheme] of [
    ["en-GB", { width: 1320, height: 860 }, "light"],
    ["zh-CN", { width: 380, height: 780 }, "dark"]
  ] as const) {
    it(`has no barrier: ${locale}, ${viewport.width}, ${colorScheme}`, async () => {
      const person = `Looker ${locale}`
      const { close, page } = await stage.window({ locale, viewport, colorScheme })
      const see = async (name: string) => {
        await check(page, name)
        await shoot(page, viewport, `worlds-${name}-${locale}`)
      }
      const go = (route: string) => page.evaluate((hash) => void (window.location.hash = hash), `#/worlds${route}`)
      await page.getByRole("textbox").fill(person)
      await page.keyboard.press("Enter")
      await page.locator(".rail-person").waitFor()
      await go("")
      await page.locator(".worlds-list").waitFor()
      await see("empty")
      await go("/agents")
      await page.locator('[data-field="displayName"]').waitFor()
      await page.locator("form button[type=submit]").click()
      await page.locator('[aria-invalid="true"]').waitFor()
      await see("agents")
      const { mine, talk, world } = await prepare(person)
      await page.reload()
      await go("")
      await page.locator(".worlds-talk-row").waitFor()
      await see("list")
      await go("/world/dating-demo-world")
      await page.locator(".worlds-score").nth(0).waitFor()
      await page.locator(".worlds-person-head .quiet[aria-expanded]").first().click()
      await page.locator(".worlds-ask").waitFor()
      await page.locator(".worlds-presence").nth(2).waitFor()
      await see("world")
      await go(`/world/${world}/join`)
      await page.locator('[data-field="quiet"]').waitFor()
      await page.locator('[data-field="hours"]').fill("20")
      await page.locator("form button[type=submit]").click()
      await page.locator('[aria-invalid="true"]').nth(2).waitFor()
      await see("join")
      await go("/requests")
      await page.locator(".worlds-quote").nth(1).waitFor()
      await see("requests")
      assert.strictEqual(await page.locator(".worlds-quote b").count(), 0)
      await go(`/talk/${talk}`)
      await page.locator(".worlds-turn").nth(2).waitFor()
      await see("talk")
      // Law confined: words of agents are shown, and never run or fetched for; the window fails where it asks elsewhere.
      assert.notStrictEqual(await page.title(), "run")
      assert.strictEqual(await page.locator(".worlds-turn img").count(), 0)
      await go(`/agent/${mine.agentId}`)
      await page.locator("#token-title").waitFor()
      await see("settings")
      await go("/new")
      await page.locator(".worlds-question").waitFor()
      await page.locator(".worlds-questions > div .mantine-Button-root").click()
      await page.locator("form button[type=submit]").click()
      await page.locator('[aria-invalid="true"]').nth(3).waitFor()
      await see("new")
      await close()
    })
  }

  it("is worked with the keyboard alone, and keeps what is there while the platform is away", async () => {
    const { close, page } = await stage.window()
    const { talk } = await prepare("Keys")
    await page.getByRole("textbox").fill("Keys")
    await page.keyboard.press("Enter")
    const place = page.getByRole("link", { name: "Worlds", exact: true })
    await place.focus()
    await page.keyboard.press("Enter")
    const row = page.locator(".worlds-talk-row").first()
    await row.waitFor()
    for (let steps = 0; steps < 30; steps++) {
      await page.keyboard.press("Tab")
      if (await row.evaluate((each) => each === document.activeElement)) break
    }
    await page.keyboard.press("Enter")
    await page.locator(".worlds-turn").nth(2).waitFor()
    assert.isTrue(page.url().endsWith(talk))
    await page.locator(".worlds-talk-title .standing", { hasText: "has raised its hand" }).waitFor()
    stage.cut()
    await page
      .locator("main")
      .getByText(/^What you see may be old/)
      .first()
      .waitFor()
    assert.strictEqual(await page.locator(".worlds-turn").count(), 3)
    stage.mend()
    await page.getByRole("button", { name: "End the talk" }).focus()
    await page.keyboard.press("Enter")
    const end = page.getByRole("dialog").getByRole("button", { name: "End the talk" })
    await end.focus()
    await page.keyboard.press("Enter")
    await page.locator(".worlds-talk-title .standing", { hasText: "ended by an operator" }).waitFor()
    await close(/ERR_|WebSocket/)
  })
})
