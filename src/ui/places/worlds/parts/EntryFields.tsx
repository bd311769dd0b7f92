import { MultiSelect, NativeSelect, Textarea, TextInput } from "@mantine/core"
import type { EntryField, EntrySchema } from "../../../../services/protocol/EntryProfile.ts"
import { useText } from "../../../i18n/index.ts"
import { isList, type Value, type Values } from "../state/entry.ts"

interface Shared {
  readonly faults: Readonly<Record<string, string>>
  readonly onChange: (field: string, value: Value) => void
  /** Somebody was in it. */
  readonly onSeen: (field: string) => void
}

/** One input for each question, of its kind, with its fault beside it. */
export const EntryFields = (props: Shared & { readonly schema: EntrySchema; readonly values: Values }) => (
  <>
    {props.schema.fields.map((field) => (
      <Field key={field.fieldId} field={field} value={props.values[field.fieldId] ?? ""} {...props} />
    ))}
  </>
)

const Field = (props: Shared & { readonly field: EntryField; readonly value: Value }) => {
  const { faults, field, onChange, onSeen, value } = props
  const { t } = useText()
  const { constraints, description, examples, fieldId, label, required, type } = field
  const hints = [
    ...(required ? [] : [t("worlds.join.optional")]),
    ...(description === "" ? [] : [description]),
    ...(examples.length === 0 ? [] : [t("worlds.join.examples", { examples: examples.join(" · ") })])
  ]
  const shared = {
    label,
    description: hints.length === 0 ? undefined : <span className="wrap">{hints.join(" — ")}</span>,
    error: faults[fieldId],
    "data-field": fieldId,
    onBlur: () => onSeen(fieldId)
  }
  const text = typeof value === "string" ? value : value.join(", ")
  const onText = (event: { readonly currentTarget: { readonly value: string } }) =>
    onChange(fieldId, event.currentTarget.value)

  if (isList(field)) {
    return (
      <MultiSelect
        {...shared}
        data={[...new Set(constraints.choices)]}
        value={typeof value === "string" ? [] : [...value]}
        onChange={(chosen) => onChange(fieldId, chosen)}
        hidePickedOptions
        withScrollArea={false}
        classNames={{ options: "tag-options" }}
      />
    )
  }
  switch (type) {
    case "choice":
    case "boolean": {
      const options =
        type === "choice"
          ? [...new Set(constraints.choices)].map((choice) => ({ value: choice, label: choice }))
          : [
              { value: "true", label: t("worlds.join.yes") },
              { value: "false", label: t("worlds.join.no") }
            ]
      return (
        <NativeSelect
          {...shared}
          value={text}
          onChange={onText}
          data={[{ value: "", label: t("worlds.join.choose") }, ...options]}
        />
      )
    }
    case "long_text":
      return <Textarea {...shared} value={text} onChange={onText} autosize minRows={3} maxRows={12} />
    default:
      return (
        <TextInput
          {...shared}
          value={text}
          onChange={onText}
          autoComplete="off"
          {...(type === "number" ? { inputMode: "decimal" as const } : {})}
        />
      )
  }
}
