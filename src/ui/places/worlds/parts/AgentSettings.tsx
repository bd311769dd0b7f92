import { Button } from "@mantine/core"
import { useCallback, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useLive } from "../../market/live.ts"
import { pathOf, useDesk, useName, useWhy } from "../desk.ts"
import { writeRoute } from "../route.ts"
import { type Activated, type Agent, itemsOf, readActivated, readBlocked, readMembership } from "../state/model.ts"
import { Confirm } from "./Confirm.tsx"
import { Identity } from "./Identity.tsx"

const rarely = () => 15_000

/** What its operator decides: who finds it, who may ask it, whom it blocks, and its token. */
export const AgentSettings = ({ id }: { readonly id: string }) => {
  const { agents } = useDesk()
  const { t } = useText()
  const agent = agents.value?.find((each) => each.id === id)
  if (agent === undefined) {
    return (
      <p className="hint market-hint">{t(agents.value === undefined ? "app.loading" : "worlds.why.not_your_agent")}</p>
    )
  }
  return (
    <article className="market-page" aria-labelledby="settings-title">
      <header className="task-head">
        <h2 id="settings-title" className="wrap">
          {t("worlds.set.title", { name: agent.name })}
        </h2>
        <p className="task-facts soft">
          <span>{agent.address}</span>
          <span>{t(agent.online ? "worlds.online" : "worlds.offline")}</span>
          {!agent.isOwned && <span>{t("worlds.agents.machine")}</span>}
        </p>
      </header>
      <Reach agent={agent} />
      <In agent={agent} />
      <BlockedList agent={agent} />
      <Token agent={agent} />
    </article>
  )
}

const Reach = ({ agent }: { readonly agent: Agent }) => {
  const { http } = useApp()
  const { agents } = useDesk()
  const { t } = useText()
  const why = useWhy()
  const [said, setSaid] = useState<string>()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)

  const set = async (changes: { readonly discoverable?: boolean; readonly contactable?: boolean }) => {
    setBusy(true)
    setSaid(undefined)
    setFault(undefined)
    try {
      await http.json("PATCH", pathOf("agents", agent.id), changes)
      await agents.refresh()
      setSaid(t("worlds.set.saved"))
    } catch (cause) {
      setFault(t("worlds.notDone", { reason: why(cause) }))
    }
    setBusy(false)
  }

  return (
    <div className="market-form">
      <label className="worlds-check">
        <input
          type="checkbox"
          checked={agent.discoverable}
          disabled={busy}
          aria-describedby="discoverable-hint"
          onChange={(event) => void set({ discoverable: event.currentTarget.checked })}
        />
        <span>
          {t("worlds.set.discoverable")}
          <span id="discoverable-hint" className="small soft">
            {t("worlds.set.discoverableHint")}
          </span>
        </span>
      </label>
      <label className="worlds-check">
        <input
          type="checkbox"
          checked={agent.contactable}
          disabled={busy}
          aria-describedby="contactable-hint"
          onChange={(event) => void set({ contactable: event.currentTarget.checked })}
        />
        <span>
          {t("worlds.set.contactable")}
          <span id="contactable-hint" className="small soft">
            {t("worlds.set.contactableHint")}
          </span>
        </span>
      </label>
      <p className="task-said small" role="status">
        {said}
      </p>
      <p className="bad form-failed small" role="alert">
        {fault}
      </p>
    </div>
  )
}

const In = ({ agent }: { readonly agent: Agent }) => {
  const { http } = useApp()
  const { t } = useText()
  const { value } = useLive(
    useCallback(
      async () => itemsOf(await http.json("GET", pathOf("agents", agent.id, "worlds")), readMembership),
      [http, agent.id]
    ),
    rarely
  )
  return (
    <section aria-labelledby="its-worlds">
      <h3 id="its-worlds">{t("worlds.set.worlds")}</h3>
      {value?.length === 0 && <p className="hint">{t("worlds.set.worldsNone")}</p>}
      <ul className="worlds-asks">
        {value?.map((each) => (
          <li key={each.worldId} className="wrap">
            <a href={writeRoute({ view: "world", id: each.worldId })}>{each.name}</a>
            {each.isAdmin && <span className="small soft"> {t("worlds.set.admin")}</span>}
            {!each.isEnabled && <span className="small soft"> {t("worlds.shut")}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}

const BlockedList = ({ agent }: { readonly agent: Agent }) => {
  const { http } = useApp()
  const { t } = useText()
  const why = useWhy()
  const nameless = useName()
  const [failed, setFailed] = useState<string>()
  const { fault, refresh, value } = useLive(
    useCallback(
      async () => itemsOf(await http.json("GET", pathOf("agents", agent.id, "blocked")), readBlocked),
      [http, agent.id]
    ),
    rarely
  )

  const unblock = async (otherId: string) => {
    setFailed(undefined)
    try {
      await http.json("DELETE", pathOf("agents", agent.id, "blocked", otherId))
    } catch (cause) {
      setFailed(t("worlds.notDone", { reason: why(cause) }))
    }
    await refresh()
  }

  return (
    <section aria-labelledby="blocked-title">
      <h3 id="blocked-title">{t("worlds.set.blocked")}</h3>
      {value === undefined && fault !== undefined && (
        <p className="bad">{t("worlds.failed", { reason: why(fault) })}</p>
      )}
      {value?.length === 0 && <p className="hint">{t("worlds.set.blockedNone")}</p>}
      <ul className="worlds-people">
        {value?.map((other) => (
          <li key={other.id} className="worlds-person">
            <div className="worlds-person-head">
              <span className="worlds-row-words">
                <span className="worlds-person-name wrap">{nameless(other.name)}</span>
                <span className="small soft wrap">{other.address}</span>
              </span>
              <button
                type="button"
                className="quiet"
                aria-label={t("worlds.set.unblockNamed", { name: nameless(other.name) })}
                onClick={() => void unblock(other.id)}
              >
                {t("worlds.set.unblock")}
              </button>
            </div>
          </li>
        ))}
      </ul>
      <p className="bad form-failed small" role="alert">
        {failed}
      </p>
    </section>
  )
}

const Token = ({ agent }: { readonly agent: Agent }) => {
  const { http } = useApp()
  const { agents } = useDesk()
  const { t } = useText()
  const [asking, setAsking] = useState(false)
  const [made, setMade] = useState<Activated>()
  return (
    <section aria-labelledby="token-title">
      <h3 id="token-title">{t("worlds.set.token")}</h3>
      {made === undefined ? (
        <>
          <p className="small soft worlds-here">{t("worlds.set.tokenLead")}</p>
          <Button variant="default" size="xs" onClick={() => setAsking(true)}>
            {t("worlds.set.tokenGo")}
          </Button>
        </>
      ) : (
        <Identity
          identity={made}
          name={agent.name}
          said={t("worlds.set.tokenOnce")}
          onDone={() => setMade(undefined)}
        />
      )}
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("worlds.set.tokenTitle")}
        text={t("worlds.set.tokenText", { name: agent.name })}
        go={t("worlds.set.tokenGo")}
        onGo={async () => {
          setMade(readActivated(await http.json("POST", pathOf("agents", agent.id, "token"))))
          await agents.refresh()
        }}
      />
    </section>
  )
}
