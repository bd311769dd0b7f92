import { Button, MultiSelect, TagsInput, Textarea, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import type { ProfileView } from "../../../../services/channel/Control.ts"
import * as SceneTags from "../../../../services/protocol/SceneTags.ts"
import { useText } from "../../../i18n/index.ts"
import { reasonOf, useCall, useOperator } from "../operator.ts"
import { ControlFault } from "../state/control.ts"
import { faultKey } from "../state/faults.ts"
import { AvatarField } from "./AvatarField.tsx"
import { Setback } from "./Who.tsx"

/** As it stands in the fields: numbers are text until they are sent. */
interface Values {
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  readonly hourly_rate: string
  readonly instance_type: string
}

type Field = keyof Values
type Faults = Readonly<Partial<Record<Field, string>>>

const valuesOf = (proposal: ProfileView): Values => ({
  name: proposal.name,
  description: proposal.description,
  avatar: proposal.avatar,
  scene_tags: proposal.scene_tags,
  custom_tags: proposal.custom_tags,
  hourly_rate: String(proposal.hourly_rate),
  instance_type: String(proposal.instance_type)
})

const order: ReadonlyArray<Field> = [
  "name",
  "description",
  "avatar",
  "scene_tags",
  "custom_tags",
  "hourly_rate",
  "instance_type"
]

const isField = (field: string): field is Field => order.some((other) => other === field)

/** The proposal, to be changed, confirmed or dropped. What is wrong is said at its field. */
export const ProposalForm = (props: { readonly proposal: ProfileView; readonly proposalId: string }) => {
  const { account } = useOperator()
  const call = useCall()
  const { t, language } = useText()
  const form = useRef<HTMLFormElement>(null)
  const [based, setBased] = useState({ id: props.proposalId, values: valuesOf(props.proposal) })
  const [values, setValues] = useState(based.values)
  const inPlace = (fields: ControlFault["fields"]): Faults => {
    const found: Record<string, string> = {}
    for (const { field, message } of fields) {
      const key = faultKey(message)
      if (isField(field) && found[field] === undefined) found[field] = key === undefined ? message : t(key)
    }
    return found
  }

  // What the platform did not take of an earlier confirmation stands at its fields.
  const [faults, setFaults] = useState<Faults>(() => inPlace(account.registration.setback?.fields ?? []))
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState<"confirm" | "cancel">()

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
    setFaults((before) => {
      const left: Record<string, string> = { ...before }
      for (const field of Object.keys(patch)) delete left[field]
      return left
    })
    setFailed(undefined)
  }

  const refused = (cause: unknown) => {
    const at = cause instanceof ControlFault ? inPlace(cause.fields) : {}
    setFaults(at)
    const first = order.find((field) => at[field] !== undefined)
    const unsent = cause instanceof ControlFault && cause.code === "invalid_params" && first !== undefined
    setFailed(unsent ? t("form.faults") : t("form.unsent", { reason: reasonOf(cause, t) }))
    form.current?.querySelector<HTMLElement>(`[data-field="${first}"]`)?.focus()
  }

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy("confirm")
    setFailed(undefined)
    try {
      await call("instaclaw.registration.submit", { proposal_id: props.proposalId, proposal: values })
    } catch (cause) {
      refused(cause)
    }
    setBusy(undefined)
  }

  const cancel = async () => {
    setBusy("cancel")
    setFailed(undefined)
    try {
      await call("instaclaw.registration.cancel", { proposal_id: props.proposalId })
    } catch (cause) {
      setFailed(t("control.failed", { reason: reasonOf(cause, t) }))
    }
    setBusy(undefined)
  }

  const short = language === "zh-CN" ? "zh" : "en"
  const sceneTags = [
    ...SceneTags.all.map(({ code }) => code),
    ...values.scene_tags.filter((code) => SceneTags.all.every((tag) => tag.code !== code))
  ].map((code) => {
    const name = SceneTags.nameOf(code, short)
    return { value: code, label: name === code ? code : `${code} ${name}` }
  })

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
        <TextInput
          label={t("form.name")}
          value={values.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          error={faults.name}
          data-field="name"
          autoComplete="off"
        />
        <Textarea
          label={t("form.description")}
          description={t("form.descriptionHint")}
          value={values.description}
          onChange={(event) => change({ description: event.currentTarget.value })}
          error={faults.description}
          data-field="description"
          autosize
          minRows={3}
          maxRows={8}
        />
        <AvatarField
          id={props.proposalId}
          name={values.name}
          avatar={values.avatar}
          fault={faults.avatar}
          onChange={(avatar) => change({ avatar })}
          onFault={(avatar) => setFaults((before) => ({ ...before, avatar }))}
        />
        <MultiSelect
          label={t("form.sceneTags")}
          description={t("form.sceneTagsHint")}
          data={sceneTags}
          value={[...values.scene_tags]}
          onChange={(scene_tags) => change({ scene_tags })}
          filter={({ options, search }) => {
            const wanted = search.trim().toLowerCase()
            return options.filter((option) => {
              if (!("value" in option)) return true
              const tag = SceneTags.all.find(({ code }) => code === option.value)
              return `${option.value} ${tag?.en ?? ""} ${tag?.zh ?? ""}`.toLowerCase().includes(wanted)
            })
          }}
          nothingFoundMessage={t("form.noTag")}
          error={faults.scene_tags}
          data-field="scene_tags"
          searchable
          hidePickedOptions
        />
        <TagsInput
          label={t("form.customTags")}
          description={t("form.customTagsHint")}
          value={[...values.custom_tags]}
          onChange={(custom_tags) => change({ custom_tags })}
          error={faults.custom_tags}
          data-field="custom_tags"
          acceptValueOnBlur
        />
        <div className="proposal-pair">
          <TextInput
            label={t("form.rate")}
            description={t("form.rateHint")}
            value={values.hourly_rate}
            onChange={(event) => change({ hourly_rate: event.currentTarget.value })}
            error={faults.hourly_rate}
            data-field="hourly_rate"
            inputMode="decimal"
            autoComplete="off"
          />
          <TextInput
            label={t("form.type")}
            description={t("form.typeHint")}
            value={values.instance_type}
            onChange={(event) => change({ instance_type: event.currentTarget.value })}
            error={faults.instance_type}
            data-field="instance_type"
            inputMode="numeric"
            autoComplete="off"
          />
        </div>
        <p className="bad form-failed" role="alert">
          {failed}
        </p>
        <div className="card-buttons">
          <Button type="submit" loading={busy === "confirm"} disabled={busy === "cancel"}>
            {t("form.confirm")}
          </Button>
          <Button
            variant="default"
            onClick={cancel}
            loading={busy === "cancel"}
            disabled={busy === "confirm"}
            title={t("form.cancelHint")}
          >
            {t("form.cancel")}
          </Button>
        </div>
      </form>
    </section>
  )
}
