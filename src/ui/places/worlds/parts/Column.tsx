import { useCallback, useState } from "react"
import { type WorldSort, worldSorts } from "../../../../services/protocol/Worlds.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { whole } from "../../../lib/format.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { useLive } from "../../market/live.ts"
import { useDesk, useName, useWhy } from "../desk.ts"
import { type WorldsRoute, writeRoute } from "../route.ts"
import { readWorldPage, type Request, type WorldRow } from "../state/model.ts"
import { useStanding } from "../words.ts"
import { Pages } from "./Pages.tsx"

const often = () => 10_000
const pageSize = 20
/** Talks that the column shows; all are among the requests. */
const newest = 8

const isSort = (value: string): value is WorldSort => worldSorts.some((sort) => sort === value)

/** For whom one acts, what this agent is in, and all worlds. */
export const Column = ({ route }: { readonly route: WorldsRoute }) => {
  const { t } = useText()
  return (
    <section className="market-column" aria-labelledby="worlds-title">
      <header className="market-head">
        <h1 id="worlds-title">{t("worlds.title")}</h1>
        <a className="quiet" href="#/worlds/new" {...(route.view === "new" ? { "aria-current": "page" as const } : {})}>
          {t("worlds.new")}
        </a>
      </header>
      <Mine route={route} />
      <Worlds route={route} />
    </section>
  )
}

const Mine = ({ route }: { readonly route: WorldsRoute }) => {
  const { agent, agents, choose } = useDesk()
  const { t } = useText()
  const why = useWhy()
  if (agents.value === undefined) {
    return agents.fault === undefined ? (
      <p className="hint">{t("app.loading")}</p>
    ) : (
      <p className="bad small" role="alert">
        {t("worlds.failed", { reason: why(agents.fault) })}
      </p>
    )
  }
  if (agent === undefined) {
    return (
      <>
        <p className="hint">{t("worlds.agent.none")}</p>
        <a className="market-post" href="#/worlds/agents">
          {t("worlds.agent.put")}
        </a>
      </>
    )
  }
  return (
    <>
      {agents.fault !== undefined && (
        <p className="bad small" role="alert">
          {t("worlds.stale", { reason: why(agents.fault) })}
        </p>
      )}
      <div className="worlds-who">
        <label className="small soft switch worlds-agent">
          {t("worlds.agent")}
          <select value={agent.id} onChange={({ currentTarget: { value } }) => choose(value)}>
            {agents.value.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name} · {t(each.online ? "worlds.online" : "worlds.offline")}
              </option>
            ))}
          </select>
        </label>
        <span className="worlds-who-links">
          <a
            className="quiet"
            href={writeRoute({ view: "agent", id: agent.id })}
            aria-label={t("worlds.agent.settingsOf", { name: agent.name })}
          >
            {t("worlds.agent.settings")}
          </a>
          <a className="quiet" href="#/worlds/agents">
            {t("worlds.agent.all")}
          </a>
        </span>
      </div>
      <Talks route={route} />
    </>
  )
}

const Talks = ({ route }: { readonly route: WorldsRoute }) => {
  const { agent, requests } = useDesk()
  const { t } = useText()
  const items = requests.value?.items
  const talks = items?.filter(({ talk }) => talk !== undefined).slice(0, newest)
  const waiting = items?.filter(({ isInbound, status }) => isInbound && status === "pending").length ?? 0
  return (
    <>
      <div className="market-filter">
        <h2 className="caption">{t("worlds.talks", { name: agent?.name ?? "" })}</h2>
        <a
          className="quiet"
          href="#/worlds/requests"
          {...(route.view === "requests" ? { "aria-current": "page" as const } : {})}
        >
          {t("worlds.requests")}
        </a>
      </div>
      <p className="worlds-waiting small" role="status">
        {waiting > 0 && t("worlds.requests.waiting", { count: waiting })}
      </p>
      {talks?.length === 0 && <p className="hint">{t("worlds.talks.none")}</p>}
      {talks !== undefined && talks.length > 0 && (
        <ul className="market-list">
          {talks.map((request) => (
            <TalkRow key={request.id} request={request} isChosen={route.view === "talk" && route.id === request.id} />
          ))}
        </ul>
      )}
    </>
  )
}

const TalkRow = ({ isChosen, request }: { readonly request: Request; readonly isChosen: boolean }) => {
  const { agent } = useDesk()
  const { t } = useText()
  const standing = useStanding()
  const nameless = useName()
  const { other, talk } = request
  if (talk === undefined) return null
  const name = nameless(other.name)
  const { tone, words } = standing(talk, (id) => (id === other.id ? name : nameless(agent?.name)))
  return (
    <li>
      <a
        className="market-row worlds-talk-row"
        href={writeRoute({ view: "talk", id: request.id })}
        {...(isChosen ? { "aria-current": "page" } : {})}
      >
        <Avatar id={other.id} name={name} avatar="" size={32} />
        <span className="worlds-row-words">
          <span className="market-row-title clip">{t("worlds.talk.with", { name })}</span>
          <span className="small standing" data-tone={tone}>
            {words}
          </span>
        </span>
      </a>
    </li>
  )
}

const Worlds = ({ route }: { readonly route: WorldsRoute }) => {
  const { http } = useApp()
  const { memberships } = useDesk()
  const { t } = useText()
  const why = useWhy()
  const [sort, setSort] = useState<WorldSort>("hot")
  const [page, setPage] = useState(1)
  const { fault, refresh, value } = useLive(
    useCallback(
      async () => readWorldPage(await http.json("GET", `/v1/worlds?sort=${sort}&page=${page}&limit=${pageSize}`)),
      [http, sort, page]
    ),
    often
  )
  const shut = memberships.value?.filter(({ isEnabled }) => !isEnabled) ?? []
  return (
    <>
      <div className="market-filter">
        <h2 className="caption">{t("worlds.list")}</h2>
        <label className="small soft switch" title={t("worlds.sortHint")}>
          {t("worlds.sort")}
          <select
            value={sort}
            onChange={({ currentTarget: { value: chosen } }) => {
              if (!isSort(chosen)) return
              setSort(chosen)
              setPage(1)
            }}
          >
            {worldSorts.map((each) => (
              <option key={each} value={each}>
                {t(`worlds.sort.${each}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {fault !== undefined && (
        <p className="bad small" role="alert">
          {t(value === undefined ? "worlds.failed" : "worlds.stale", { reason: why(fault) })}{" "}
          <button type="button" className="quiet" onClick={() => void refresh()}>
            {t("app.tryAgain")}
          </button>
        </p>
      )}
      {value === undefined && fault === undefined && <p className="hint">{t("app.loading")}</p>}
      {value?.worlds.length === 0 && <p className="hint">{t("worlds.none")}</p>}
      {value !== undefined && value.worlds.length > 0 && (
        <ul className="market-list worlds-list">
          {value.worlds.map((world) => (
            <Row key={world.id} world={world} isChosen={"id" in route && route.id === world.id} />
          ))}
        </ul>
      )}
      {value !== undefined && <Pages page={page} pages={value.pages} onTurn={setPage} />}
      {shut.length > 0 && (
        <ul className="market-list">
          {shut.map(({ name, worldId }) => (
            <li key={worldId}>
              <a className="market-row" href={writeRoute({ view: "world", id: worldId })}>
                <span className="market-row-title clip">{name}</span>
                <span className="small soft">{t("worlds.shut")}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const Row = ({ isChosen, world }: { readonly world: WorldRow; readonly isChosen: boolean }) => {
  const { t, language } = useText()
  return (
    <li>
      <a
        className="market-row"
        href={writeRoute({ view: "world", id: world.id })}
        {...(isChosen ? { "aria-current": "page" } : {})}
      >
        <span className="market-row-title clip">{world.name}</span>
        <span className="small soft">
          {t("worlds.counts", { members: whole(world.members, language), online: whole(world.online, language) })}
        </span>
      </a>
    </li>
  )
}
