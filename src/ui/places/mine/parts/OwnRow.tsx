import { ActionIcon, Menu } from "@mantine/core"
import type { Translate } from "../../../i18n/index.ts"
import { useChat } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import type { OwnAgent } from "../state.ts"

export type Task = "edit" | "rotate" | "off" | "revoke"

/** One state in words, the one that matters most first; `tone` beside it, never alone. */
const stateOf = (
  agent: OwnAgent,
  t: Translate,
  when: (at: number) => string
): { readonly words: string; readonly tone: "good" | "bad" | "soft" } => {
  if (agent.state === "inactive")
    return { words: t(agent.offByOperator ? "mine.offByOperator" : "mine.off"), tone: "bad" }
  if (agent.revoked) return { words: t("mine.noKeys"), tone: "bad" }
  if (agent.state === "pending") return { words: t("mine.pending"), tone: "soft" }
  if (agent.online) {
    const words = agent.since === undefined ? t("agent.online") : t("agent.onlineSince", { when: when(agent.since) })
    return { words, tone: "good" }
  }
  if (agent.since === undefined) return { words: t("mine.never"), tone: "soft" }
  return { words: t("agent.awaySince", { when: when(agent.since) }), tone: "soft" }
}

export const OwnRow = (props: {
  readonly agent: OwnAgent
  readonly onTask: (task: Task) => void
  readonly onSwitchOn: () => void
}) => {
  const { agent, onTask } = props
  const { t, language } = useText()
  const now = useNow(60_000)
  const name = agent.name === "" ? t("agent.nameless") : agent.name
  // The chat hears who comes and goes; what was loaded here is of the moment it was loaded in.
  const heard = useChat((state) => state.agents.find((other) => other.clawId === agent.claw_id))
  const present = heard === undefined ? agent : { ...agent, online: heard.online, since: heard.since ?? agent.since }
  const { tone, words } = stateOf(present, t, (at) => moment(at, now, language))
  return (
    <li className="mine-row">
      <Avatar id={agent.claw_id} name={agent.name} avatar={agent.avatar} />
      <span className="row-text">
        <span className="row-name clip">{name}</span>
        <span className={`small ${tone}`}>{words}</span>
      </span>
      <button type="button" className="quiet" aria-label={`${t("mine.edit")}: ${name}`} onClick={() => onTask("edit")}>
        {t("mine.edit")}
      </button>
      <Menu position="bottom-end" withinPortal shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" className="row-more" aria-label={t("mine.more", { name })}>
            <span aria-hidden="true">⋯</span>
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => onTask("rotate")}>{t("mine.rotate")}</Menu.Item>
          {agent.state === "inactive" ? (
            <Menu.Item onClick={props.onSwitchOn} disabled={agent.offByOperator}>
              {t("mine.switchOn")}
            </Menu.Item>
          ) : (
            <Menu.Item onClick={() => onTask("off")}>{t("mine.switchOff")}</Menu.Item>
          )}
          {!agent.revoked && (
            <Menu.Item className="bad" onClick={() => onTask("revoke")}>
              {t("mine.revoke")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </li>
  )
}
