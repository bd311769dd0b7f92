import { Button, Group } from "@mantine/core"
import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { pathOf, useDesk } from "../desk.ts"
import { go } from "../route.ts"
import type { World } from "../state/model.ts"
import { Confirm } from "./Confirm.tsx"

/** Whether one's agent is in this world, and its way in and out. */
export const Here = (props: {
  readonly world: World
  readonly isMember: boolean
  readonly onDone: (words: string) => void
}) => {
  const { isMember, world } = props
  const { agent, agents, memberships } = useDesk()
  const { http } = useApp()
  const { t } = useText()
  const [leaving, setLeaving] = useState(false)
  if (agents.value === undefined || (agent !== undefined && memberships.value === undefined)) return null
  if (agent === undefined) {
    return (
      <p className="notice">
        {t("worlds.join.noAgent")}{" "}
        <a className="quiet" href="#/worlds/agents">
          {t("worlds.agent.put")}
        </a>
      </p>
    )
  }
  const { name } = agent
  return (
    <section aria-labelledby="here-title">
      <h3 id="here-title">{t("worlds.mine.title", { name })}</h3>
      <p className="worlds-here">{t(isMember ? "worlds.mine.in" : "worlds.mine.out")}</p>
      <Group>
        {(isMember || world.isEnabled) && (
          <Button
            variant={isMember ? "default" : "filled"}
            onClick={() => go({ view: "join", id: world.id })}
            disabled={!world.isEnabled}
          >
            {isMember ? t("worlds.mine.change") : t("worlds.mine.join", { name })}
          </Button>
        )}
        {isMember && (
          <Button variant="default" onClick={() => setLeaving(true)}>
            {t("worlds.mine.leave")}
          </Button>
        )}
      </Group>
      <Confirm
        opened={leaving}
        onClose={() => setLeaving(false)}
        title={t("worlds.mine.leaveTitle")}
        text={t("worlds.mine.leaveText", { name })}
        go={t("worlds.mine.leave")}
        onGo={async () => {
          await http.json("DELETE", pathOf("worlds", world.id, "memberships", agent.id))
          props.onDone(t("worlds.mine.left", { name }))
        }}
      />
    </section>
  )
}
