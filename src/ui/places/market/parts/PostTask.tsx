import { Button, Group } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useEffect, useRef } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { go } from "../route.ts"
import { bodyOf, empty, type Values } from "../state/form.ts"
import { readTask } from "../state/model.ts"
import { freshAttempt } from "../words.ts"
import { InputFiles } from "./InputFiles.tsx"
import { TaskFields } from "./TaskFields.tsx"
import { type Input, useInputs } from "./useInputs.ts"
import { useTaskForm } from "./useTaskForm.ts"

interface Draft {
  readonly values: Values
  readonly inputs: ReadonlyArray<Input>
}

/** What a person has begun to write outlives a look at something else; another person's is another one. */
const drafts = new Map<string, Draft>()

/** A new task. What is wrong stands at its field; the same task sent again after a lost answer is posted once. */
export const PostTask = (props: { readonly balance: string | undefined; readonly onChanged: () => void }) => {
  const { http, person } = useApp()
  const { t } = useText()
  const element = useRef<HTMLFormElement>(null)
  const form = useTaskForm(element, () => drafts.get(person.token)?.values ?? empty, props.balance)
  const files = useInputs(() => drafts.get(person.token)?.inputs ?? [])
  const attempt = useRef<{ readonly body: string; readonly key: string }>(undefined)
  const posted = useRef(false)
  const { values } = form
  const { inputs } = files

  useEffect(() => {
    if (posted.current) drafts.delete(person.token)
    else drafts.set(person.token, { values, inputs: inputs.filter(({ fileId }) => fileId !== undefined) })
  }, [person.token, values, inputs])

  const send = async () => {
    const body = bodyOf(
      values,
      inputs.flatMap(({ fileId }) => fileId ?? [])
    )
    const text = JSON.stringify(body)
    if (attempt.current?.body !== text) attempt.current = { body: text, key: freshAttempt() }
    const task = readTask(await http.json("POST", "/api/tasks", body, attempt.current.key))
    posted.current = true
    drafts.delete(person.token)
    props.onChanged()
    go({ view: "task", id: task.id })
  }

  return (
    <form
      ref={element}
      className="market-page market-form"
      noValidate
      aria-labelledby="post-title"
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault()
        void form.submit(send, { isWaiting: files.isWaiting, unsent: "market.form.unsent" })
      }}
    >
      <h2 id="post-title">{t("market.form.title")}</h2>
      <p className="soft">{t("market.form.lead")}</p>
      <TaskFields values={values} faults={form.faults} points={props.balance} onChange={form.change} />
      <InputFiles files={files} fault={form.faults.input_files} />
      <p className="bad form-failed" role="alert">
        {form.failed}
      </p>
      <Group>
        <Button type="submit" loading={form.busy}>
          {t("market.form.post")}
        </Button>
      </Group>
    </form>
  )
}
