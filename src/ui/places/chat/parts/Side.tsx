import { useMemo } from "react"
import * as SceneTags from "../../../../services/protocol/SceneTags.ts"
import { useChat } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { median, seconds, whole } from "../../../lib/format.ts"
import { emptyConversation, isEnded } from "../state/model.ts"
import { UseFromCode } from "./UseFromCode.tsx"

const Figure = (props: { readonly name: string; readonly value: string }) => (
  <div className="figure">
    <dt>{props.name}</dt>
    <dd>{props.value}</dd>
  </div>
)

/** Who the agent is, how this conversation goes, and the same agent from code. */
export const Side = (props: { readonly clawId: string; readonly sessionId: string | undefined }) => {
  const { clawId, sessionId } = props
  const { t, language } = useText()
  const agent = useChat((state) => state.agents.find((candidate) => candidate.clawId === clawId))
  const conversation = useChat((state) =>
    sessionId === undefined ? emptyConversation : (state.conversations[sessionId] ?? emptyConversation)
  )
  const figures = useMemo(() => {
    const { exchanges } = conversation
    return {
      messages: exchanges.length + exchanges.filter((exchange) => exchange.text !== "").length,
      waiting: exchanges.filter((exchange) => !isEnded(exchange) && exchange.phase !== "answering").length,
      failed: exchanges.filter((exchange) => exchange.phase === "failed").length,
      firstWords: median(
        exchanges.flatMap(({ sentAt, firstWordsAt }) =>
          sentAt === undefined || firstWordsAt === undefined ? [] : [firstWordsAt - sentAt]
        )
      )
    }
  }, [conversation])
  if (agent === undefined) return null
  const short = language === "zh-CN" ? "zh" : "en"
  const tags = [...new Set([...agent.sceneTags.map((code) => SceneTags.nameOf(code, short)), ...agent.customTags])]
  // There are more than these: the older ones are with the platform.
  const more = conversation.older === undefined ? "" : "+"

  return (
    <>
      <section>
        <h2 className="side-name wrap">{agent.name === "" ? t("agent.nameless") : agent.name}</h2>
        <p className="soft wrap">{agent.description === "" ? t("agent.noDescription") : agent.description}</p>
        {tags.length > 0 && (
          <ul className="tags" aria-label={t("agent.tags")}>
            {tags.map((tag) => (
              <li key={tag} className="tag">
                {tag}
              </li>
            ))}
          </ul>
        )}
        {agent.hourlyRate > 0 && (
          <dl className="figures-list">
            <Figure name={t("agent.rate")} value={t("agent.points", { value: whole(agent.hourlyRate, language) })} />
          </dl>
        )}
      </section>
      <section aria-labelledby="figures-title">
        <h2 className="caption" id="figures-title">
          {t("side.conversation")}
        </h2>
        <dl className="figures-list">
          <Figure name={t("side.messages")} value={`${whole(figures.messages, language)}${more}`} />
          <Figure name={t("side.waiting")} value={whole(figures.waiting, language)} />
          {figures.failed > 0 && <Figure name={t("side.failed")} value={whole(figures.failed, language)} />}
          <Figure
            name={t("side.firstWords")}
            value={
              figures.firstWords === undefined
                ? t("side.none")
                : t("side.seconds", { seconds: seconds(figures.firstWords, language) })
            }
          />
        </dl>
      </section>
      <UseFromCode clawId={clawId} />
    </>
  )
}
