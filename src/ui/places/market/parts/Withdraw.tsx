import { Button, Group, Modal } from "@mantine/core"
import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
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
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)

  const withdraw = async () => {
    setBusy(true)
    setFault(undefined)
    try {
      await http.json("DELETE", `/api/tasks/${encodeURIComponent(task.id)}`)
      setBusy(false)
      return props.onDone()
    } catch (cause) {
      setFault(t("market.task.failed", { reason: reason(cause) }))
      await props.onFailed()
    }
    return setBusy(false)
  }

  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("market.task.withdrawTitle")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <p>{t("market.task.withdrawText", { value: amount(task.bounty, language) })}</p>
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose} data-autofocus>
          {t("app.cancel")}
        </Button>
        <Button className="danger" loading={busy} onClick={() => void withdraw()}>
          {t("market.task.withdraw")}
        </Button>
      </Group>
    </Modal>
  )
}
