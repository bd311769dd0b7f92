import { Button, Group, Modal, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useReason } from "../../../shell/failure.ts"
import type { Session } from "../state/model.ts"

interface DialogProps {
  readonly session: Session
  readonly opened: boolean
  readonly onClose: () => void
}

const LONGEST_TITLE = 120

export const RenameDialog = (props: DialogProps) => {
  const { t } = useText()
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("sessions.renameTitle")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <RenameForm session={props.session} onClose={props.onClose} />
    </Modal>
  )
}

/** Mounted with the dialog's opening: it begins with the title of that moment. */
const RenameForm = ({ session, onClose }: Omit<DialogProps, "opened">) => {
  const { chat } = useApp()
  const { t } = useText()
  const reason = useReason()
  const [title, setTitle] = useState(session.title)
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const wanted = title.trim()
    if (wanted === "") return setFault(t("sessions.renameEmpty"))
    setBusy(true)
    try {
      await chat.rename(session.sessionId, session.clawId, wanted)
      onClose()
    } catch (cause) {
      setFault(reason(cause))
    }
    setBusy(false)
  }

  return (
    <form onSubmit={submit} noValidate>
      <TextInput
        label={t("sessions.renameLabel")}
        value={title}
        maxLength={LONGEST_TITLE}
        onChange={(event) => {
          setTitle(event.currentTarget.value)
          setFault(undefined)
        }}
        error={fault}
        data-autofocus
      />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {t("app.cancel")}
        </Button>
        <Button type="submit" loading={busy}>
          {t("sessions.renameSave")}
        </Button>
      </Group>
    </form>
  )
}

export const DeleteDialog = ({ session, opened, onClose }: DialogProps) => {
  const { chat } = useApp()
  const { t } = useText()
  const reason = useReason()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)

  const remove = async () => {
    setBusy(true)
    setFault(undefined)
    try {
      await chat.remove(session.sessionId)
      onClose()
    } catch (cause) {
      setFault(reason(cause))
      setBusy(false)
    }
  }

  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("sessions.deleteTitle")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <p className="wrap">
        {t("sessions.deleteText", { title: session.title === "" ? t("sessions.untitled") : session.title })}
      </p>
      {fault !== undefined && (
        <p className="bad" role="alert">
          {fault}
        </p>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t("app.cancel")}
        </Button>
        <Button className="danger" loading={busy} onClick={remove}>
          {t("sessions.deleteGo")}
        </Button>
      </Group>
    </Modal>
  )
}
