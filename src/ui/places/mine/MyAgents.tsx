import { Button, Modal } from "@mantine/core"
import { useCallback, useEffect, useRef, useState } from "react"
import { useApp } from "../../app.ts"
import { useText } from "../../i18n/index.ts"
import { useMedia } from "../../lib/hooks.ts"
import { useReason } from "../../shell/failure.ts"
import { items } from "../chat/state/wire.ts"
import { AddAgent } from "./parts/AddAgent.tsx"
import { EditAgent } from "./parts/EditAgent.tsx"
import { OwnRow, type Task } from "./parts/OwnRow.tsx"
import { RotateAgent } from "./parts/RotateAgent.tsx"
import { ShutAgent } from "./parts/ShutAgent.tsx"
import { type OwnAgent, pathOf, readAgent, readNext } from "./state.ts"

/** The agents that are registered as the person's: their state, their profiles, their keys; and how to get another. */
export const MyAgents = (props: { readonly opened: boolean; readonly onClose: () => void }) => {
  const { t } = useText()
  const isNarrow = useMedia("(max-width: 760px)")
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("mine.title")}
      size={680}
      fullScreen={isNarrow}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <Content />
    </Modal>
  )
}

type View = { readonly task: "list" } | { readonly task: "add" } | { readonly task: Task; readonly clawId: string }

/** Mounted with the dialog's opening: a secret that was shown once is gone with its closing. */
const Content = () => {
  const { http } = useApp()
  const { t } = useText()
  const reason = useReason()
  const [agents, setAgents] = useState<ReadonlyArray<OwnAgent>>()
  const [more, setMore] = useState<string>()
  const [fault, setFault] = useState<string>()
  const [view, setView] = useState<View>({ task: "list" })
  const heading = useRef<HTMLHeadingElement>(null)

  const page = useCallback(
    (after?: string) =>
      http.json("GET", `/api/my/agents?limit=50${after === undefined ? "" : `&after=${encodeURIComponent(after)}`}`),
    [http]
  )
  const take = useCallback((data: unknown) => {
    setAgents(items(data).map(readAgent))
    setMore(readNext(data))
    setFault(undefined)
  }, [])
  const load = useCallback(() => page().then(take, (cause) => setFault(reason(cause))), [page, reason, take])
  useEffect(() => void load(), [load])

  const loadMore = async () => {
    try {
      const data = await page(more)
      setAgents((before) => [...(before ?? []), ...items(data).map(readAgent)])
      setMore(readNext(data))
    } catch (cause) {
      setFault(reason(cause))
    }
  }

  const show = (next: View) => {
    setFault(undefined)
    setView(next)
  }
  const back = useCallback(() => {
    setView({ task: "list" })
    void load()
  }, [load])
  // What was on the screen is gone: whoever uses the keyboard goes on at the top of what is there now.
  useEffect(() => {
    if (view.task !== "list") heading.current?.focus()
  }, [view])

  const switchOn = async (agent: OwnAgent) => {
    setFault(undefined)
    try {
      await http.json("POST", pathOf(agent, "/activate"), {})
      await load()
    } catch (cause) {
      setFault(t("mine.notDone", { reason: reason(cause) }))
    }
  }

  if (view.task === "list") {
    return (
      <>
        <p className="soft mine-lead">{t("mine.lead")}</p>
        {fault !== undefined && (
          <p className="bad" role="alert">
            {agents === undefined ? `${t("mine.failed")} ${fault}` : fault}{" "}
            <button type="button" className="quiet" onClick={load}>
              {t("app.tryAgain")}
            </button>
          </p>
        )}
        {agents === undefined && fault === undefined && <p className="hint">{t("app.loading")}</p>}
        {agents?.length === 0 && <p className="hint">{t("mine.none")}</p>}
        {agents !== undefined && agents.length > 0 && (
          <ul className="mine-list">
            {agents.map((agent) => (
              <OwnRow
                key={agent.claw_id}
                agent={agent}
                onTask={(task) => show({ task, clawId: agent.claw_id })}
                onSwitchOn={() => void switchOn(agent)}
              />
            ))}
          </ul>
        )}
        {more !== undefined && (
          <button type="button" className="quiet" onClick={loadMore}>
            {t("mine.moreAgents")}
          </button>
        )}
        <Button className="mine-add" onClick={() => show({ task: "add" })} data-autofocus>
          {t("mine.add")}
        </Button>
      </>
    )
  }

  const chosen = view.task === "add" ? undefined : agents?.find((agent) => agent.claw_id === view.clawId)
  const name = chosen === undefined || chosen.name === "" ? t("agent.nameless") : chosen.name
  const titles = {
    add: "mine.add",
    edit: "mine.editTitle",
    rotate: "mine.rotateTitle",
    off: "mine.offTitle",
    revoke: "mine.revokeTitle"
  } as const
  return (
    <>
      <button type="button" className="quiet mine-back" onClick={back}>
        {t("mine.back")}
      </button>
      <h3 className="mine-heading wrap" ref={heading} tabIndex={-1}>
        {t(titles[view.task], { name })}
      </h3>
      {view.task === "add" && <AddAgent />}
      {chosen !== undefined && view.task === "edit" && <EditAgent agent={chosen} onDone={back} />}
      {chosen !== undefined && view.task === "rotate" && <RotateAgent agent={chosen} onDone={back} />}
      {chosen !== undefined && (view.task === "off" || view.task === "revoke") && (
        <ShutAgent agent={chosen} how={view.task} onDone={back} />
      )}
    </>
  )
}
