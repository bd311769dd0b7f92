import { useText } from "../../../i18n/index.ts"
import { useWhy } from "../desk.ts"

/** In the place of what has not come yet, or could not. */
export const NotYet = ({ className = "", fault }: { readonly fault: unknown; readonly className?: string }) => {
  const { t } = useText()
  const why = useWhy()
  return (
    <p className={`hint ${className}`} role={fault === undefined ? undefined : "alert"}>
      {fault === undefined ? t("app.loading") : t("worlds.failed", { reason: why(fault) })}
    </p>
  )
}
