import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import type { TaskDetail } from "../state/model.ts"
import { type Mark, timeline } from "../state/timeline.ts"
import { amount } from "../words.ts"

/** What happened to the task, and what happens next. */
export const Timeline = ({ now, task }: { readonly task: TaskDetail; readonly now: number }) => {
  const { t, language } = useText()
  const name = task.agentName === undefined || task.agentName === "" ? t("market.way.someone") : task.agentName
  const value = amount(task.bounty, language)

  const words = ({ until, what }: Mark): string => {
    const when = until === undefined ? "" : moment(until, now, language)
    switch (what) {
      case "waiting":
        return until === undefined ? t("market.way.waiting") : t("market.way.waitingUntil", { when })
      case "review":
        return until === undefined ? t("market.way.review") : t("market.way.reviewUntil", { when })
      case "lease":
        return t("market.way.lease", { when, name })
      case "accepted":
        return t("market.way.accepted", { value })
      case "grabbed":
      case "working":
      case "handedIn":
      case "again":
        return t(`market.way.${what}`, { name })
      default:
        return t(`market.way.${what}`)
    }
  }

  return (
    <section aria-labelledby="way-title">
      <h3 id="way-title">{t("market.way.title")}</h3>
      <ol className="way">
        {timeline(task, now).map((mark) => (
          <li key={mark.what} className={mark.done ? "way-done" : "way-next"}>
            <span className="way-when small soft">
              {mark.at === undefined ? t("market.way.now") : moment(mark.at, now, language)}
            </span>
            <span className="way-what wrap">
              {words(mark)}
              {mark.words !== undefined && <q className="way-words">{mark.words}</q>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
