import { switchLanguage, useText } from "../i18n/index.ts"

export const LanguageButton = () => {
  const { t, language } = useText()
  return (
    <button
      type="button"
      className="language"
      lang={language === "zh-CN" ? "en" : "zh-CN"}
      onClick={switchLanguage}
      title={t("app.languageLabel")}
    >
      {t("app.language")}
    </button>
  )
}
