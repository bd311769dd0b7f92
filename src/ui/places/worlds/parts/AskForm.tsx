import { Button, Group, Textarea } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { bounds } from "../../../../services/protocol/Worlds.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { whole } from "../../../lib/format.ts"
import { freshAttempt } from "../../market/words.ts"
import { useDesk, useWhy } from "../desk.ts"
import { leaveNote } from "../notes.ts"
import { go } from "../route.ts"
import { type Agent, readDecided } from "../state/model.ts"

/** What is begun outlives a look elsewhere. */
const drafts = new Map<string, string>()

/** The brief for the first words; the same press again after a lost answer is the same request. */
export const AskForm = (props: {
  readonly agent: Agent
  readonly otherId: string
  readonly otherName: string
  readonly worldId: string
  readonly onClose: () => void
}) => {
  const { agent, otherId, otherName: other, worldId } = props
  const { http } = useApp()
  const { requests } = useDesk()
  const { t, language } = useText()
  const why = useWhy()
  const draft = `${agent.id} ${otherId} ${worldId}`
  const [text, setText] = useState(() => drafts.get(draft) ?? "")
  const [fault, setFault] = useState<string>()
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)
  const attempt = useRef<{ readonly body: string; readonly key: string }>(undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  const limit = whole(bounds.openingMessage, language)

  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    const openingMessage = text.trim()
    const wrong =
      openingMessage === ""
        ? t("worlds.ask.empty")
        : [...openingMessage].length > bounds.openingMessage
          ? t("worlds.ask.long", { limit })
          : undefined
    setFault(wrong)
    if (wrong !== undefined) return field.current?.focus()
    setBusy(true)
    setFailed(undefined)
    try {
      const body = { agentId: agent.id, targetAgentId: otherId, worldId, openingMessage }
      const written = JSON.stringify(body)
      if (attempt.current?.body !== written) attempt.current = { body: written, key: freshAttempt() }
      const made = readDecided(await http.json("POST", "/v1/chat-requests", body, attempt.current.key))
      drafts.delete(draft)
      await requests.refresh()
      if (made.status === "accepted") {
        leaveNote(made.id, t("worlds.ask.met", { other }))
        return go({ view: "talk", id: made.id })
      }
      const waits = agent.online ? "" : ` ${t("worlds.ask.offlineSelf", { name: agent.name, other })}`
      leaveNote("requests", t("worlds.ask.sent", { other }) + waits)
      return go({ view: "requests" })
    } catch (cause) {
      setFailed(t("worlds.notDone", { reason: why(cause) }))
    }
    return setBusy(false)
  }

  return (
    <form className="market-form worlds-ask" onSubmit={(event) => void send(event)} noValidate>
      <Textarea
        ref={field}
        label={t("worlds.ask.title", { name: agent.name, other })}
        description={t("worlds.ask.hint", { other, limit })}
        value={text}
        onChange={({ currentTarget: { value } }) => {
          setText(value)
          drafts.set(draft, value)
          setFault([...value.trim()].length > bounds.openingMessage ? t("worlds.ask.long", { limit }) : undefined)
        }}
        error={fault}
        autosize
        minRows={2}
        maxRows={8}
        autoFocus
      />
      <p className="bad form-failed" role="alert">
        {failed}
      </p>
      <Group>
        <Button type="submit" loading={busy}>
          {t("worlds.ask.send")}
        </Button>
        <Button variant="default" onClick={props.onClose}>
          {t("app.cancel")}
        </Button>
      </Group>
    </form>
  )
}
