/** Figures of the market as people of the page's language write them; exact, whatever their size. */
import { useCallback } from "react"
import * as SceneTags from "../../../services/protocol/SceneTags.ts"
import { useText } from "../../i18n/index.ts"

/** Grouped by thousands, digit by digit: never through a float. */
export const amount = (exact: string, language: string): string => {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(exact)
  if (match === null) return exact
  const [, sign = "", whole = "", part] = match
  const grouped = new Intl.NumberFormat(language).format(BigInt(whole))
  return `${sign === "" ? "" : "−"}${grouped}${part === undefined ? "" : `.${part}`}`
}

export const useCategory = (): ((code: string) => string) => {
  const { language } = useText()
  return useCallback((code) => SceneTags.nameOf(code, language === "zh-CN" ? "zh" : "en"), [language])
}

/** Not `crypto.randomUUID`: that one exists only over https and on loopback. */
export const freshAttempt = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
