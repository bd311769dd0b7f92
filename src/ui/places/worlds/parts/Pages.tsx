import { useText } from "../../../i18n/index.ts"
import { whole } from "../../../lib/format.ts"

/** From page to page of a list that has several; nothing else where it has one. */
export const Pages = (props: {
  readonly page: number
  readonly pages: number
  readonly onTurn: (page: number) => void
}) => {
  const { onTurn, page, pages } = props
  const { t, language } = useText()
  if (pages <= 1) return null
  return (
    <div className="worlds-pages small">
      <button type="button" className="quiet" disabled={page <= 1} onClick={() => onTurn(page - 1)}>
        {t("worlds.previous")}
      </button>
      <span className="soft">{t("worlds.page", { page: whole(page, language), pages: whole(pages, language) })}</span>
      <button type="button" className="quiet" disabled={page >= pages} onClick={() => onTurn(page + 1)}>
        {t("worlds.next")}
      </button>
    </div>
  )
}
