import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { pathOf, useDesk, useName } from "../desk.ts"
import type { Agent } from "../state/model.ts"
import { Confirm } from "./Confirm.tsx"

export const BlockDialog = (props: {
  readonly agent: Agent
  readonly other: { readonly id: string; readonly name: string }
  readonly onClose: () => void
  readonly onDone: () => Promise<void>
}) => {
  const { agent, other } = props
  const { http } = useApp()
  const { requests } = useDesk()
  const { t } = useText()
  const name = useName()(other.name)
  return (
    <Confirm
      opened
      onClose={props.onClose}
      title={t("worlds.talk.blockTitle", { name })}
      text={t("worlds.talk.blockText", { name, mine: agent.name })}
      go={t("worlds.talk.block", { name })}
      onGo={async () => {
        await http.json("PUT", pathOf("agents", agent.id, "blocked", other.id))
        await Promise.all([requests.refresh(), props.onDone()])
      }}
    />
  )
}
