import { useEffect, useState } from "react"
import { useText } from "../i18n/index.ts"
import { copyText } from "../lib/copy.ts"

/** Says in words, for two seconds, how it went. */
export const CopyButton = (props: {
  readonly text: string | (() => string)
  readonly label: string
  readonly name?: string
}) => {
  const { t } = useText()
  const [outcome, setOutcome] = useState<"copied" | "refused">()
  useEffect(() => {
    if (outcome === undefined) return undefined
    const timer = setTimeout(() => setOutcome(undefined), 2_000)
    return () => clearTimeout(timer)
  }, [outcome])
  return (
    <button
      type="button"
      className="quiet"
      {...(props.name === undefined || outcome !== undefined ? {} : { "aria-label": props.name })}
      onClick={async () => {
        const text = typeof props.text === "string" ? props.text : props.text()
        setOutcome((await copyText(text)) ? "copied" : "refused")
      }}
    >
      <span aria-live="polite">
        {outcome === undefined ? props.label : t(outcome === "copied" ? "reply.copied" : "reply.copyFailed")}
      </span>
    </button>
  )
}
