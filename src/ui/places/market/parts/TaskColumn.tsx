import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useReason } from "../../../shell/failure.ts"
import { statuses } from "../../../../services/protocol/MarketWords.ts"
import { type MarketRoute, writeRoute } from "../route.ts"
import { standingOf, type TaskRow } from "../state/model.ts"
import type { Filter, Tasks } from "../tasks.ts"
import { amount } from "../words.ts"
import { Standing } from "./Standing.tsx"

const filters: ReadonlyArray<Filter> = ["all", ...statuses]
const isFilter = (value: string): value is Filter => filters.some((filter) => filter === value)

/** The person's tasks, newest first, and what they have to spend. */
export const TaskColumn = (props: {
  readonly route: MarketRoute
  readonly tasks: Tasks
  readonly balance: string | undefined
}) => {
  const { balance, route, tasks } = props
  const { t, language } = useText()
  const reason = useReason()
  const points = balance === undefined ? undefined : amount(balance, language)
  return (
    <section className="market-column" aria-labelledby="market-title">
      <header className="market-head">
        <h1 id="market-title">{t("market.title")}</h1>
        {points !== undefined && (
          <a
            className="quiet"
            href="#/market/points"
            aria-label={t("market.balanceLabel", { value: points })}
            {...(route.view === "points" ? { "aria-current": "page" as const } : {})}
          >
            {t("market.balance", { value: points })}
          </a>
        )}
      </header>
      <a className="market-post" href="#/market/new" {...(route.view === "new" ? { "aria-current": "page" } : {})}>
        {t("market.post")}
      </a>
      <div className="market-filter">
        <h2 className="caption">{t("market.mine")}</h2>
        <label className="small soft switch">
          {t("market.filter")}
          <select
            value={tasks.filter}
            onChange={({ currentTarget: { value } }) => {
              if (isFilter(value)) tasks.choose(value)
            }}
          >
            {filters.map((filter) => (
              <option key={filter} value={filter}>
                {t(`market.filter.${filter}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {tasks.fault !== undefined && (
        <p className="bad small" role="alert">
          {tasks.items === undefined
            ? `${t("market.failed")} ${reason(tasks.fault)}`
            : t("market.stale", { reason: reason(tasks.fault) })}{" "}
          <button type="button" className="quiet" onClick={() => void tasks.refresh()}>
            {t("app.tryAgain")}
          </button>
        </p>
      )}
      {tasks.items === undefined && tasks.fault === undefined && <p className="hint">{t("app.loading")}</p>}
      {tasks.items?.length === 0 && (
        <p className="hint">{t(tasks.filter === "all" ? "market.none" : "market.noneOf")}</p>
      )}
      {tasks.items !== undefined && tasks.items.length > 0 && (
        <ul className="market-list">
          {tasks.items.map((task) => (
            <Row key={task.id} task={task} isChosen={route.view === "task" && route.id === task.id} />
          ))}
        </ul>
      )}
      {tasks.more !== undefined && (
        <button type="button" className="quiet" onClick={() => void tasks.more?.()}>
          {t("market.more")}
        </button>
      )}
    </section>
  )
}

const Row = ({ isChosen, task }: { readonly task: TaskRow; readonly isChosen: boolean }) => {
  const { t, language } = useText()
  const now = useNow(30_000)
  const standing = standingOf(task, now)
  return (
    <li>
      <a
        className="market-row"
        href={writeRoute({ view: "task", id: task.id })}
        {...(isChosen ? { "aria-current": "page" } : {})}
      >
        <span className="market-row-head">
          <span className="market-row-title clip">{task.title}</span>
          <span className="market-row-bounty">{t("market.bounty", { value: amount(task.bounty, language) })}</span>
        </span>
        <span className="market-row-foot small">
          <Standing standing={standing} />
          <span className="soft">
            {task.deadline !== undefined && standing === "open"
              ? t("market.due", { when: moment(task.deadline, now, language) })
              : t("market.posted", { when: moment(task.createdAt, now, language) })}
          </span>
        </span>
      </a>
    </li>
  )
}
