import { memo } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { characters, seconds, whole } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { CopyButton } from "../../../shell/CopyButton.tsx"
import { useSentence } from "../../../shell/failure.ts"
import type { Exchange } from "../state/model.ts"
import { shownText } from "../state/model.ts"
import { Markdown } from "./Markdown.tsx"
import { Question } from "./Question.tsx"

/** A wait gets a figure once it is long enough to wonder about. */
const PATIENCE = 5_000

const Waited = ({ exchange }: { readonly exchange: Exchange }) => {
  const { t, language } = useText()
  const since = exchange.sentAt ?? exchange.createdAt
  const elapsed = useNow(1_000) - since
  return (
    <p className="line">
      {elapsed < PATIENCE || exchange.sentAt === undefined
        ? t("reply.delivered")
        : t("reply.deliveredFor", { seconds: whole(Math.floor(elapsed / 1000), language) })}
    </p>
  )
}

const Figures = ({ exchange, text }: { readonly exchange: Exchange; readonly text: string }) => {
  const { t, language } = useText()
  const { sentAt, firstWordsAt, endedAt, phase } = exchange
  const count = characters(text)
  const figures = [
    ...(phase === "answering" ? [t("reply.writing")] : []),
    ...(count > 0 ? [t("reply.characters", { count, formatted: whole(count, language) })] : []),
    ...(sentAt !== undefined && firstWordsAt !== undefined
      ? [t("reply.firstWords", { seconds: seconds(firstWordsAt - sentAt, language) })]
      : []),
    ...(phase !== "answering" && sentAt !== undefined && endedAt !== undefined && firstWordsAt !== undefined
      ? [t("reply.wholeAfter", { seconds: seconds(endedAt - sentAt, language) })]
      : [])
  ]
  return <span className="figures">{figures.join(" · ")}</span>
}

const Failed = ({ exchange }: { readonly exchange: Exchange }) => {
  const { chat } = useApp()
  const { t } = useText()
  const { words, detail } = useSentence()(exchange.failure ?? { code: "other", message: "" })
  const stopped = exchange.failure?.code === "CANCELLED"
  return (
    <div className={stopped ? "failure" : "failure failure-bad"}>
      <p>
        {words}
        {detail !== undefined && detail !== words && <span className="failure-detail"> {detail}</span>}
      </p>
      <button type="button" className="quiet" onClick={() => chat.retry(exchange)}>
        {t("reply.retry")}
      </button>
    </div>
  )
}

const Unsent = ({ exchange }: { readonly exchange: Exchange }) => {
  const { chat, link } = useApp()
  const { t } = useText()
  const { words, detail } = useSentence()(exchange.failure ?? { code: "offline", message: "" })
  return (
    <div className="failure failure-mine">
      <p>
        {t("reply.unsent")} {words}
        {detail !== undefined && <span className="failure-detail"> {detail}</span>}
      </p>
      <button type="button" className="quiet" onClick={() => chat.resend(exchange)} disabled={link.phase !== "open"}>
        {t("reply.resend")}
      </button>
      <button type="button" className="quiet" onClick={() => chat.discard(exchange)}>
        {t("reply.discard")}
      </button>
    </div>
  )
}

const Answer = ({ exchange }: { readonly exchange: Exchange }) => {
  const { t } = useText()
  switch (exchange.phase) {
    case "unsent":
      return <Unsent exchange={exchange} />
    case "sending":
      return <p className="line line-mine">{t("reply.sending")}</p>
    case "waiting":
      return <p className="line line-waiting">{t("reply.waiting")}</p>
    case "delivered":
      return <Waited exchange={exchange} />
    case "answering":
    case "completed":
    case "failed": {
      const text = shownText(exchange)
      const ended = exchange.phase !== "answering"
      return (
        <>
          {text !== "" && <Markdown text={text} />}
          {exchange.phase === "completed" && text.trim() === "" && <p className="line">{t("reply.empty")}</p>}
          {exchange.phase === "failed" && <Failed exchange={exchange} />}
          <div className="reply-foot">
            <Figures exchange={exchange} text={text} />
            {ended && text !== "" && <CopyButton text={text} label={t("reply.copy")} />}
          </div>
        </>
      )
    }
  }
}

/** One message and its answer. Renders again only when this exchange changed. */
export const ExchangeView = memo(({ exchange }: { readonly exchange: Exchange }) => (
  <article className="exchange" data-phase={exchange.phase} data-message={exchange.messageId}>
    {/* Nobody has asked: the agent spoke by itself. */}
    {exchange.parts.length > 0 && <Question parts={exchange.parts} />}
    <div className="answer" aria-busy={exchange.phase === "answering"}>
      <Answer exchange={exchange} />
    </div>
  </article>
))
ExchangeView.displayName = "ExchangeView"
