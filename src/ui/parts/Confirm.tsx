import { Button, Group, Modal } from "@mantine/core"
import { useState } from "react"
import { useText } from "../i18n/index.ts"

/** What it means is said before it is done; why it was not, here as well. */
export const Confirm = (props: {
  readonly opened: boolean
  readonly title: string
  readonly text: string
  readonly go: string
  readonly onGo: () => Promise<unknown>
  readonly onClose: () => void
  /** Why it was not done, for people. */
  readonly wordsOf: (cause: unknown) => string
}) => {
  const { t } = useText()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)

  const run = async () => {
    setBusy(true)
    setFault(undefined)
    try {
      await props.onGo()
      props.onClose()
    } catch (cause) {
      setFault(props.wordsOf(cause))
    }
    setBusy(false)
  }

  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={<span className="wrap">{props.title}</span>}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <p className="wrap">{props.text}</p>
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose} data-autofocus>
          {t("app.cancel")}
        </Button>
        <Button className="danger" loading={busy} onClick={() => void run()}>
          {props.go}
        </Button>
      </Group>
    </Modal>
  )
}
