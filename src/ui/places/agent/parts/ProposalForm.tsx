import { Button } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { flushSync } from "react-dom"
import type { ProfileView } from "../../../../services/channel/Control.ts"
import { useText } from "../../../i18n/index.ts"
import type { Faults, Values } from "../../../parts/ProfileFields.tsx"
import { faultsWithout, focusFault, ProfileFields, useFaultsOf, valuesOf } from "../../../parts/ProfileFields.tsx"
import { useCall, useOperator, useReasonOf } from "../operator.ts"
import { ControlFault } from "../state/control.ts"
import { Setback, Submitting } from "./Who.tsx"

/** The proposal, to be changed, confirmed or dropped. What is wrong is said at its field. */
export const ProposalForm = (props: { readonly proposal: ProfileView; readonly proposalId: string }) => {
  const { account } = useOperator()
  const call = useCall()
  const reasonOf = useReasonOf()
  const { t } = useText()
  const faultsOf = useFaultsOf()
  const form = useRef<HTMLFormElement>(null)
  const [based, setBased] = useState({ id: props.proposalId, values: valuesOf(props.proposal) })
  const [values, setValues] = useState(based.values)

  // What the platform did not take of an earlier confirmation stands at its fields.
  const [faults, setFaults] = useState<Faults>(() => faultsOf(account.registration.setback?.fields ?? []))
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState<"confirm" | "cancel">()

  const submitting = account.registration.phase === "submitting"
  // Where our own confirmation has just failed, the stream says so a blink later.
  const confirming = busy === "confirm" || (submitting && failed === undefined)

  const touched = JSON.stringify(values) !== JSON.stringify(based.values)
  const newer = based.id !== props.proposalId
  const take = () => {
    const fresh = valuesOf(props.proposal)
    setBased({ id: props.proposalId, values: fresh })
    setValues(fresh)
    setFaults({})
  }
  // Another proposal, and nothing of the person's own would be lost: it is shown at once.
  if (newer && !touched) take()

  const change = (patch: Partial<Values>) => {
    setValues((before) => ({ ...before, ...patch }))
    setFaults((before) => faultsWithout(before, patch))
    setFailed(undefined)
  }

  const refused = (cause: unknown) => {
    const at = cause instanceof ControlFault ? faultsOf(cause.fields) : {}
    const unsent = cause instanceof ControlFault && cause.code === "invalid_params" && Object.keys(at).length > 0
    // At once: what is disabled cannot take the focus.
    flushSync(() => {
      setBusy(undefined)
      setFaults(at)
      setFailed(unsent ? t("form.faults") : t("form.unsent", { reason: reasonOf(cause) }))
    })
    focusFault(form.current, at)
  }

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy("confirm")
    setFailed(undefined)
    try {
      await call("instaclaw.registration.submit", { proposal_id: props.proposalId, proposal: values })
      setBusy(undefined)
    } catch (cause) {
      refused(cause)
    }
  }

  const cancel = async () => {
    setBusy("cancel")
    setFailed(undefined)
    try {
      await call("instaclaw.registration.cancel", { proposal_id: props.proposalId })
    } catch (cause) {
      setFailed(t("control.failed", { reason: reasonOf(cause) }))
    }
    setBusy(undefined)
  }

  return (
    <section className="card" aria-labelledby="form-title">
      <form ref={form} onSubmit={submit} noValidate className="proposal">
        <div>
          <h2 id="form-title">{t("form.title")}</h2>
          <p className="soft">{t("form.lead")}</p>
        </div>
        {failed === undefined && <Setback account={account} />}
        {newer && touched && (
          <div className="notice" role="status">
            <p>{t("form.newer")}</p>
            <button type="button" className="quiet" onClick={take}>
              {t("form.takeNewer")}
            </button>
          </div>
        )}
        <fieldset className="proposal fields" disabled={confirming}>
          <ProfileFields id={props.proposalId} values={values} faults={faults} onChange={change} onFault={setFaults} />
        </fieldset>
        {submitting && (
          <div className="small" role="status">
            <Submitting />
          </div>
        )}
        <p className="bad form-failed" role="alert">
          {failed}
        </p>
        <div className="card-buttons">
          <Button type="submit" loading={confirming} disabled={busy === "cancel"}>
            {t("form.confirm")}
          </Button>
          <Button
            variant="default"
            onClick={cancel}
            loading={busy === "cancel"}
            disabled={confirming}
            title={t("form.cancelHint")}
          >
            {t("form.cancel")}
          </Button>
        </div>
      </form>
    </section>
  )
}
