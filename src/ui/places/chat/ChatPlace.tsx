import { Drawer } from "@mantine/core"
import { useCallback, useEffect, useState } from "react"
import { useApp, useChat } from "../../app.ts"
import { useText } from "../../i18n/index.ts"
import { useMedia } from "../../lib/hooks.ts"
import { ConversationColumn } from "./parts/ConversationColumn.tsx"
import { Lists } from "./parts/Lists.tsx"
import { Side } from "./parts/Side.tsx"
import { settle, useRoute } from "./route.ts"

/** One rail's place: agents and conversations, the conversation, and what it is about. */
export const ChatPlace = () => {
  const { chat } = useApp()
  const { t } = useText()
  const route = useRoute()
  const narrow = useMedia("(max-width: 760px)")
  const compact = useMedia("(max-width: 1120px)")
  // A sheet belongs to what was on the screen when it was opened: choosing something closes it.
  const screen = `${route.clawId ?? ""}/${route.sessionId ?? ""}/${narrow}/${compact}`
  const [opened, setOpened] = useState<{ readonly sheet: "lists" | "about" | undefined; readonly on: string }>()
  const sheet = opened?.on === screen ? opened.sheet : undefined
  const setSheet = (wanted: "lists" | "about" | undefined) => setOpened({ sheet: wanted, on: screen })
  const [fault, setFault] = useState(false)
  const agents = useChat((state) => state.agents)
  const sessions = useChat((state) => state.sessions)
  const ready = useChat((state) => state.agentsLoaded && state.sessionsLoaded)

  const load = useCallback(() => {
    Promise.all([chat.loadAgents(), chat.loadSessions()]).then(
      () => setFault(false),
      () => setFault(true)
    )
  }, [chat])
  useEffect(load, [load])

  // Nothing chosen yet: where the person was last, else the first agent that is on the line.
  useEffect(() => {
    if (!ready || route.clawId !== undefined) return
    const last = sessions.find((session) => agents.some((agent) => agent.clawId === session.clawId))
    const agent = agents.find((candidate) => candidate.online) ?? agents[0]
    if (last !== undefined) settle(last.clawId, last.sessionId)
    else if (agent !== undefined) settle(agent.clawId)
  }, [ready, route.clawId, sessions, agents])

  // The conversation is gone: deleted here or in another window.
  useEffect(() => {
    if (!ready || route.clawId === undefined || route.sessionId === undefined) return
    if (!sessions.some((session) => session.sessionId === route.sessionId)) settle(route.clawId)
  }, [ready, route, sessions])

  const lists = <Lists route={route} fault={fault} onRetry={load} onChosen={() => setSheet(undefined)} />
  const side = route.clawId === undefined ? null : <Side clawId={route.clawId} sessionId={route.sessionId} />

  return (
    <div className="chat">
      {!narrow && <aside className="column column-lists">{lists}</aside>}
      <ConversationColumn
        route={route}
        narrow={narrow}
        onLists={narrow ? () => setSheet("lists") : undefined}
        onAbout={compact ? () => setSheet("about") : undefined}
      />
      {!compact && (
        <aside className="column column-side" aria-label={t("agent.about")}>
          {side}
        </aside>
      )}
      <Drawer
        opened={sheet === "lists"}
        onClose={() => setSheet(undefined)}
        title={t("sessions.open")}
        position="left"
        size="min(340px, 88vw)"
        closeButtonProps={{ "aria-label": t("app.close") }}
        classNames={{ content: "sheet", header: "sheet" }}
      >
        {lists}
      </Drawer>
      <Drawer
        opened={sheet === "about"}
        onClose={() => setSheet(undefined)}
        title={t("agent.about")}
        position="right"
        size="min(360px, 92vw)"
        closeButtonProps={{ "aria-label": t("app.close") }}
        classNames={{ content: "sheet", header: "sheet" }}
      >
        {side}
      </Drawer>
    </div>
  )
}
