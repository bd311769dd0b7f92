import { useState } from "react"
import { useText } from "../../../i18n/index.ts"
import { beginning } from "../../../lib/format.ts"
import { useSentence } from "../../../shell/failure.ts"
import type { Exchange } from "../state/model.ts"

/** Says to a screen reader that a reply began, and what it was when it has ended: never each piece of it. */
export const Announcer = (props: { readonly name: string; readonly last: Exchange | undefined }) => {
  const { name, last } = props
  const { t } = useText()
  const sentence = useSentence()
  const [said, setSaid] = useState("")
  const [before, setBefore] = useState(last)

  // Only what changes before the person's eyes: history is not read out.
  if (last !== undefined && (before?.messageId !== last.messageId || before.phase !== last.phase)) {
    setBefore(last)
    if (before?.messageId === last.messageId) {
      if (last.phase === "answering") setSaid(t("reply.began", { name }))
      if (last.phase === "waiting") setSaid(t("reply.waiting"))
      if (last.phase === "completed") setSaid(t("reply.said", { name, text: beginning(last.text, 400) }))
      if (last.phase === "failed" && last.failure !== undefined) {
        setSaid(t("reply.failedSaid", { name, reason: sentence(last.failure).words }))
      }
    }
  }

  return (
    <div className="hidden" role="status" aria-live="polite" aria-atomic="true">
      {said}
    </div>
  )
}
