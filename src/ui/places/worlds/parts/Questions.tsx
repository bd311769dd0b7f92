import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core"
import { useId } from "react"
import { fieldTypes } from "../../../../services/protocol/EntryProfile.ts"
import { bounds } from "../../../../services/protocol/Worlds.ts"
import { useText } from "../../../i18n/index.ts"
import { type FieldValues, freshField, hasChoices, hasLeast, hasMost, idFor } from "../state/worldForm.ts"

interface Shared {
  readonly faultAt: (path: string) => string | undefined
  /** Somebody was in it. */
  readonly onSeen: (path: string) => void
}

const at = "entryProfileSchema.fields"

/** What a world asks: questions that one adds, changes and takes away. */
export const Questions = (
  props: Shared & {
    readonly fields: ReadonlyArray<FieldValues>
    readonly onChange: (fields: ReadonlyArray<FieldValues>) => void
  }
) => {
  const { faultAt, fields, onChange } = props
  const { t } = useText()
  const id = useId()
  const whole = faultAt(at) ?? faultAt("entryProfileSchema")
  return (
    <section className="worlds-questions" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{t("worlds.form.fields")}</h3>
      {fields.map((field, place) => (
        <Question
          key={field.key}
          {...props}
          field={field}
          place={place}
          onField={(patch) => onChange(fields.map((each) => (each.key === field.key ? { ...each, ...patch } : each)))}
          onRemove={() => onChange(fields.filter(({ key }) => key !== field.key))}
        />
      ))}
      <div role="alert">{whole !== undefined && <p className="bad small">{whole}</p>}</div>
      <div>
        <Button
          variant="default"
          size="xs"
          disabled={fields.length >= bounds.fields}
          onClick={() => onChange([...fields, freshField()])}
        >
          {t("worlds.form.addField")}
        </Button>
      </div>
    </section>
  )
}

const Question = (
  props: Shared & {
    readonly field: FieldValues
    readonly place: number
    readonly onField: (patch: Partial<FieldValues>) => void
    readonly onRemove: () => void
  }
) => {
  const { faultAt, field, onField, onRemove, onSeen, place } = props
  const { t } = useText()
  const { type } = field
  const path = `${at}[${place}]`
  const isText = type === "text" || type === "long_text"
  const order = faultAt(`${path}.constraints`)
  const leastPath = `${path}.constraints.${isText ? "minLength" : "minimum"}`
  const mostPath = `${path}.constraints.${isText ? "maxLength" : type === "tags" ? "maxItems" : "maximum"}`
  const text = (
    key: "fieldId" | "label" | "description" | "examples" | "choices" | "least" | "most",
    name: string
  ) => ({
    value: field[key],
    onChange: ({ currentTarget: { value } }: { readonly currentTarget: { readonly value: string } }) =>
      onField({ [key]: value }),
    onBlur: () => onSeen(name),
    error: faultAt(name)
  })
  return (
    <fieldset className="worlds-question">
      <legend>
        {t("worlds.form.field", { place: place + 1 })}
        <button
          type="button"
          className="quiet"
          aria-label={t("worlds.form.removeField", { place: place + 1 })}
          onClick={onRemove}
        >
          {t("worlds.form.remove")}
        </button>
      </legend>
      <div className="market-pair">
        <TextInput label={t("worlds.form.label")} {...text("label", `${path}.label`)} autoComplete="off" />
        <NativeSelect
          label={t("worlds.form.type")}
          value={type}
          onChange={({ currentTarget: { value } }) => {
            const chosen = fieldTypes.find((each) => each === value)
            if (chosen !== undefined) onField({ type: chosen })
          }}
          data={fieldTypes.map((each) => ({ value: each, label: t(`worlds.form.type.${each}`) }))}
        />
        <TextInput
          label={t("worlds.form.fieldId")}
          description={t("worlds.form.fieldIdHint", { id: idFor(field.label, place) })}
          {...text("fieldId", `${path}.fieldId`)}
          autoComplete="off"
        />
        <TextInput label={t("worlds.form.hint")} {...text("description", `${path}.description`)} autoComplete="off" />
      </div>
      <label className="worlds-check">
        <input
          type="checkbox"
          checked={field.required}
          onChange={(event) => onField({ required: event.currentTarget.checked })}
        />
        {t("worlds.form.required")}
      </label>
      <div className="market-pair">
        {hasChoices(type) && (
          <Textarea
            label={t("worlds.form.choices")}
            {...text("choices", `${path}.constraints.choices`)}
            autosize
            minRows={2}
            maxRows={8}
          />
        )}
        <Textarea
          label={t("worlds.form.examples")}
          {...text("examples", `${path}.examples`)}
          autosize
          minRows={type === "choice" || type === "tags" ? 2 : 1}
          maxRows={8}
        />
        {hasLeast(type) && (
          <TextInput
            label={t(isText ? "worlds.form.leastLength" : "worlds.form.least")}
            {...text("least", leastPath)}
            onBlur={() => {
              onSeen(leastPath)
              onSeen(`${path}.constraints`)
            }}
            error={faultAt(leastPath) ?? order}
            inputMode="decimal"
            autoComplete="off"
          />
        )}
        {hasMost(type) && (
          <TextInput
            label={t(
              isText ? "worlds.form.mostLength" : type === "tags" ? "worlds.form.mostItems" : "worlds.form.most"
            )}
            {...text("most", mostPath)}
            onBlur={() => {
              onSeen(mostPath)
              onSeen(`${path}.constraints`)
            }}
            inputMode="decimal"
            autoComplete="off"
          />
        )}
      </div>
    </fieldset>
  )
}
