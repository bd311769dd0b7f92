import { useState } from "react"
import type { InWorldsView } from "../../../../services/channel/Control.ts"
import { useText } from "../../../i18n/index.ts"
import { fromPlatform } from "../../../i18n/platform.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useCall, useDuration, useOperator, useReasonOf } from "../operator.ts"

type Talk = InWorldsView["talks"][number]

/** What the agent is at in Claworld: its address, its line there, and its latest talks, each with a stop. */
export const InWorlds = () => {
  const { account } = useOperator()
  const { language, t } = useText()
  const { claworld } = account
  if (claworld === null) return null
  const { address, fault, phase, talks } = claworld
  return (
    <section className="card card-wide" aria-labelledby="claworld-title">
      <h2 id="claworld-title">{t("claworld.title")}</h2>
      <p className="soft wrap">
        {t(phase === "connected" ? "claworld.online" : "claworld.offline", { address })}{" "}
        {fault !== null && fromPlatform(fault, language)}
      </p>
      {talks.length === 0 ? (
        <p className="hint">{t("claworld.none")}</p>
      ) : (
        <ul className="jobs">
          {talks.map((talk) => (
            <TalkLine key={talk.conversation_key} talk={talk} />
          ))}
        </ul>
      )}
    </section>
  )
}

const TalkLine = ({ talk }: { readonly talk: Talk }) => {
  const { t } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  const call = useCall()
  const reasonOf = useReasonOf()
  const [said, setSaid] = useState<string>()
  const who = talk.agent_id ?? t("claworld.service")
  const place = talk.world_id === null ? "" : t("claworld.in", { world: talk.world_id })

  const carry = async (method: "claworld.talk.end" | "claworld.agent.block", params: object, done: string) => {
    setSaid(undefined)
    try {
      await call(method, params)
      setSaid(done)
    } catch (cause) {
      setSaid(t("control.failed", { reason: reasonOf(cause) }))
    }
  }

  return (
    <li className="job">
      <div className="work-line">
        <span className="wrap">
          {t("claworld.with", { who })} {place}{" "}
          <span className="soft">
            {t(`claworld.${talk.state}`)} {t("claworld.ago", { duration: duration(now - talk.at) })}
          </span>
        </span>
        <span>
          <button
            type="button"
            className="quiet"
            aria-label={t("claworld.endNamed", { who })}
            onClick={() =>
              void carry("claworld.talk.end", { conversation_key: talk.conversation_key }, t("claworld.ended"))
            }
          >
            {t("claworld.end")}
          </button>
          {talk.agent_id !== null && (
            <button
              type="button"
              className="quiet"
              aria-label={t("claworld.blockNamed", { who })}
              onClick={() => void carry("claworld.agent.block", { agent_id: talk.agent_id }, t("claworld.blocked"))}
            >
              {t("claworld.block")}
            </button>
          )}
        </span>
      </div>
      <p className="small" role="status">
        {said}
      </p>
    </li>
  )
}
