/** A real Chromium: the one from npm on Linux, an installed Chrome elsewhere. */
import { existsSync } from "node:fs"
import type { Browser } from "playwright-core"
import { chromium } from "playwright-core"

const installed = [
  process.env["CLAWFIBER_CHROME"],
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
  "/usr/bin/google-chrome",
  "/usr/bin/chromium"
].find((path) => path !== undefined && existsSync(path))

const bundled = process.platform === "linux" && process.arch === "x64"

/** Why there is no browser here, or undefined. */
export const missing: string | undefined =
  bundled || installed !== undefined ? undefined : "no Chrome was found; install one, or name it in CLAWFIBER_CHROME"

if (missing !== undefined) console.warn(`SKIPPED: the tests of the page did not run: ${missing}.`)

export const launch = async (): Promise<Browser> => {
  if (installed !== undefined && !bundled) return chromium.launch({ executablePath: installed })
  const { default: packed } = await import("@sparticuz/chromium")
  return chromium.launch({
    executablePath: await packed.executablePath(),
    // A single process goes down with the first window that is closed.
    args: packed.args.filter((flag) => flag !== "--single-process" && flag !== "--no-zygote"),
    headless: true
  })
}
