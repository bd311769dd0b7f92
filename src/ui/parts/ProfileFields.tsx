/**
 * The fields of what an agent says of itself, for every form that has them: the owner's, the operator's. What is wrong
 * stands at its field.
 */
import { MultiSelect, TagsInput, Textarea, TextInput } from "@mantine/core"
import { useCallback } from "react"
import * as SceneTags from "../../services/protocol/SceneTags.ts"
import type { Key } from "../i18n/index.ts"
import { useText } from "../i18n/index.ts"
import { AvatarField } from "./AvatarField.tsx"
import { useFault } from "../shell/failure.ts"

/** As it stands in the fields: numbers are text until they are sent. */
export interface Values {
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  readonly hourly_rate: string
  readonly instance_type: string
}

export type Field = keyof Values
export type Faults = Readonly<Partial<Record<Field, string>>>

/** From top to bottom. */
export const order: ReadonlyArray<Field> = [
  "name",
  "description",
  "avatar",
  "scene_tags",
  "custom_tags",
  "hourly_rate",
  "instance_type"
]

const isField = (field: string): field is Field => order.some((other) => other === field)

export const valuesOf = (profile: {
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  readonly hourly_rate: number
  readonly instance_type: number | string
}): Values => ({
  name: profile.name,
  description: profile.description,
  avatar: profile.avatar,
  scene_tags: profile.scene_tags,
  custom_tags: profile.custom_tags,
  hourly_rate: String(profile.hourly_rate),
  instance_type: String(profile.instance_type)
})

/** What the platform says of a body's field is said otherwise of the one on the screen. */
const onScreen: ReadonlyMap<string, Key> = new Map([
  ["The avatar is neither an https address nor an inline picture (data:image/...).", "fault.avatar.shape"],
  ["A scene tag is a code of five digits, like 07001. Words of your own belong into custom_tags.", "fault.scene.shape"]
])

/** The first fault of each field, in the page's language where it has the words. */
export const useFaultsOf = (): ((
  fields: ReadonlyArray<{ readonly field: string; readonly message: string }>
) => Faults) => {
  const { t } = useText()
  const fault = useFault()
  return useCallback(
    (fields) => {
      const found: Record<string, string> = {}
      for (const { field, message } of fields) {
        const key = onScreen.get(message)
        if (isField(field) && found[field] === undefined) found[field] = key === undefined ? fault(message) : t(key)
      }
      return found
    },
    [t, fault]
  )
}

/** Those that are left once these fields were changed. */
export const faultsWithout = (faults: Faults, patch: Partial<Values>): Faults => {
  const left: Record<string, string> = { ...faults }
  for (const field of Object.keys(patch)) delete left[field]
  return left
}

/** Where the person is to look: the first field with a fault gets the focus. */
export const focusFault = (form: HTMLElement | null, faults: Faults): void => {
  const first = order.find((field) => faults[field] !== undefined)
  if (first !== undefined) form?.querySelector<HTMLElement>(`[data-field="${first}"]`)?.focus()
}

/** `id`: whose picture it is where there is none. */
export const ProfileFields = (props: {
  readonly id: string
  readonly values: Values
  readonly faults: Faults
  readonly onChange: (patch: Partial<Values>) => void
  readonly onFault: (faults: Faults) => void
}) => {
  const { faults, onChange, values } = props
  const { t, language } = useText()
  const short = language === "zh-CN" ? "zh" : "en"
  const sceneTags = [
    ...SceneTags.all.map(({ code }) => code),
    ...values.scene_tags.filter((code) => SceneTags.all.every((tag) => tag.code !== code))
  ].map((code) => {
    const name = SceneTags.nameOf(code, short)
    return { value: code, label: name === code ? code : `${code} ${name}` }
  })

  return (
    <>
      <TextInput
        label={t("form.name")}
        value={values.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        error={faults.name}
        data-field="name"
        autoComplete="off"
      />
      <Textarea
        label={t("form.description")}
        description={t("form.descriptionHint")}
        value={values.description}
        onChange={(event) => onChange({ description: event.currentTarget.value })}
        error={faults.description}
        data-field="description"
        autosize
        minRows={3}
        maxRows={8}
      />
      <AvatarField
        id={props.id}
        name={values.name}
        avatar={values.avatar}
        fault={faults.avatar}
        onChange={(avatar) => onChange({ avatar })}
        onFault={(avatar) => props.onFault({ ...faults, avatar })}
      />
      <MultiSelect
        label={t("form.sceneTags")}
        description={t("form.sceneTagsHint")}
        data={sceneTags}
        value={[...values.scene_tags]}
        onChange={(scene_tags) => onChange({ scene_tags })}
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
        withScrollArea={false}
        classNames={{ options: "tag-options" }}
      />
      <TagsInput
        label={t("form.customTags")}
        description={t("form.customTagsHint")}
        value={[...values.custom_tags]}
        onChange={(custom_tags) => onChange({ custom_tags })}
        error={faults.custom_tags}
        data-field="custom_tags"
        acceptValueOnBlur
      />
      <div className="proposal-pair">
        <TextInput
          label={t("form.rate")}
          description={t("form.rateHint")}
          value={values.hourly_rate}
          onChange={(event) => onChange({ hourly_rate: event.currentTarget.value })}
          error={faults.hourly_rate}
          data-field="hourly_rate"
          inputMode="decimal"
          autoComplete="off"
        />
        <TextInput
          label={t("form.type")}
          description={t("form.typeHint")}
          value={values.instance_type}
          onChange={(event) => onChange({ instance_type: event.currentTarget.value })}
          error={faults.instance_type}
          data-field="instance_type"
          inputMode="numeric"
          autoComplete="off"
        />
      </div>
    </>
  )
}
