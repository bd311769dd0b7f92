import { Button, Group } from "@mantine/core"
import { useCallback, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { pathOf, readRequests, useDesk, useName, useWhy, useWorldName } from "../desk.ts"
import { takeNote } from "../notes.ts"
import { go, writeRoute } from "../route.ts"
import type { Agent, Request } from "../state/model.ts"
import { useStanding } from "../words.ts"

/** What the agent was asked, and what it asked. */
export const Requests = () => {
  const { agent, agents } = useDesk()
  const { t } = useText()
  if (agent === undefined) {
    return <p className="hint market-hint">{t(agents.value === undefined ? "app.loading" : "worlds.agent.none")}</p>
  }
  return <Of key={agent.id} agent={agent} />
}

const Of = ({ agent }: { readonly agent: Agent }) => {
  const { http } = useApp()
  const { requests } = useDesk()
  const { t } = useText()
  const why = useWhy()
  const [said, setSaid] = useState(() => takeNote("requests"))
  const [older, setOlder] = useState<ReturnType<typeof readRequests>>()
  const [moreFault, setMoreFault] = useState<unknown>()
  const { fault = moreFault, refresh, value } = requests
  const known = new Set(value?.items.map(({ id }) => id))
  const items = [...(value?.items ?? []), ...(older?.items ?? []).filter(({ id }) => !known.has(id))]
  const next = older === undefined ? value?.next : older.next

  const more = useCallback(
    async (before: string) => {
      try {
        const page = readRequests(
          await http.json(
            "GET",
            `/v1/chat-requests?agentId=${encodeURIComponent(agent.id)}&limit=50&before=${encodeURIComponent(before)}`
          )
        )
        setOlder((already) => ({ ...page, items: [...(already?.items ?? []), ...page.items] }))
        setMoreFault(undefined)
      } catch (cause) {
        setMoreFault(cause)
      }
    },
    [http, agent.id]
  )

  const decided = async (words: string) => {
    setSaid(words)
    await refresh()
  }
  const inbound = items.filter(({ isInbound }) => isInbound)
  const outbound = items.filter(({ isInbound }) => !isInbound)

  return (
    <article className="market-page" aria-labelledby="requests-title">
      <h2 id="requests-title">{t("worlds.requests.title", { name: agent.name })}</h2>
      <p className="task-said" role="status">
        {said}
      </p>
      {fault !== undefined && (
        <p className="bad" role="alert">
          {t("worlds.stale", { reason: why(fault) })}
        </p>
      )}
      {value === undefined && fault === undefined && <p className="hint">{t("app.loading")}</p>}
      {value !== undefined && (
        <>
          <section aria-labelledby="in-title">
            <h3 id="in-title">{t("worlds.requests.in")}</h3>
            {inbound.length === 0 && <p className="hint">{t("worlds.requests.noneIn")}</p>}
            <ul className="worlds-people">
              {inbound.map((request) => (
                <Row key={request.id} agent={agent} request={request} onDone={(words) => void decided(words)} />
              ))}
            </ul>
          </section>
          <section aria-labelledby="out-title">
            <h3 id="out-title">{t("worlds.requests.out")}</h3>
            {outbound.length === 0 && <p className="hint">{t("worlds.requests.noneOut")}</p>}
            <ul className="worlds-people">
              {outbound.map((request) => (
                <Row key={request.id} agent={agent} request={request} onDone={(words) => void decided(words)} />
              ))}
            </ul>
          </section>
          {next !== undefined && (
            <button type="button" className="quiet" onClick={() => void more(next)}>
              {t("worlds.requests.more")}
            </button>
          )}
        </>
      )}
    </article>
  )
}

const Row = (props: { readonly agent: Agent; readonly request: Request; readonly onDone: (words: string) => void }) => {
  const { agent, request } = props
  const { http } = useApp()
  const { requests } = useDesk()
  const { t, language } = useText()
  const why = useWhy()
  const nameless = useName()
  const standing = useStanding()
  const worldName = useWorldName()
  const now = useNow(30_000)
  const [busy, setBusy] = useState<"accept" | "reject">()
  const [fault, setFault] = useState<string>()
  const { isInbound, opening, other, status, talk, worldId } = request
  const name = nameless(other.name)
  const isOpen = status === "pending"

  const decide = async (what: "accept" | "reject") => {
    setBusy(what)
    setFault(undefined)
    try {
      await http.json("POST", pathOf("chat-requests", request.id, what), { agentId: agent.id })
      if (what === "reject") return props.onDone(t("worlds.request.declined"))
      await requests.refresh()
      return go({ view: "talk", id: request.id })
    } catch (cause) {
      setFault(t("worlds.notDone", { reason: why(cause) }))
      await requests.refresh()
    }
    return setBusy(undefined)
  }

  const stands =
    talk === undefined
      ? isOpen
        ? `${t("worlds.request.is.pending")}, ${t("worlds.request.until", { when: moment(request.expiresAt, now, language) })}`
        : t(`worlds.request.is.${status}`)
      : standing(talk, (id) => (id === other.id ? name : agent.name)).words

  return (
    <li className="worlds-person">
      <div className="worlds-person-head">
        <Avatar id={other.id} name={name} avatar="" size={36} />
        <span className="worlds-row-words">
          <span className="worlds-person-name wrap">
            {name} <span className="small soft">{other.address}</span>
          </span>
          <span className="small soft wrap">
            {moment(request.createdAt, now, language)} ·{" "}
            {worldId === undefined ? (
              t("worlds.request.direct")
            ) : (
              <a href={writeRoute({ view: "world", id: worldId })}>
                {t("worlds.request.in", { world: worldName(worldId) })}
              </a>
            )}{" "}
            · {stands}
          </span>
        </span>
        {talk !== undefined && (
          <a
            className="quiet"
            href={writeRoute({ view: "talk", id: request.id })}
            aria-label={t("worlds.request.toTalkNamed", { name })}
          >
            {t("worlds.request.toTalk")}
          </a>
        )}
      </div>
      {opening === undefined ? (
        <p className="small soft worlds-here">{t("worlds.request.noOpening")}</p>
      ) : (
        <div className="worlds-here small">
          <span className="soft">{t("worlds.request.opening")}: </span>
          <q className="wrap worlds-quote">{opening}</q>
        </div>
      )}
      {isInbound && isOpen && (
        <Group>
          <Button
            size="xs"
            loading={busy === "accept"}
            aria-label={t("worlds.request.acceptNamed", { name })}
            onClick={() => void decide("accept")}
          >
            {t("worlds.request.accept")}
          </Button>
          <Button
            size="xs"
            variant="default"
            loading={busy === "reject"}
            aria-label={t("worlds.request.declineNamed", { name })}
            onClick={() => void decide("reject")}
          >
            {t("worlds.request.decline")}
          </Button>
        </Group>
      )}
      <p className="bad form-failed small" role="alert">
        {fault}
      </p>
    </li>
  )
}
