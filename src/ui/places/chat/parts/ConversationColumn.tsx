import { Button } from "@mantine/core"
import type { DragEvent } from "react"
import { useCallback, useEffect, useRef, useState } from "react"
import { useApp, useChat } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { LinkLine } from "../../../shell/LinkLine.tsx"
import { useSentence } from "../../../shell/failure.ts"
import type { ChatRoute } from "../route.ts"
import { go } from "../route.ts"
import type { Agent, Part } from "../state/model.ts"
import { isOpen } from "../state/model.ts"
import { failureOf } from "../state/store.ts"
import { Composer } from "./Composer.tsx"
import { Presence } from "./Presence.tsx"
import { Thread } from "./Thread.tsx"
import { useDraft } from "./useDraft.ts"

interface ColumnProps {
  readonly route: ChatRoute
  readonly narrow: boolean
  readonly onLists: (() => void) | undefined
  readonly onAbout: (() => void) | undefined
}

export const ConversationColumn = (props: ColumnProps) => {
  const { t } = useText()
  const agents = useChat((state) => state.agents)
  const loaded = useChat((state) => state.agentsLoaded)
  const agent = agents.find((candidate) => candidate.clawId === props.route.clawId)
  return (
    <main className="column column-thread" id="main" tabIndex={-1}>
      {agent === undefined ? (
        <>
          <header className="thread-head">
            <h1 className="hidden">{t("place.chat")}</h1>
            {props.onLists !== undefined && (
              <Button variant="default" onClick={props.onLists}>
                {t("agents.title")}
              </Button>
            )}
          </header>
          <LinkLine />
          <p className="nothing soft">
            {!loaded
              ? t("app.loading")
              : agents.length === 0
                ? `${t("agents.none")} ${t("agents.noneHint")}`
                : props.route.clawId !== undefined
                  ? t("agent.gone")
                  : t(props.narrow ? "thread.pickNarrow" : "thread.pick")}
          </p>
        </>
      ) : (
        <WithAgent {...props} agent={agent} />
      )}
    </main>
  )
}

const WithAgent = (props: ColumnProps & { readonly agent: Agent }) => {
  const { agent } = props
  const { sessionId } = props.route
  const { chat } = useApp()
  const { t } = useText()
  const sentence = useSentence()
  const [busy, setBusy] = useState(false)
  const [dragging, setDragging] = useState(false)
  const handle = useDraft(sessionId ?? `new:${agent.clawId}`)
  const session = useChat((state) => state.sessions.find((candidate) => candidate.sessionId === sessionId))
  const active = useChat(
    (state) => sessionId !== undefined && state.conversations[sessionId]?.exchanges.some(isOpen) === true
  )
  const name = agent.name === "" ? t("agent.nameless") : agent.name
  const title = session?.title ?? ""

  useEffect(() => {
    document.title = `${title === "" ? name : title} · clawfiber`
  }, [title, name])

  const stop = () => {
    if (sessionId !== undefined) chat.stop(sessionId)
  }
  const stopNow = useRef(stop)
  useEffect(() => {
    stopNow.current = stop
  })

  useEffect(() => {
    if (!active) return undefined
    const onKeyDown = (event: KeyboardEvent) => {
      // A menu or a dialog that is open takes Escape for itself, an input method too.
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return
      if (document.querySelector("[role=dialog], [role=menu]") !== null) return
      stopNow.current()
    }
    document.addEventListener("keydown", onKeyDown)
    return () => document.removeEventListener("keydown", onKeyDown)
  }, [active])

  const send = async (parts: ReadonlyArray<Part>) => {
    setBusy(true)
    try {
      const target = sessionId ?? (await chat.create(agent.clawId))
      chat.send(target, parts)
      handle.clear()
      if (target !== sessionId) go(agent.clawId, target)
    } catch (cause) {
      handle.say(sentence(failureOf(cause)).words)
    }
    setBusy(false)
  }

  const { setText } = handle
  const onTry = useCallback(
    (text: string) => {
      setText(text)
      document.querySelector<HTMLElement>("[data-composer]")?.focus()
    },
    [setText]
  )

  const onDrag = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes("Files")) return
    event.preventDefault()
    setDragging(true)
  }

  return (
    <div
      className="dropzone"
      onDragEnter={onDrag}
      onDragOver={onDrag}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDragging(false)
      }}
      onDrop={(event) => {
        setDragging(false)
        if (event.dataTransfer.files.length === 0) return
        event.preventDefault()
        handle.attach([...event.dataTransfer.files])
      }}
    >
      <header className="thread-head">
        <Avatar id={agent.clawId} name={name} avatar={agent.avatar} />
        <div className="row-text">
          <h1 className="thread-title clip">{name}</h1>
          <Presence agent={agent} long />
        </div>
        {props.onLists !== undefined && (
          <Button variant="default" size="xs" onClick={props.onLists}>
            {t("sessions.title")}
          </Button>
        )}
        {props.onAbout !== undefined && (
          <Button variant="default" size="xs" onClick={props.onAbout} aria-label={t("agent.about")}>
            {t("agent.aboutShort")}
          </Button>
        )}
      </header>
      <LinkLine />
      <Thread key={sessionId ?? agent.clawId} agent={agent} sessionId={sessionId} onTry={onTry} />
      <Composer agent={agent} handle={handle} active={active} busy={busy} onSend={send} onStop={stop} />
      {dragging && <div className="drop-hint">{t("composer.drop")}</div>}
    </div>
  )
}
