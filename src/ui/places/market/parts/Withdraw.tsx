import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { Confirm } from "../../../parts/Confirm.tsx"
import { useReason } from "../../../shell/failure.ts"
import type { TaskDetail } from "../state/model.ts"
import { amount } from "../words.ts"

/** Off the market: what it means is said before it is done. */
export const Withdraw = (props: {
  readonly task: TaskDetail
  readonly opened: boolean
  readonly onClose: () => void
  readonly onDone: () => void
  readonly onFailed: () => Promise<unknown>
}) => {
  const { task } = props
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  return (
    <Confirm
      opened={props.opened}
      onClose={props.onClose}
      title={t("market.task.withdrawTitle")}
      text={t("market.task.withdrawText", { value: amount(task.bounty, language) })}
      go={t("market.task.withdraw")}
      onGo={async () => {
        try {
          await http.json("DELETE", `/api/tasks/${encodeURIComponent(task.id)}`)
        } catch (cause) {
          await props.onFailed()
          throw cause
        }
        props.onDone()
      }}
      wordsOf={(cause) => t("market.task.failed", { reason: reason(cause) })}
    />
  )
}
