import { Button } from "@mantine/core"
import type { KeyboardEvent } from "react"
import { useMemo } from "react"
import { useChat } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import type { ChatRoute } from "../route.ts"
import { go, writeRoute } from "../route.ts"
import { Presence } from "./Presence.tsx"
import { SessionRow } from "./SessionRow.tsx"

/** Up and Down walk through a list; Tab leaves it as ever. */
const walk = (event: KeyboardEvent<HTMLElement>) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a[href]")]
  const at = links.indexOf(document.activeElement as HTMLElement)
  const target = links[at + (event.key === "ArrowDown" ? 1 : -1)]
  if (at < 0 || target === undefined) return
  event.preventDefault()
  target.focus()
}

export const Lists = (props: {
  readonly route: ChatRoute
  readonly fault: boolean
  readonly onRetry: () => void
  readonly onChosen: () => void
}) => {
  const { route } = props
  const { t } = useText()
  const agents = useChat((state) => state.agents)
  const agentsLoaded = useChat((state) => state.agentsLoaded)
  const sessionsLoaded = useChat((state) => state.sessionsLoaded)
  const all = useChat((state) => state.sessions)
  const sessions = useMemo(() => all.filter((session) => session.clawId === route.clawId), [all, route.clawId])
  const faulty = props.fault && !agentsLoaded

  return (
    <>
      <section aria-labelledby="agents-title">
        <h2 className="caption" id="agents-title">
          {t("agents.title")}
        </h2>
        {faulty && (
          <p className="hint" role="alert">
            {t("agents.failed")}{" "}
            <button type="button" className="quiet" onClick={props.onRetry}>
              {t("app.tryAgain")}
            </button>
          </p>
        )}
        {!agentsLoaded && !faulty && <p className="hint">{t("app.loading")}</p>}
        {agentsLoaded && agents.length === 0 && (
          <p className="hint">
            {t("agents.none")} {t("agents.noneHint")}
          </p>
        )}
        {agents.length > 0 && (
          <ul className="rows" onKeyDown={walk}>
            {agents.map((agent) => (
              <li key={agent.clawId}>
                <a
                  className="row"
                  href={writeRoute(agent.clawId, all.find((session) => session.clawId === agent.clawId)?.sessionId)}
                  aria-current={agent.clawId === route.clawId ? "true" : undefined}
                >
                  <Avatar id={agent.clawId} name={agent.name} avatar={agent.avatar} />
                  <span className="row-text">
                    <span className="row-name clip">{agent.name === "" ? t("agent.nameless") : agent.name}</span>
                    <Presence agent={agent} />
                  </span>
                </a>
              </li>
            ))}
          </ul>
        )}
      </section>

      {route.clawId !== undefined && agentsLoaded && (
        <section aria-labelledby="sessions-title">
          <h2 className="caption" id="sessions-title">
            {t("sessions.title")}
          </h2>
          {sessionsLoaded && sessions.length === 0 && <p className="hint">{t("sessions.none")}</p>}
          {sessions.length > 0 && (
            <ul className="rows" onKeyDown={walk}>
              {sessions.map((session) => (
                <SessionRow key={session.sessionId} session={session} current={session.sessionId === route.sessionId} />
              ))}
            </ul>
          )}
          <Button
            variant="default"
            className="new-session"
            onClick={() => {
              if (route.clawId !== undefined) go(route.clawId)
              props.onChosen()
              document.querySelector<HTMLElement>("[data-composer]")?.focus()
            }}
          >
            {t("sessions.new")}
          </Button>
        </section>
      )}
    </>
  )
}
