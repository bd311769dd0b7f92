import i18next from "i18next"
import { useCallback } from "react"
import { initReactI18next, useTranslation } from "react-i18next"
import { recall, remember } from "../lib/storage.ts"
import type { TextKey } from "./en.ts"
import { en } from "./en.ts"
import { zh } from "./zh.ts"

export type Language = "en" | "zh"

const wanted = (): Language => {
  const kept = recall("language")
  if (kept === "en" || kept === "zh") return kept
  const first = navigator.languages.find((tag) => /^(zh|en)\b/i.test(tag))
  return first !== undefined && /^zh\b/i.test(first) ? "zh" : "en"
}

const tell = (language: string) => {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en"
}

const language = wanted()
tell(language)

void i18next.use(initReactI18next).init({
  lng: language,
  fallbackLng: "en",
  resources: { en: { translation: en }, zh: { translation: zh } },
  keySeparator: false,
  nsSeparator: false,
  // React escapes; escaping here as well would show "&amp;" to people.
  interpolation: { escapeValue: false, skipOnVariables: true }
})

i18next.on("languageChanged", tell)

export const switchLanguage = (): void => {
  const other: Language = i18next.language === "zh" ? "en" : "zh"
  remember("language", other)
  void i18next.changeLanguage(other)
}

/** Every key but its plural endings, which i18next picks by `count`. */
type Plural<K extends string> = K extends `${infer Base}_one` | `${infer Base}_other` ? Base : K
export type Key = Plural<TextKey>
export type Translate = (key: Key, values?: Readonly<Record<string, string | number>>) => string

export const useText = (): { readonly t: Translate; readonly language: string } => {
  const { t, i18n } = useTranslation()
  const translate = useCallback<Translate>((key, values) => t(key, { ...values }), [t])
  return { t: translate, language: i18n.language === "zh" ? "zh-CN" : "en-GB" }
}
