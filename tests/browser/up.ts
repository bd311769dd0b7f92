/** The real programs of `clawfiber up` with the page as it is now, and a browser: what whole ways through a place stand on. */
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { serve } from "../programs/cli.ts"
import { launch } from "./chromium.ts"
import { buildPage, openWindow, signIn, type Window } from "./stage.ts"

export interface UpStage {
  readonly url: string
  /** The token of the operator's door. */
  readonly operator: string
  /** A window of somebody who is signed in, at a place. */
  readonly at: (place: "Market" | "Worlds", name: string) => Promise<Window>
  readonly close: () => Promise<void>
}

/** `args` go to `clawfiber up`. */
export const setUp = async (...args: ReadonlyArray<string>): Promise<UpStage> => {
  const folder = await mkdtemp(join(tmpdir(), "clawfiber-up-"))
  const ui = join(folder, "ui")
  const [browser, program] = await Promise.all([
    launch(),
    serve(["up", "--port", "0", "--agent", "offline", ...args], { cwd: folder }, "connected"),
    buildPage(ui)
  ])
  const url = String(program.events.find(({ event }) => event === "ready")?.["url"])
  return {
    url,
    operator: (await readFile(join(folder, ".clawfiber/agent/.insta/control.token"), "utf8")).trim(),
    at: async (place, name) => {
      const window = await openWindow(browser, url, { acceptDownloads: true }, "", ui)
      await signIn(window.page, name)
      await window.page.getByRole("link", { name: place, exact: true }).click()
      await window.page.getByRole("heading", { level: 1, name: place }).waitFor()
      return window
    },
    close: async () => {
      await browser.close()
      await program.stop("SIGKILL")
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** A field by its name; a text is the whole of it. */
export const field = (page: Page, name: string | RegExp) =>
  page.getByRole("textbox", { name, exact: typeof name === "string" })
export const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()
