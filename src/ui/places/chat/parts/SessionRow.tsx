import { ActionIcon, Menu } from "@mantine/core"
import { useState } from "react"
import { useChat } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { writeRoute } from "../route.ts"
import type { Session } from "../state/model.ts"
import { DeleteDialog, RenameDialog } from "./SessionDialogs.tsx"

export const SessionRow = (props: { readonly session: Session; readonly current: boolean }) => {
  const { session, current } = props
  const { t, language } = useText()
  const now = useNow(60_000)
  const [dialog, setDialog] = useState<"rename" | "delete">()
  const writing = useChat((state) => state.conversations[session.sessionId]?.exchanges.at(-1)?.phase === "answering")
  const title = session.title === "" ? t("sessions.untitled") : session.title
  return (
    <li className="row-line">
      <a
        className="row"
        href={writeRoute(session.clawId, session.sessionId)}
        aria-current={current ? "true" : undefined}
      >
        <span className="row-text">
          <span className="row-name clip">{title}</span>
          <span className="small soft clip">
            {writing ? t("sessions.writing") : moment(session.updatedAt, now, language)}
          </span>
        </span>
      </a>
      <Menu position="bottom-end" withinPortal shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" className="row-more" aria-label={t("sessions.more", { title })}>
            <span aria-hidden="true">⋯</span>
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setDialog("rename")}>{t("sessions.rename")}</Menu.Item>
          <Menu.Item className="bad" onClick={() => setDialog("delete")}>
            {t("sessions.delete")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <RenameDialog session={session} opened={dialog === "rename"} onClose={() => setDialog(undefined)} />
      <DeleteDialog session={session} opened={dialog === "delete"} onClose={() => setDialog(undefined)} />
    </li>
  )
}
