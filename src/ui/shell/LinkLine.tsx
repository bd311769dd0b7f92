import { useApp } from "../app.ts"
import { useText } from "../i18n/index.ts"
import { whole } from "../lib/format.ts"
import { useNow } from "../lib/hooks.ts"

/** The page's own line, in words. While it holds there is nothing to say. */
export const LinkLine = () => {
  const { link } = useApp()
  const { t } = useText()
  if (link.phase === "waiting") return <Offline retryAt={link.retryAt} />
  // A first dial takes a blink and needs no words.
  return link.phase === "connecting" && link.attempt > 1 ? (
    <div className="link-line" role="status">
      {t("link.connecting")}
    </div>
  ) : null
}

const Offline = ({ retryAt }: { readonly retryAt: number }) => {
  const { socket } = useApp()
  const { t, language } = useText()
  const now = useNow(500)
  const left = whole(Math.max(1, Math.ceil((retryAt - now) / 1000)), language)
  return (
    <div className="link-line link-down">
      {/* Read out once; the count beside it is for the eye. */}
      <span className="hidden" role="status">
        {t("composer.offline")}
      </span>
      <span>{t(navigator.onLine ? "link.retryIn" : "link.noNetwork", { seconds: left })}</span>
      <button type="button" className="quiet" onClick={socket.tryNow}>
        {t("link.tryNow")}
      </button>
    </div>
  )
}
