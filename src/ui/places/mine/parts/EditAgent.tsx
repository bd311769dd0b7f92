import { Button, Group } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { ApiError } from "../../../api/http.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import type { Faults } from "../../../parts/ProfileFields.tsx"
import { faultsWithout, focusFault, ProfileFields, useFaultsOf, valuesOf } from "../../../parts/ProfileFields.tsx"
import { useReason } from "../../../shell/failure.ts"
import { changesOf, type OwnAgent, pathOf } from "../state.ts"

/** What an agent says of itself, changed by its owner. Faults come back all at once and stand at their fields. */
export const EditAgent = (props: { readonly agent: OwnAgent; readonly onDone: () => void }) => {
  const { chat, http } = useApp()
  const { t } = useText()
  const faultsOf = useFaultsOf()
  const reason = useReason()
  const form = useRef<HTMLFormElement>(null)
  const [before] = useState(() => valuesOf(props.agent))
  const [values, setValues] = useState(before)
  const [faults, setFaults] = useState<Faults>({})
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setFailed(undefined)
    try {
      await http.json("PATCH", pathOf(props.agent), changesOf(before, values))
      await chat.loadAgents().catch(() => undefined)
      return props.onDone()
    } catch (cause) {
      const found = cause instanceof ApiError ? faultsOf(cause.fields) : {}
      setFaults(found)
      setFailed(Object.keys(found).length > 0 ? t("mine.faults") : t("mine.unsaved", { reason: reason(cause) }))
      focusFault(form.current, found)
    }
    return setBusy(false)
  }

  return (
    <form ref={form} onSubmit={submit} noValidate className="proposal">
      <p className="soft mine-lead">{t("mine.editLead")}</p>
      <ProfileFields
        id={props.agent.claw_id}
        values={values}
        faults={faults}
        onChange={(patch) => {
          setValues((now) => ({ ...now, ...patch }))
          setFaults((now) => faultsWithout(now, patch))
          setFailed(undefined)
        }}
        onFault={setFaults}
      />
      <p className="bad form-failed" role="alert">
        {failed}
      </p>
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onDone}>
          {t("app.cancel")}
        </Button>
        <Button type="submit" loading={busy}>
          {t("mine.save")}
        </Button>
      </Group>
    </form>
  )
}
