import { useState } from "react"
import type { SettingView } from "../../../../services/channel/Control.ts"
import { useText } from "../../../i18n/index.ts"

/** What the program was set up with, and where each value comes from. Secrets: whether there is one. */
export const Settings = ({ settings }: { readonly settings: ReadonlyArray<SettingView> }) => {
  const { t } = useText()
  const [own, setOwn] = useState(true)
  const shown = own ? settings.filter(({ source }) => source !== "default") : settings
  const valueOf = (setting: SettingView) =>
    setting.value === "" || setting.value === "not set"
      ? t("settings.unset")
      : setting.value === "set"
        ? t("settings.set")
        : setting.value
  return (
    <section className="card card-wide" aria-labelledby="settings-title">
      <div className="card-head">
        <h2 id="settings-title">{t("settings.title")}</h2>
        <label className="small check">
          <input type="checkbox" checked={own} onChange={(event) => setOwn(event.currentTarget.checked)} />
          {t("settings.onlyOwn")}
        </label>
      </div>
      <p className="small soft">{t("settings.lead")}</p>
      {shown.length === 0 ? (
        <p className="hint">{t("settings.allDefault")}</p>
      ) : (
        <table className="settings">
          <thead>
            <tr>
              <th scope="col">{t("settings.name")}</th>
              <th scope="col">{t("settings.value")}</th>
              <th scope="col">{t("settings.source")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((setting) => (
              <tr key={setting.name}>
                <th scope="row">
                  <code>{setting.name}</code>
                  <span className="small soft" lang="en">
                    {setting.description}
                  </span>
                </th>
                <td className="wrap" data-label={t("settings.value")}>
                  {valueOf(setting)}
                </td>
                <td data-label={t("settings.source")}>{t(`settings.${setting.source}`)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
