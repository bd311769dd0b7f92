import { Button, Group } from "@mantine/core"
import { useCallback, useRef, useState } from "react"
import { ApiError } from "../../../api/http.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useReason } from "../../../shell/failure.ts"
import { useLive } from "../live.ts"
import { moves, readDetail, standingOf, type TaskDetail } from "../state/model.ts"
import { amount, useCategory } from "../words.ts"
import { Deliverable } from "./Deliverable.tsx"
import { EditTask } from "./EditTask.tsx"
import { Given } from "./Given.tsx"
import { Review } from "./Review.tsx"
import { Standing } from "./Standing.tsx"
import { Timeline } from "./Timeline.tsx"
import { Withdraw } from "./Withdraw.tsx"

interface Props {
  readonly id: string
  readonly balance: string | undefined
  readonly isOperator: boolean
  readonly onChanged: () => void
}

/** While others move it, it is looked at more often. */
const pace = (task: TaskDetail | undefined): number => (task === undefined || moves(task) ? 2_500 : 10_000)

/** One task: how it stands, what the person can do about it, what happened, what was handed in. */
export const TaskView = (props: Props) => {
  const { http } = useApp()
  const { t } = useText()
  const reason = useReason()
  const { id } = props
  const { fault, refresh, value } = useLive(
    useCallback(async () => readDetail(await http.json("GET", `/api/tasks/${encodeURIComponent(id)}`)), [http, id]),
    pace
  )

  if (value === undefined) {
    if (fault === undefined) return <p className="hint market-hint">{t("app.loading")}</p>
    return (
      <p className="bad market-hint" role="alert">
        {fault instanceof ApiError && fault.status === 404 ? t("market.task.gone") : reason(fault)}
      </p>
    )
  }
  return (
    <>
      {fault !== undefined && (
        <p className="bad market-hint" role="alert">
          {t("market.stale", { reason: reason(fault) })}
        </p>
      )}
      <Task {...props} task={value} refresh={refresh} />
    </>
  )
}

const Task = (props: Props & { readonly task: TaskDetail; readonly refresh: () => Promise<unknown> }) => {
  const { onChanged, refresh, task } = props
  const { t, language } = useText()
  const now = useNow(10_000)
  const category = useCategory()
  const [view, setView] = useState<"look" | "edit" | "withdraw">("look")
  const [said, setSaid] = useState<string>()
  const heading = useRef<HTMLHeadingElement>(null)
  const standing = standingOf(task, now)

  const changed = async (words?: string) => {
    setView("look")
    setSaid(words)
    await refresh()
    onChanged()
    heading.current?.focus()
  }

  return (
    <article className="market-page" aria-labelledby="task-title">
      <header className="task-head">
        <h2 id="task-title" ref={heading} tabIndex={-1} className="wrap">
          {task.title}
        </h2>
        <p className="task-facts">
          <span role="status">
            <Standing standing={standing} />
          </span>
          <strong>{t("market.bounty", { value: amount(task.bounty, language) })}</strong>
          <span className="soft">{category(task.category)}</span>
          <span className="soft">
            {t("market.task.deadline")}:{" "}
            {task.deadline === undefined ? t("market.task.noDeadline") : moment(task.deadline, now, language)}
          </span>
        </p>
      </header>
      <p className="task-said" role="status">
        {said}
      </p>
      {view === "edit" ? (
        <EditTask task={task} balance={props.balance} onDone={() => void changed()} onCancel={() => setView("look")} />
      ) : (
        <>
          {task.status === "available" && (
            <Group>
              <Button variant="default" onClick={() => setView("edit")}>
                {t("market.task.edit")}
              </Button>
              <Button variant="default" onClick={() => setView("withdraw")}>
                {t("market.task.withdraw")}
              </Button>
            </Group>
          )}
          {standing === "open" && props.isOperator && (
            <p className="notice small">
              {t("market.task.ownAgent")}{" "}
              <a className="quiet" href="#/agent">
                {t("market.task.toAgent")}
              </a>
            </p>
          )}
          {task.deliverable !== undefined && <Deliverable task={task} deliverable={task.deliverable} />}
          {standing === "review" && <Review task={task} onDone={(words) => void changed(words)} onFailed={refresh} />}
          <Timeline task={task} now={now} />
          <Given task={task} />
          <Withdraw
            task={task}
            opened={view === "withdraw"}
            onClose={() => setView("look")}
            onDone={() => void changed(t("market.task.withdrawn"))}
            onFailed={refresh}
          />
        </>
      )}
    </article>
  )
}
