/**
 * Everything a test of the page stands on: the page built from the sources, the real platform in this process, the
 * offline agent on the line, a wire between browser and platform that can be cut, and a browser that is watched.
 */
import * as ManagedRuntime from "effect/ManagedRuntime"
import { spawn } from "node:child_process"
import { cp, mkdtemp, rm } from "node:fs/promises"
import type { AddressInfo, Socket } from "node:net"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { inject } from "vitest"
import * as HttpGuards from "../../src/layers/http/HttpGuards.ts"
import * as Server from "../../src/layers/platform/Server.ts"
import { launch } from "./chromium.ts"

const repository = fileURLToPath(new URL("../../", import.meta.url))

/** Between browser and platform: passes everything on, until it is cut. */
export const wire = async (port: number) => {
  const open = new Set<Socket>()
  let up = true
  const server = createServer((near) => {
    if (!up) return near.destroy()
    const far = connect(port, "127.0.0.1")
    for (const [one, other] of [
      [near, far],
      [far, near]
    ] as const) {
      open.add(one)
      one.pipe(other)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        open.delete(one)
        other.destroy()
      })
    }
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      up = false
      for (const socket of open) socket.destroy()
    },
    mend: () => {
      up = true
    },
    close: () => {
      for (const socket of open) socket.destroy()
      server.close()
    }
  }
}

/** The page as it is now, not as it was built some day; each stage has a copy of its own. */
export const buildPage = async (outDir: string): Promise<void> => {
  const answer = await fetch(inject("pageDoor"))
  const built = (await answer.json()) as { readonly folder?: string; readonly fault?: string }
  if (built.folder === undefined) throw new Error(`the page cannot be built: ${built.fault}`)
  await cp(built.folder, outDir, { recursive: true })
}

const offlineAgent = (url: string, folder: string) =>
  new Promise<() => void>((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(repository, "src/main.ts"), "connect", "--url", url, "--register", "Claw", "--agent", "offline", "--json"],
      { cwd: folder, env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "pipe"] }
    )
    let said = ""
    const hear = (data: Buffer) => {
      said += String(data)
      if (said.includes('"event":"connected"')) resolve(() => child.kill("SIGTERM"))
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    child.on("exit", (code) => reject(new Error(`the offline agent ended with ${code}: ${said}`)))
  })

export interface Window {
  readonly page: Page
  /** Ends the window; fails where the page reported an error, broke its policy or spoke to another host. */
  readonly close: (allowed?: RegExp) => Promise<void>
}

export interface Stage {
  /** The platform itself; agents connect here. */
  readonly url: string
  /** Where the browser goes: over the wire that can be cut. */
  readonly page: string
  readonly cut: () => void
  readonly mend: () => void
  readonly window: (options?: BrowserContextOptions) => Promise<Window>
  /** A window on another program of this machine that serves the page, as the page is now. */
  readonly windowAt: (address: string, at: string) => Promise<Window>
  readonly close: () => Promise<void>
}

export const setStage = async (options: { readonly withOfflineAgent?: boolean } = {}): Promise<Stage> => {
  const folder = await mkdtemp(join(tmpdir(), "clawfiber-page-"))
  const uiRoot = join(folder, "ui")
  const [browser] = await Promise.all([launch(), buildPage(uiRoot)])
  const runtime = ManagedRuntime.make(Server.layer({ port: 0, uiRoot }))
  const server = await runtime.runPromise(Server.Server)
  const line = await wire(server.port)
  const stopAgent = options.withOfflineAgent === true ? await offlineAgent(server.url, folder) : () => {}
  const address = `http://127.0.0.1:${line.port}`
  return {
    url: server.url,
    page: address,
    cut: line.cut,
    mend: line.mend,
    window: (contextOptions) => openWindow(browser, address, contextOptions),
    windowAt: (elsewhere, at) => openWindow(browser, elsewhere, {}, at, uiRoot),
    close: async () => {
      stopAgent()
      await browser.close()
      line.close()
      await runtime.dispose()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/**
 * `at`: where on the page the window opens, `/#/agent`. `uiRoot`: the built page, for a program that serves the one that
 * was built some day.
 */
export const openWindow = async (
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  at = "",
  uiRoot?: string
): Promise<Window> => {
  const context = await browser.newContext({
    viewport: { width: 1320, height: 820 },
    locale: "en-GB",
    reducedMotion: "reduce",
    ...options
  })
  context.setDefaultTimeout(10_000)
  const page = await context.newPage()
  if (uiRoot !== undefined) {
    await page.route(/^[^?]*:\d+\/(?:assets\/[^?]*)?$/, async (route) => {
      const { pathname } = new URL(route.request().url())
      const file = join(uiRoot, pathname === "/" ? "index.html" : pathname)
      await route.fulfill({ path: file, headers: { ...HttpGuards.pageHeaders, "content-type": typeOf(file) } })
    })
  }
  const faults: Array<string> = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`)
  })
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`))
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on("request", (request) => {
    const url = new URL(request.url())
    if (!/^(blob|data):$/.test(url.protocol) && url.origin !== address) faults.push(`request: ${request.url()}`)
  })
  await page.goto(`${address}${at}`)
  return {
    page,
    close: async (allowed) => {
      await context.close()
      const bad = faults.filter((fault) => allowed === undefined || !allowed.test(fault))
      if (bad.length > 0) throw new Error(bad.join("\n"))
    }
  }
}

const typeOf = (file: string): string =>
  ({ ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" })[extname(file)] ??
  "application/octet-stream"

export const signIn = async (page: Page, name: string) => {
  await page.getByRole("textbox").fill(name)
  await page.keyboard.press("Enter")
  await page.locator("[data-composer]").waitFor()
}

export const choose = async (page: Page, agent: string) => {
  await page.getByRole("link", { name: agent }).first().click()
  await page.getByRole("heading", { level: 1, name: agent }).waitFor()
}

export const composer = (page: Page) => page.locator("[data-composer]")

export const say = async (page: Page, text: string) => {
  await composer(page).fill(text)
  await composer(page).press("Enter")
}

/** The exchange at the end, in the phase that is awaited. */
export const last = (page: Page, phase: string) => page.locator(`.exchange[data-phase="${phase}"]:last-child`)
