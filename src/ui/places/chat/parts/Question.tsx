import { Modal } from "@mantine/core"
import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import type { Part } from "../state/model.ts"
import { textOf } from "../state/model.ts"
import { download, useFile } from "./files.ts"
import { FileChip } from "./FileChip.tsx"

const ImagePart = (props: { readonly fileId: string; readonly filename: string | undefined }) => {
  const { t } = useText()
  const file = useFile(props.fileId)
  const [large, setLarge] = useState(false)
  const name = props.filename ?? t("file.nameless")
  if (file.state === "failed") return <span className="chip bad">{t("file.failed", { name })}</span>
  if (file.state === "loading") return <span className="picture picture-empty">{name}</span>
  return (
    <>
      <button type="button" className="picture" aria-label={t("file.enlarge", { name })} onClick={() => setLarge(true)}>
        <img src={file.url} alt={t("file.image", { name })} />
      </button>
      <Modal
        opened={large}
        onClose={() => setLarge(false)}
        title={name}
        size="auto"
        closeButtonProps={{ "aria-label": t("app.close") }}
      >
        <img className="picture-large" src={file.url} alt={t("file.image", { name })} />
      </Modal>
    </>
  )
}

const FilePart = (props: { readonly fileId: string; readonly filename: string | undefined }) => {
  const { http } = useApp()
  const { t } = useText()
  const name = props.filename ?? t("file.nameless")
  return <FileChip name={name} onOpen={() => download(http, props.fileId, name)} />
}

const Attached = ({ part }: { readonly part: Part }) => {
  const { t } = useText()
  switch (part.type) {
    case "text":
      return null
    case "image":
      return <ImagePart fileId={part.fileId} filename={part.filename} />
    case "file":
      return <FilePart fileId={part.fileId} filename={part.filename} />
    case "link":
      return /^https?:\/\//i.test(part.url) ? (
        <a className="chip" href={part.url} target="_blank" rel="noopener noreferrer nofollow">
          {t("file.external", { name: part.filename ?? part.url })}
        </a>
      ) : (
        <span className="chip">{part.filename ?? t("file.nameless")}</span>
      )
  }
}

/** What the person wrote: as it was written, no Markdown. */
export const Question = ({ parts }: { readonly parts: ReadonlyArray<Part> }) => {
  const { t } = useText()
  const text = textOf(parts)
  const others = parts.filter((part) => part.type !== "text")
  return (
    <div className="question">
      <span className="hidden">{t("thread.you")}: </span>
      {text !== "" && <p className="question-text">{text}</p>}
      {others.length > 0 && (
        <div className="attached">
          {others.map((part) => (
            <Attached key={part.type === "link" ? part.url : part.fileId} part={part} />
          ))}
        </div>
      )}
    </div>
  )
}
