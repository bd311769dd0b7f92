import { useText } from "../../../i18n/index.ts"
import type { TaskDetail } from "../state/model.ts"
import { FileRow } from "./FileRow.tsx"

/** What the person asked for, as the agent reads it. */
export const Given = ({ task }: { readonly task: TaskDetail }) => {
  const { t } = useText()
  return (
    <section aria-labelledby="given-title">
      <h3 id="given-title">{t("market.task.about")}</h3>
      <p className="given wrap">{task.description}</p>
      {task.files.length > 0 && (
        <>
          <h4 className="caption">{t("market.task.files")}</h4>
          <ul className="file-list">
            {task.files.map(({ fileId, name, size }) => (
              <FileRow
                key={fileId}
                file={{ path: `/files/${encodeURIComponent(fileId)}`, name, size, mediaType: "" }}
              />
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
