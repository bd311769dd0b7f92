import { useState } from "react"
import type { EndedView, ReplyView } from "../../../../services/channel/Control.ts"
import { useText } from "../../../i18n/index.ts"
import { moment, seconds, whole } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { useSentence } from "../../../shell/failure.ts"
import { useCall, useDuration, useOperator, useReasonOf } from "../operator.ts"

const few = 12

/** What runs, with a stop; below it the last hundred and how they ended. */
export const Replies = () => {
  const { account } = useOperator()
  const { t, language } = useText()
  const [all, setAll] = useState(false)
  const [said, setSaid] = useState<string>()
  const call = useCall()
  const reasonOf = useReasonOf()
  const { counts, in_flight, recent } = account
  const shown = all ? recent : recent.slice(0, few)
  const failed = Object.values(counts.failed).reduce((total, count) => total + count, 0)

  const stop = async (reply: ReplyView) => {
    setSaid(t("replies.stopped"))
    try {
      const result = await call("instaclaw.reply.stop", { response_id: reply.response_id })
      const stopped = (result as { readonly stopped?: unknown } | null | undefined)?.stopped === true
      setSaid(stopped ? undefined : t("replies.gone"))
    } catch (cause) {
      setSaid(t("control.failed", { reason: reasonOf(cause) }))
    }
  }

  return (
    <section className="card card-wide" aria-labelledby="replies-title">
      <div className="card-head">
        <h2 id="replies-title">{t("replies.title")}</h2>
        <p className="small soft">
          {t("replies.counts", {
            accepted: whole(counts.accepted, language),
            completed: whole(counts.completed, language),
            failed: whole(failed, language)
          })}
        </p>
      </div>
      <p className="small" role="status">
        {said}
      </p>
      {in_flight.length + recent.length === 0 ? (
        <p className="hint">{t("replies.none")}</p>
      ) : (
        <table className="replies">
          <thead>
            <tr>
              <th scope="col">{t("replies.when")}</th>
              <th scope="col">{t("replies.session")}</th>
              <th scope="col">{t("replies.firstWords")}</th>
              <th scope="col">{t("replies.length")}</th>
              <th scope="col">{t("replies.end")}</th>
            </tr>
          </thead>
          <tbody>
            {in_flight.map((reply) => (
              <Running key={reply.response_id} reply={reply} onStop={() => void stop(reply)} />
            ))}
            {shown.map((reply) => (
              <Ended key={reply.response_id} reply={reply} />
            ))}
          </tbody>
        </table>
      )}
      {recent.length > few && (
        <button type="button" className="quiet" onClick={() => setAll(!all)}>
          {all ? t("replies.showFewer") : t("replies.showAll", { formatted: whole(recent.length, language) })}
        </button>
      )}
    </section>
  )
}

/** Its end tells conversations apart; all of it stands in the title. */
const Session = ({ id }: { readonly id: string | null }) => {
  const { t } = useText()
  if (id === null) return <span className="soft">{t("replies.noSession")}</span>
  return (
    <code className="clip" title={id}>
      {id.length > 18 ? `…${id.slice(-14)}` : id}
    </code>
  )
}

const Figures = ({ reply }: { readonly reply: ReplyView }) => {
  const { t, language } = useText()
  const { accepted_at, characters, first_delta_at } = reply
  return (
    <>
      <td data-label={t("replies.firstWords")}>
        {first_delta_at === null
          ? "–"
          : t("side.seconds", { seconds: seconds(first_delta_at - accepted_at, language) })}
      </td>
      <td data-label={t("replies.length")}>{whole(characters, language)}</td>
    </>
  )
}

const Running = (props: { readonly reply: ReplyView; readonly onStop: () => void }) => {
  const { reply } = props
  const { t } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  const words =
    reply.started_at === null
      ? t("replies.waiting")
      : reply.first_delta_at === null
        ? t("replies.thinking")
        : t("replies.writing")
  return (
    <tr className="reply-running">
      <td data-label={t("replies.when")}>{t("replies.now")}</td>
      <td data-label={t("replies.session")}>
        <Session id={reply.session_id} />
      </td>
      <Figures reply={reply} />
      <td data-label={t("replies.end")}>
        <div className="reply-end">
          <span>
            {words}, {duration(now - reply.accepted_at)}
          </span>
          <button
            type="button"
            className="quiet bad stop-reply"
            aria-label={t("replies.stopNamed", { session: reply.session_id ?? t("replies.noSession") })}
            onClick={props.onStop}
          >
            {t("replies.stop")}
          </button>
        </div>
      </td>
    </tr>
  )
}

const Ended = ({ reply }: { readonly reply: EndedView }) => {
  const { t, language } = useText()
  const sentence = useSentence()
  const now = useNow(60_000)
  const said = reply.failure === null ? undefined : sentence(reply.failure)
  return (
    <tr>
      <td data-label={t("replies.when")}>{moment(reply.ended_at, now, language)}</td>
      <td data-label={t("replies.session")}>
        <Session id={reply.session_id} />
      </td>
      <Figures reply={reply} />
      <td data-label={t("replies.end")}>
        {said === undefined ? (
          t("replies.completed", { seconds: seconds(reply.ended_at - reply.accepted_at, language) })
        ) : (
          <span className={reply.failure?.code === "CANCELLED" ? "wrap" : "bad wrap"}>
            {said.words}
            {said.detail !== undefined && said.detail !== said.words && ` ${said.detail}`}
          </span>
        )}
      </td>
    </tr>
  )
}
