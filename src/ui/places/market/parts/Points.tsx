import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useReason } from "../../../shell/failure.ts"
import type { Live } from "../live.ts"
import { writeRoute } from "../route.ts"
import type { Points as Ledger } from "../state/model.ts"
import { readPoints } from "../state/model.ts"
import { amount } from "../words.ts"

/** What the person has, and what moved it, newest first. */
export const Points = ({ ledger }: { readonly ledger: Live<Ledger> }) => {
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  const now = useNow(30_000)
  const [older, setOlder] = useState<Ledger>()
  const [failed, setFailed] = useState<unknown>()
  const { fault, value } = ledger
  const known = new Set(value?.items.map(({ id }) => id))
  const items = [...(value?.items ?? []), ...(older?.items ?? []).filter(({ id }) => !known.has(id))]
  const next = older === undefined ? value?.next : older.next

  const more = async (before: string) => {
    try {
      const page = readPoints(await http.json("GET", `/api/ledger?limit=50&before=${encodeURIComponent(before)}`))
      setOlder((already) => ({ ...page, items: [...(already?.items ?? []), ...page.items] }))
      setFailed(undefined)
    } catch (cause) {
      setFailed(cause)
    }
  }
  const trouble = fault ?? failed

  return (
    <article className="market-page" aria-labelledby="points-title">
      <h2 id="points-title">{t("market.points.title")}</h2>
      <p className="soft">{t("market.points.lead")}</p>
      {trouble !== undefined && (
        <p className="bad" role="alert">
          {t("market.stale", { reason: reason(trouble) })}
        </p>
      )}
      {value !== undefined && (
        <p className="market-balance" role="status">
          {t("market.points.have", { value: amount(value.balance, language) })}
        </p>
      )}
      {value !== undefined && items.length === 0 && <p className="hint">{t("market.points.none")}</p>}
      {items.length > 0 && (
        <table className="ledger">
          <thead>
            <tr>
              <th scope="col">{t("market.points.when")}</th>
              <th scope="col">{t("market.points.what")}</th>
              <th scope="col" className="ledger-figure">
                {t("market.points.amount")}
              </th>
              <th scope="col" className="ledger-figure">
                {t("market.points.balance")}
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((entry) => (
              <tr key={entry.id}>
                <td>{moment(entry.at, now, language)}</td>
                <td>
                  {t(`market.points.${entry.kind}`)}
                  {entry.taskId !== undefined && entry.kind !== "pay" && (
                    <>
                      {" "}
                      <a className="quiet" href={writeRoute({ view: "task", id: entry.taskId })}>
                        {t("market.points.task")}
                      </a>
                    </>
                  )}
                </td>
                <td className="ledger-figure">
                  {entry.amount.startsWith("-") ? "" : "+"}
                  {amount(entry.amount, language)}
                </td>
                <td className="ledger-figure">{amount(entry.balance, language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {next !== undefined && (
        <button type="button" className="quiet" onClick={() => void more(next)}>
          {t("market.more")}
        </button>
      )}
    </article>
  )
}
