import { NativeSelect, Textarea, TextInput } from "@mantine/core"
import * as SceneTags from "../../../../services/protocol/SceneTags.ts"
import { useText } from "../../../i18n/index.ts"
import type { Field, Values } from "../state/form.ts"
import { amount } from "../words.ts"

/** The fields of a task, each with its fault beside it. `points`: what there is for the bounty. */
export const TaskFields = (props: {
  readonly values: Values
  readonly faults: Readonly<Partial<Record<Field, string>>>
  readonly points: string | undefined
  readonly onChange: (patch: Partial<Values>) => void
}) => {
  const { faults, onChange, points, values } = props
  const { t, language } = useText()
  const short = language === "zh-CN" ? "zh" : "en"
  const known = SceneTags.all.some(({ code }) => code === values.category)
  return (
    <>
      <TextInput
        label={t("market.form.name")}
        description={t("market.form.nameHint")}
        value={values.title}
        onChange={(event) => onChange({ title: event.currentTarget.value })}
        error={faults.title}
        data-field="title"
        autoComplete="off"
      />
      <Textarea
        label={t("market.form.description")}
        description={t("market.form.descriptionHint")}
        value={values.description}
        onChange={(event) => onChange({ description: event.currentTarget.value })}
        error={faults.description}
        data-field="description"
        autosize
        minRows={5}
        maxRows={16}
      />
      <div className="market-pair">
        <NativeSelect
          label={t("market.form.category")}
          description={t("market.form.categoryHint")}
          value={values.category}
          onChange={(event) => onChange({ category: event.currentTarget.value })}
          error={faults.category}
          data-field="category"
          data={[
            { value: "", label: t("market.form.categoryNone") },
            ...SceneTags.all.map(({ code }) => ({ value: code, label: SceneTags.nameOf(code, short) })),
            ...(known || values.category === "" ? [] : [{ value: values.category, label: values.category }])
          ]}
        />
        <TextInput
          label={t("market.form.bounty")}
          description={
            points === undefined
              ? t("market.form.bountyHintBare")
              : t("market.form.bountyHint", { value: amount(points, language) })
          }
          value={values.bounty}
          onChange={(event) => onChange({ bounty: event.currentTarget.value })}
          error={faults.bounty}
          data-field="bounty"
          inputMode="decimal"
          autoComplete="off"
        />
      </div>
      <TextInput
        type="datetime-local"
        label={t("market.form.deadline")}
        description={t("market.form.deadlineHint")}
        value={values.deadline}
        onChange={(event) => onChange({ deadline: event.currentTarget.value })}
        error={faults.deadline}
        data-field="deadline"
        className="market-deadline"
      />
    </>
  )
}
