import { useCallback } from "react"
import { useApp } from "../../app.ts"
import { useText } from "../../i18n/index.ts"
import { useMedia } from "../../lib/hooks.ts"
import { useLive } from "./live.ts"
import { Points } from "./parts/Points.tsx"
import { PostTask } from "./parts/PostTask.tsx"
import { TaskColumn } from "./parts/TaskColumn.tsx"
import { TaskView } from "./parts/TaskView.tsx"
import { useRoute } from "./route.ts"
import { readPoints } from "./state/model.ts"
import { useTasks } from "./tasks.ts"

const slowly = () => 10_000

/** One rail's place: what a person has posted, and what becomes of it. */
export const MarketPlace = (props: { readonly isOperator: boolean }) => {
  const { http } = useApp()
  const { t } = useText()
  const route = useRoute()
  const narrow = useMedia("(max-width: 860px)")
  const tasks = useTasks()
  const ledger = useLive(
    useCallback(async () => readPoints(await http.json("GET", "/api/ledger?limit=50")), [http]),
    slowly
  )
  const { refresh: refreshTasks } = tasks
  const { refresh: refreshPoints } = ledger
  const onChanged = useCallback(() => {
    void refreshTasks()
    void refreshPoints()
  }, [refreshTasks, refreshPoints])
  const balance = ledger.value?.balance
  const withList = !narrow || route.view === "list"
  const withMain = !narrow || route.view !== "list"

  return (
    <main className="market" id="main" tabIndex={-1}>
      {withList && <TaskColumn route={route} tasks={tasks} balance={balance} />}
      {withMain && (
        <div className="market-main">
          {narrow && (
            <a className="quiet market-back" href="#/market">
              {t("market.back")}
            </a>
          )}
          {route.view === "list" && <p className="hint market-hint">{t("market.choose")}</p>}
          {route.view === "new" && <PostTask balance={balance} onChanged={onChanged} />}
          {route.view === "points" && <Points ledger={ledger} />}
          {route.view === "task" && (
            <TaskView
              key={route.id}
              id={route.id}
              balance={balance}
              isOperator={props.isOperator}
              onChanged={onChanged}
            />
          )}
        </div>
      )}
    </main>
  )
}
