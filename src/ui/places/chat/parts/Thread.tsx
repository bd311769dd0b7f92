import { Button } from "@mantine/core"
import { memo, useEffect, useState } from "react"
import { useApp, useChat } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useSentence } from "../../../shell/failure.ts"
import type { Agent } from "../state/model.ts"
import { emptyConversation } from "../state/model.ts"
import { failureOf } from "../state/store.ts"
import { Announcer } from "./Announcer.tsx"
import { FirstWords } from "./FirstWords.tsx"
import { ExchangeView } from "./Reply.tsx"
import { useStick } from "./useStick.ts"

/** Made anew for each conversation (`key`). */
export const Thread = memo(
  (props: {
    readonly agent: Agent
    readonly sessionId: string | undefined
    readonly onTry: (text: string) => void
  }) => {
    const { agent, sessionId } = props
    const { chat } = useApp()
    const { t } = useText()
    const sentence = useSentence()
    const conversation = useChat((state) =>
      sessionId === undefined ? emptyConversation : (state.conversations[sessionId] ?? emptyConversation)
    )
    const { exchanges, loaded, older } = conversation
    const [fault, setFault] = useState<string>()
    const [loadingOlder, setLoadingOlder] = useState(false)
    const first = exchanges[0]?.messageId
    const { away, content, hold, scroller, toEnd } = useStick(
      first,
      exchanges.filter((exchange) => exchange.sentAt !== undefined).length
    )

    useEffect(() => {
      let current = true
      chat.open(sessionId).catch((cause: unknown) => current && setFault(sentence(failureOf(cause)).words))
      return () => {
        current = false
      }
    }, [chat, sessionId, sentence])

    const showOlder = async () => {
      if (sessionId === undefined) return
      setLoadingOlder(true)
      hold()
      await chat.older(sessionId).catch((cause: unknown) => setFault(sentence(failureOf(cause)).words))
      setLoadingOlder(false)
    }

    const empty = exchanges.length === 0 && (sessionId === undefined || loaded)

    return (
      <div className="thread-frame">
        {/* It scrolls, so the keyboard must reach it. */}
        <div className="thread" ref={scroller} tabIndex={0} role="region" aria-label={t("thread.label")}>
          <div className="thread-content" ref={content}>
            {older !== undefined && (
              <Button variant="default" size="xs" className="older" loading={loadingOlder} onClick={showOlder}>
                {t("thread.older")}
              </Button>
            )}
            {fault !== undefined && (
              <p className="failure failure-bad" role="alert">
                {t("thread.failed")} {fault}{" "}
                <button
                  type="button"
                  className="quiet"
                  onClick={() => {
                    setFault(undefined)
                    chat.open(sessionId).catch((cause: unknown) => setFault(sentence(failureOf(cause)).words))
                  }}
                >
                  {t("app.tryAgain")}
                </button>
              </p>
            )}
            {!empty && exchanges.length === 0 && fault === undefined && <p className="hint">{t("app.loading")}</p>}
            {empty && <FirstWords agent={agent} onTry={props.onTry} />}
            {exchanges.map((exchange) => (
              <ExchangeView key={exchange.messageId} exchange={exchange} />
            ))}
          </div>
        </div>
        {away && (
          <button type="button" className="newest" onClick={toEnd}>
            {t("thread.newest")} <span aria-hidden="true">↓</span>
          </button>
        )}
        <Announcer name={agent.name} last={exchanges.at(-1)} />
      </div>
    )
  }
)
Thread.displayName = "Thread"
