/** What a page is looked at for, in every theme, width and language. */
import axe from "axe-core"
import type { Page } from "playwright-core"
import { assert } from "vitest"

/** WCAG 2.2, levels A and AA, as far as a program can tell. */
export const checkBarriers = async (page: Page, where: string): Promise<void> => {
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") }
    const results = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
    return results.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" | ")}`)
  })
  assert.deepStrictEqual(violations, [], where)
}

/** How many pixels the page is wider than the window. */
export const sideways = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** No barrier, and nothing to scroll sideways for. */
export const check = async (page: Page, where: string): Promise<void> => {
  await checkBarriers(page, where)
  assert.strictEqual(await sideways(page), 0, `${where} is wider than the window`)
}

/** A folder for pictures of what the tests see; nothing is written without. */
export const pictures = process.env["CLAWFIBER_PICTURES"]

/** A picture of a place of two columns as a whole, however long it is. */
export const shoot = async (
  page: Page,
  viewport: { readonly width: number; readonly height: number },
  name: string
): Promise<void> => {
  if (pictures === undefined) return
  const height = await page.evaluate(() =>
    Math.max(...["#main", ".market-main"].map((each) => document.querySelector(each)?.scrollHeight ?? 0))
  )
  await page.setViewportSize({ width: viewport.width, height: Math.max(viewport.height, height + 60) })
  await page.screenshot({ path: `${pictures}/${name}.png` })
  await page.setViewportSize(viewport)
}
