import { useEffect, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useReason } from "../../../shell/failure.ts"
import { Markdown } from "../../chat/parts/Markdown.tsx"
import { read } from "../state/csv.ts"
import type { Look } from "../state/preview.ts"
import type { Shown } from "./FileRow.tsx"
import { fetchFile } from "./files.ts"

type Visible = Exclude<Look, "none" | "large">
type Content = { readonly image: string } | { readonly text: string }

/** Characters: past them a page is slow to scroll. */
const most = 100_000

/** A stranger's file, never run: pictures as pictures, Markdown sanitized, tables as tables, all else as its text. */
export const Preview = (props: { readonly file: Shown; readonly look: Visible }) => {
  const { file, look } = props
  const { http } = useApp()
  const { t } = useText()
  const reason = useReason()
  const [content, setContent] = useState<Content>()
  const [fault, setFault] = useState<string>()

  useEffect(() => {
    let current = true
    let address: string | undefined
    const load = async () => {
      try {
        const blob = await fetchFile(http, file.path)
        if (!current) return
        if (look === "image") {
          address = URL.createObjectURL(blob)
          setContent({ image: address })
          return
        }
        const text = await blob.text()
        if (current) setContent({ text })
      } catch (cause) {
        if (current) setFault(reason(cause))
      }
    }
    void load()
    return () => {
      current = false
      if (address !== undefined) URL.revokeObjectURL(address)
    }
  }, [http, file.path, look, reason])

  if (fault !== undefined) {
    return (
      <p className="bad small" role="alert">
        {t("market.result.unreadable", { name: file.name, reason: fault })}
      </p>
    )
  }
  if (content === undefined) {
    return (
      <p className="hint" role="status">
        {t("market.result.loading", { name: file.name })}
      </p>
    )
  }
  if ("image" in content) {
    return (
      <div className="preview">
        <img src={content.image} alt={t("market.result.picture", { name: file.name })} />
      </div>
    )
  }
  const cut = content.text.length > most
  const text = cut ? content.text.slice(0, most).toWellFormed() : content.text
  return (
    <>
      <div className="preview" role="group" aria-label={t("market.result.preview", { name: file.name })} tabIndex={0}>
        {text.trim() === "" ? (
          <p className="hint">{t("market.result.emptyFile")}</p>
        ) : look === "markdown" ? (
          <Markdown text={text} />
        ) : look === "table" ? (
          <Table text={text} />
        ) : (
          <pre>{text}</pre>
        )}
      </div>
      {cut && <p className="small soft">{t("market.result.cut")}</p>}
    </>
  )
}

/** Rows and columns have no other name than their place. */
const placed = (cells: ReadonlyArray<string>) => cells.map((cell, place) => [place, cell] as const)

const Table = ({ text }: { readonly text: string }) => {
  const { t } = useText()
  const table = read(text)
  return (
    <>
      <table className="preview-table">
        <thead>
          <tr>
            {placed(table.head).map(([place, cell]) => (
              <th key={place} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows
            .map((row, place) => [place, row] as const)
            .map(([place, row]) => (
              <tr key={place}>
                {placed(row).map(([column, cell]) => (
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
      {table.cut && <p className="small soft">{t("market.result.cut")}</p>}
    </>
  )
}
