import type { ComponentProps } from "react"
import { useText } from "../../../i18n/index.ts"
import * as parts from "../../../parts/Confirm.tsx"
import { useWhy } from "../desk.ts"

/** In the words of Claworld where it was not done. */
export const Confirm = (props: Omit<ComponentProps<typeof parts.Confirm>, "wordsOf">) => {
  const { t } = useText()
  const why = useWhy()
  return <parts.Confirm {...props} wordsOf={(cause) => t("worlds.notDone", { reason: why(cause) })} />
}
