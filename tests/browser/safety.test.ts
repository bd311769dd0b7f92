import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { missing } from "./chromium.ts"
import type { ScriptedAgent } from "./ScriptedAgent.ts"
import { scriptedAgent } from "./ScriptedAgent.ts"
import type { Stage } from "./stage.ts"
import { choose, composer, last, say, setStage, signIn } from "./stage.ts"

const attack = `<img src=x onerror="globalThis.hit=1">`
const words = [
  `<script>globalThis.hit=1</script>${attack}`,
  `[one](javascript:globalThis.hit=1) [two](data:text/html,<script>hit=1</script>) [three](vbscript:x)`,
  `<a href="javascript:globalThis.hit=1">four</a> <a href=" jAvAscript:globalThis.hit=1">five</a>`,
  `![remote](https://elsewhere.example/pixel.png) <img src="https://elsewhere.example/b.png">`,
  `<iframe src="https://elsewhere.example"></iframe><object data="x"></object><embed src="x">`,
  `<style>body{display:none}</style><link rel=stylesheet href="https://elsewhere.example/c.css">`,
  `<form action="https://elsewhere.example"><input name=a><button>go</button></form>`,
  `<svg onload="globalThis.hit=1"><use href="#x"/></svg><math><mi xlink:href="javascript:hit=1">x</mi></math>`,
  `<div id="main" class="composer" onclick="globalThis.hit=1" style="position:fixed;inset:0">cover</div>`,
  `[real](https://example.com/page)`
].join("\n\n")

describe.skipIf(missing !== undefined)("strangers' words on the page", () => {
  let stage: Stage
  let agent: ScriptedAgent

  beforeAll(async () => {
    stage = await setStage()
    agent = await scriptedAgent(stage.url, {
      name: `${attack}Evil`,
      description: `<script>globalThis.hit=1</script>${attack}`,
      avatar: "https://elsewhere.example/avatar.png",
      custom_tags: ["<img src=x onerror=hit=1>"]
    })
    agent.answers(() => words)
  })
  afterAll(() => stage.close())

  it("do nothing: in a reply, a name, a description, a tag, a title, a file's name", async () => {
    const { close, page } = await stage.window()
    await signIn(page, attack)
    await choose(page, "Evil")
    await page.locator("input[type=file]").setInputFiles([
      {
        name: `${attack.replaceAll("/", "")}.svg`,
        mimeType: "image/svg+xml",
        buffer: Buffer.from(`<svg onload="hit=1"/>`)
      }
    ])
    await page.waitForFunction(() => !document.body.innerText.includes("uploading"))
    await say(page, attack)
    await last(page, "completed").waitFor()
    await page.getByRole("link", { name: "real" }).waitFor()

    const prose = page.locator(".prose")
    assert.strictEqual(
      await prose.locator("img, script, iframe, object, embed, style, link, form, svg, math").count(),
      0
    )
    assert.strictEqual(await prose.locator("[onclick], [onerror], [style]").count(), 0)
    assert.strictEqual(await page.locator("#main").count(), 1)
    const links = await prose.locator("a").evaluateAll((all) =>
      all.map((link) => ({
        href: link.getAttribute("href") ?? "",
        rel: link.getAttribute("rel") ?? "",
        target: link.getAttribute("target")
      }))
    )
    assert.isAbove(links.length, 1)
    for (const { href, rel, target } of links) {
      assert.match(href, /^https?:\/\//)
      assert.strictEqual(target, "_blank")
      for (const part of ["noopener", "noreferrer"]) assert.include(rel.split(" "), part)
    }
    await page.getByText("picture (not loaded): remote").waitFor()
    await page.getByRole("button", { name: /^More about/ }).click()
    await page.getByRole("menuitem", { name: "Delete" }).click()
    await page.getByRole("dialog").getByText(attack).waitFor()
    await page.keyboard.press("Escape")
    assert.isFalse(await page.evaluate(() => "hit" in globalThis))
    assert.strictEqual(await page.locator('img[src^="http"]').count(), 0)
    await close()
  })

  it("live under a policy that would not run them anyway", async () => {
    const response = await fetch(stage.page)
    const policy = response.headers.get("content-security-policy") ?? ""
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.match(policy, /connect-src 'self'(;|$)/)
    assert.match(policy, /img-src 'self' data: blob:(;|$)/)
    const html = await response.text()
    assert.notMatch(html, /<script(?![^>]*\ssrc=)/)
    assert.notMatch(html, /https?:\/\//)
  })

  it("leave no secret in the page: the token only where the browser keeps it", async () => {
    const { close, page } = await stage.window()
    const asked: Array<string> = []
    page.on("request", (request) => asked.push(request.url()))
    page.on("websocket", (socket) => asked.push(socket.url()))
    await signIn(page, "Secret")
    await say(page, "x")
    await last(page, "completed").waitFor()
    const token = (await page.evaluate(() => localStorage.getItem("clawfiber.token"))) ?? ""
    assert.isAbove(token.length, 20)
    assert.isFalse((await page.content()).includes(token))
    assert.isFalse(asked.some((url) => url.includes(token)))
    await close()
  })

  it("are refused before they are sent where they are too long, and stay in the field", async () => {
    const { close, page } = await stage.window()
    await signIn(page, "Too long")
    await composer(page).fill("长".repeat(200_001))
    await composer(page).press("Enter")
    await page
      .getByRole("alert")
      .getByText("The message is too long: 200,001 characters, of at most 200,000.")
      .waitFor()
    assert.strictEqual(await page.locator(".exchange").count(), 0)
    await composer(page).fill("长".repeat(200_000))
    await composer(page).press("Enter")
    await last(page, "completed").waitFor()
    await close()
  })
})
