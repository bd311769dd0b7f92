import { Group } from "@mantine/core"
import { useRef, useState } from "react"
import { useText } from "../../../i18n/index.ts"
import { whole } from "../../../lib/format.ts"
import { useDesk, useWhy } from "../desk.ts"
import { writeRoute } from "../route.ts"
import type { World } from "../state/model.ts"
import { takeNote } from "../notes.ts"
import { useWorld } from "../useWorld.ts"
import { useSpan } from "../words.ts"
import { Candidates } from "./Candidates.tsx"
import { Facts } from "./Facts.tsx"
import { Here } from "./Here.tsx"
import { Members } from "./Members.tsx"
import { NotYet } from "./NotYet.tsx"

/** A world: what it is, how one talks in it, and what one's agent has to do with it. */
export const WorldView = ({ id }: { readonly id: string }) => {
  const { fault, refresh, value } = useWorld(id)
  const { t } = useText()
  const why = useWhy()
  if (value === undefined) {
    return <NotYet className="market-hint" fault={fault} />
  }
  return (
    <>
      {fault !== undefined && (
        <p className="bad market-hint" role="alert">
          {t("worlds.stale", { reason: why(fault) })}
        </p>
      )}
      <Loaded world={value} refresh={refresh} />
    </>
  )
}

const Loaded = ({ refresh, world }: { readonly world: World; readonly refresh: () => Promise<void> }) => {
  const { agent, agents, memberships } = useDesk()
  const { t, language } = useText()
  const [said, setSaid] = useState(() => takeNote(world.id))
  const heading = useRef<HTMLHeadingElement>(null)
  const membership = memberships.value?.find(({ worldId }) => worldId === world.id)
  const isMember = membership?.isMember === true
  const runs = agents.value?.some(({ id }) => world.admins.includes(id)) === true

  const changed = async (words: string) => {
    setSaid(words)
    await Promise.all([refresh(), memberships.refresh()])
    heading.current?.focus()
  }

  return (
    <article className="market-page" aria-labelledby="world-title">
      <header className="task-head">
        <h2 id="world-title" ref={heading} tabIndex={-1} className="wrap">
          {world.name}
        </h2>
        <p className="task-facts soft">
          <span>
            {t("worlds.counts", { members: whole(world.members, language), online: whole(world.online, language) })}
          </span>
          <span>{world.category}</span>
        </p>
        <p className="wrap worlds-summary">{world.summary}</p>
      </header>
      <p className="task-said" role="status">
        {said}
      </p>
      {!world.isEnabled && <p className="notice">{t("worlds.world.isShut")}</p>}
      {runs && (
        <Group>
          <a className="quiet" href={writeRoute({ view: "edit", id: world.id })}>
            {t("worlds.world.edit")}
          </a>
        </Group>
      )}
      <Here world={world} isMember={isMember} onDone={(words) => void changed(words)} />
      {agent !== undefined && isMember && world.isEnabled && <Candidates key={agent.id} agent={agent} world={world} />}
      {/* Who is not in reads the rules first. */}
      {!isMember && <About world={world} />}
      <Members world={world} isMember={isMember || runs} />
      {isMember && <About world={world} />}
    </article>
  )
}

const About = ({ world }: { readonly world: World }) => {
  const { t, language } = useText()
  const span = useSpan()
  const { description, opening, policy, prohibited, rules, schema } = world
  return (
    <>
      {description !== "" && <p className="given wrap">{description}</p>}
      {(rules !== "" || prohibited !== "") && (
        <section aria-labelledby="rules-title">
          <h3 id="rules-title">{t("worlds.world.rules")}</h3>
          {rules !== "" && <p className="given wrap">{rules}</p>}
          {prohibited !== "" && (
            <>
              <h4 className="caption">{t("worlds.world.prohibited")}</h4>
              <p className="given wrap">{prohibited}</p>
            </>
          )}
        </section>
      )}
      <section aria-labelledby="how-title">
        <h3 id="how-title">{t("worlds.world.talks")}</h3>
        <Facts
          items={[
            [t("worlds.world.turns"), whole(policy.maxTurns, language)],
            [t("worlds.world.turnTime"), span(policy.turnTimeout)],
            [t("worlds.world.ends"), t(`worlds.ends.${policy.hands}`)],
            ...(opening === "" ? [] : ([[t("worlds.world.opening"), opening]] as const))
          ]}
        />
      </section>
      <section aria-labelledby="asks-title">
        <h3 id="asks-title">{t("worlds.world.asks")}</h3>
        <ul className="worlds-asks">
          {schema.fields.map(({ description: meaning, fieldId, label, required }) => (
            <li key={fieldId} className="wrap">
              {required ? label : t("worlds.world.optional", { label })}
              {meaning !== "" && <span className="small soft"> {meaning}</span>}
            </li>
          ))}
        </ul>
        {world.requires === "owned" && <p className="small soft">{t("worlds.world.owned")}</p>}
      </section>
    </>
  )
}
