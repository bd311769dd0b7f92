import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { bytes } from "../../../lib/format.ts"
import { useReason } from "../../../shell/failure.ts"
import { lookOf } from "../state/preview.ts"
import { saveFile } from "./files.ts"
import { Preview } from "./Preview.tsx"

export interface Shown {
  /** Of the platform that served this page. */
  readonly path: string
  readonly name: string
  readonly mediaType: string
  readonly size: number
}

/** A file: looked at here where that is possible, or saved. */
export const FileRow = (props: { readonly file: Shown; readonly isOpen?: boolean; readonly note?: string }) => {
  const { file, note } = props
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  const [open, setOpen] = useState(props.isOpen ?? false)
  const [fault, setFault] = useState<string>()
  const look = lookOf(file)

  const save = async () => {
    setFault(undefined)
    try {
      await saveFile(http, file.path, file.name)
    } catch (cause) {
      setFault(t("market.result.unreadable", { name: file.name, reason: reason(cause) }))
    }
  }

  return (
    <li className="file">
      <div className="file-row">
        <span className="file-name wrap">{file.name}</span>
        <span className="small soft">
          {bytes(file.size, language)}
          {note !== undefined && `, ${note}`}
          {look === "large" && `, ${t("market.result.large")}`}
        </span>
        {look !== "none" && look !== "large" && (
          <button
            type="button"
            className="quiet"
            aria-expanded={open}
            aria-label={t(open ? "market.result.hideNamed" : "market.result.lookNamed", { name: file.name })}
            onClick={() => setOpen(!open)}
          >
            {t(open ? "market.result.hide" : "market.result.look")}
          </button>
        )}
        <button
          type="button"
          className="quiet"
          aria-label={t("market.result.downloadNamed", { name: file.name })}
          onClick={() => void save()}
        >
          {t("market.result.download")}
        </button>
      </div>
      {fault !== undefined && (
        <p className="bad small" role="alert">
          {fault}
        </p>
      )}
      {open && look !== "none" && look !== "large" && <Preview file={file} look={look} />}
    </li>
  )
}
