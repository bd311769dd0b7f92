import { useText } from "../../../i18n/index.ts"
import { bytes, moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { Markdown } from "../../chat/parts/Markdown.tsx"
import { type Artifact, newestArtifacts, type TaskDetail } from "../state/model.ts"
import { lookOf } from "../state/preview.ts"
import { FileRow } from "./FileRow.tsx"

const fileOf = ({ mediaType, name, size, url }: Artifact) => ({ path: url, mediaType, name, size })

/** What the agent says it did, and its files; the first that can be looked at is open where it is to be reviewed. */
export const Deliverable = (props: {
  readonly task: TaskDetail
  readonly deliverable: NonNullable<TaskDetail["deliverable"]>
}) => {
  const { deliverable, task } = props
  const { t, language } = useText()
  const now = useNow(60_000)
  const { earlier, now: files } = newestArtifacts(deliverable.artifacts)
  const first =
    task.review === "pending" ? files.find((file) => !["none", "large"].includes(lookOf(fileOf(file)))) : undefined
  const { archive } = deliverable
  const entries = archive?.entries
  return (
    <section className="result" aria-labelledby="result-title">
      <h3 id="result-title">{t("market.result.title")}</h3>
      <Markdown text={deliverable.result} />
      {files.length === 0 && archive === undefined && <p className="hint">{t("market.result.onlyWords")}</p>}
      {files.length > 0 && (
        <ul className="file-list" aria-label={t("market.result.files")}>
          {files.map((file) => (
            <FileRow key={file.id} file={fileOf(file)} isOpen={file === first} />
          ))}
        </ul>
      )}
      {earlier.length > 0 && (
        <details>
          <summary className="small">{t("market.result.earlier")}</summary>
          <ul className="file-list">
            {earlier.map((file) => (
              <FileRow key={file.id} file={fileOf(file)} note={moment(file.createdAt, now, language)} />
            ))}
          </ul>
        </details>
      )}
      {archive !== undefined && (
        <>
          <h4 className="caption">{t("market.result.archive")}</h4>
          <ul className="file-list">
            <FileRow key={archive.id} file={fileOf(archive)} />
          </ul>
          {entries !== undefined && entries.length > 0 && (
            <details>
              <summary className="small">{t("market.result.entries", { count: entries.length })}</summary>
              <ul className="entries small">
                {entries.map((entry) => (
                  <li key={entry.path}>
                    <code className="wrap">{entry.path}</code>
                    <span className="soft">{bytes(entry.size, language)}</span>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </section>
  )
}
