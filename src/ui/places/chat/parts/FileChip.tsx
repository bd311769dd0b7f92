import { useState } from "react"
import { useText } from "../../../i18n/index.ts"

/** A file that is fetched with the person's token when it is opened. */
export const FileChip = (props: { readonly name: string; readonly onOpen: () => Promise<unknown> }) => {
  const { t } = useText()
  const [failed, setFailed] = useState(false)
  const { name } = props
  return failed ? (
    <span className="chip bad" role="alert">
      {t("file.failed", { name })}
    </span>
  ) : (
    <button
      type="button"
      className="chip"
      aria-label={t("file.open", { name })}
      onClick={() => props.onOpen().catch(() => setFailed(true))}
    >
      <span className="clip">{name}</span>
    </button>
  )
}
