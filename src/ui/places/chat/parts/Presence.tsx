import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import type { Agent } from "../state/model.ts"

/** Words first; the colour only repeats them. */
export const Presence = (props: { readonly agent: Agent; readonly long?: boolean }) => {
  const { t, language } = useText()
  const now = useNow(60_000)
  const { online, since } = props.agent
  const when = since === undefined ? undefined : moment(since, now, language)
  const words = online
    ? when !== undefined && props.long === true
      ? t("agent.onlineSince", { when })
      : t("agent.online")
    : when === undefined
      ? t("agent.away")
      : t("agent.awaySince", { when })
  return (
    <span className="presence">
      <span className={online ? "dot dot-on" : "dot"} aria-hidden="true" />
      <span className="clip">{words}</span>
    </span>
  )
}
