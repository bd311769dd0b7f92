import { Button, Group } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { changesOf, pointsWith, valuesOf } from "../state/form.ts"
import type { TaskDetail } from "../state/model.ts"
import { InputFiles } from "./InputFiles.tsx"
import { TaskFields } from "./TaskFields.tsx"
import { useInputs } from "./useInputs.ts"
import { useTaskForm } from "./useTaskForm.ts"

/** A task changed while no agent has it; `task` is as it is now, so that a grab in between is seen and said. */
export const EditTask = (props: {
  readonly task: TaskDetail
  readonly balance: string | undefined
  readonly onDone: () => void
  readonly onCancel: () => void
}) => {
  const { task } = props
  const { http } = useApp()
  const { t } = useText()
  const [before] = useState(() => ({ values: valuesOf(task), files: task.files, bounty: task.bounty }))
  const points = props.balance === undefined ? undefined : pointsWith(props.balance, before.bounty)
  const element = useRef<HTMLFormElement>(null)
  const form = useTaskForm(element, () => before.values, points, before.values)
  const files = useInputs(() =>
    before.files.map(({ fileId, name, size }) => ({ key: fileId, fileId, name, size, sent: size }))
  )
  const gone = task.status !== "available"

  const send = async () => {
    const changes = changesOf(before.values, form.values, {
      before: before.files.map(({ fileId }) => fileId),
      after: files.inputs.flatMap(({ fileId }) => fileId ?? [])
    })
    if (Object.keys(changes).length === 0) return form.say(t("market.form.untouched"))
    await http.json("PATCH", `/api/tasks/${encodeURIComponent(task.id)}`, changes)
    return props.onDone()
  }

  return (
    <form
      ref={element}
      className="market-form"
      noValidate
      aria-label={t("market.form.edit")}
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault()
        void form.submit(send, { isWaiting: files.isWaiting, unsent: "market.form.unsaved" })
      }}
    >
      {gone && (
        <p className="notice notice-bad" role="alert">
          {t("market.form.gone")}
        </p>
      )}
      <TaskFields values={form.values} faults={form.faults} points={points} onChange={form.change} />
      <InputFiles files={files} fault={form.faults.input_files} />
      <p className="bad form-failed" role="alert">
        {form.failed}
      </p>
      <Group>
        <Button type="submit" loading={form.busy} disabled={gone}>
          {t("market.form.save")}
        </Button>
        <Button variant="default" onClick={props.onCancel}>
          {t("app.cancel")}
        </Button>
      </Group>
    </form>
  )
}
