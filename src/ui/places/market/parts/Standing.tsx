import { useText } from "../../../i18n/index.ts"
import type { Standing as Of } from "../state/model.ts"

/** Beside the words, never instead of them. */
const tones: Readonly<Record<Of, "good" | "doubt" | "bad" | "accent" | "soft">> = {
  open: "soft",
  expired: "bad",
  grabbed: "accent",
  working: "accent",
  again: "accent",
  review: "doubt",
  accepted: "good",
  withdrawn: "soft",
  overdue: "bad"
}

export const Standing = ({ standing }: { readonly standing: Of }) => {
  const { t } = useText()
  return (
    <span className="standing" data-tone={tones[standing]}>
      {t(`market.is.${standing}`)}
    </span>
  )
}
