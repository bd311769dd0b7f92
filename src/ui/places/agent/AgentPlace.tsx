import { useEffect, useMemo, useState } from "react"
import type { LinkState } from "../../link/link.ts"
import { useText } from "../../i18n/index.ts"
import { base } from "../../lib/base.ts"
import { whole } from "../../lib/format.ts"
import { useNow } from "../../lib/hooks.ts"
import { OperatorContext, useControl, useDuration } from "./operator.ts"
import { Hour } from "./parts/Hour.tsx"
import { InWorlds } from "./parts/InWorlds.tsx"
import { LineCard } from "./parts/LineCard.tsx"
import { Replies } from "./parts/Replies.tsx"
import { Settings } from "./parts/Settings.tsx"
import { TokenForm } from "./parts/TokenForm.tsx"
import { Who } from "./parts/Who.tsx"
import { Asks, Work } from "./parts/Work.tsx"
import type { Control } from "./state/control.ts"
import { makeControl } from "./state/control.ts"
import { keepToken, useToken } from "./state/token.ts"

/** The place of the one who runs the agent: it needs the control token, and nobody signed in. */
export const AgentPlace = () => {
  const { t } = useText()
  const token = useToken()
  return token === undefined ? (
    <main className="operator" id="main" tabIndex={-1}>
      <header className="operator-head">
        <h1>{t("operator.title")}</h1>
      </header>
      <TokenForm refused={undefined} onToken={keepToken} />
    </main>
  ) : (
    <WithToken key={token} token={token} onToken={keepToken} />
  )
}

const WithToken = (props: { readonly token: string; readonly onToken: (token: string | undefined) => void }) => {
  const { t } = useText()
  const [control] = useState(() =>
    makeControl({
      token: props.token,
      fetch: (path, init) => fetch(`${base}${path}`, { ...init, credentials: "omit", cache: "no-store" }),
      now: () => Date.now(),
      random: () => Math.random(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      }
    })
  )
  const { detailed, link, refused, snapshot } = useControl(control)
  const [wanted, setWanted] = useState<string>()
  useEffect(() => {
    control.start()
    const abort = new AbortController()
    window.addEventListener("online", () => control.tryNow(), { signal: abort.signal })
    return () => {
      abort.abort()
      control.end()
    }
  }, [control])

  // A form must not begin with half of what it is about: an account is shown when its details are there.
  const account = snapshot?.accounts.find(({ id }) => id === detailed)
  const operator = useMemo(() => (account === undefined ? undefined : { control, account }), [control, account])
  const choose = (id: string) => {
    setWanted(id)
    control.choose(id)
  }

  return (
    <main className="operator" id="main" tabIndex={-1}>
      <header className="operator-head">
        <h1>{t("operator.title")}</h1>
        {account !== undefined && refused === undefined && (
          <>
            {(snapshot?.accounts.length ?? 0) > 1 ? (
              <label className="small soft switch">
                {t("operator.account")}
                <select value={wanted ?? account.id} onChange={(event) => choose(event.currentTarget.value)}>
                  {snapshot?.accounts.map((each) => (
                    <option key={each.id} value={each.id}>
                      {each.profile === null || each.profile.name === "" ? each.id : `${each.id}: ${each.profile.name}`}
                    </option>
                  ))}
                </select>
              </label>
            ) : (
              <span className="soft small">{t("operator.accountNamed", { id: account.id })}</span>
            )}
            <span className="soft small clip" title={account.agent.model}>
              {account.agent.description}
            </span>
          </>
        )}
      </header>
      {refused !== undefined ? (
        <TokenForm refused={refused} onToken={props.onToken} />
      ) : (
        <>
          <Lost link={link} control={control} />
          {snapshot === undefined && <p className="hint operator-hint">{t("app.loading")}</p>}
          {snapshot !== undefined && account === undefined && (
            <p className="hint operator-hint">{t("operator.none")}</p>
          )}
          {snapshot !== undefined && (
            <div className="cards">
              {operator !== undefined && (
                <OperatorContext value={operator} key={operator.account.id}>
                  <Asks />
                  <div className="cards-column">
                    <Who />
                    {operator.account.registration.phase === "registered" && <Hour />}
                  </div>
                  <div className="cards-column">
                    <LineCard />
                  </div>
                  {operator.account.registration.phase === "registered" && <Work />}
                  <InWorlds />
                  <Replies />
                </OperatorContext>
              )}
              <Settings settings={snapshot.settings} />
              <Foot
                version={snapshot.version}
                startedAt={snapshot.started_at}
                onForget={() => props.onToken(undefined)}
              />
            </div>
          )}
        </>
      )}
    </main>
  )
}

const Foot = (props: { readonly version: string; readonly startedAt: number; readonly onForget: () => void }) => {
  const { t } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  return (
    <footer className="operator-foot small soft">
      <span>{t("operator.version", { version: props.version, duration: duration(now - props.startedAt) })}</span>
      <button type="button" className="quiet" onClick={props.onForget}>
        {t("operator.forget")}
      </button>
    </footer>
  )
}

/** The page's line to the program, in words where it does not hold. */
const Lost = (props: { readonly link: LinkState; readonly control: Control }) => {
  const { t, language } = useText()
  const now = useNow(500)
  const { link } = props
  if (link.phase === "waiting") {
    return (
      <div className="link-line link-down">
        <span className="hidden" role="status">
          {t("operator.lostSaid")}
        </span>
        <span>
          {t("operator.lost", { seconds: whole(Math.max(1, Math.ceil((link.retryAt - now) / 1_000)), language) })}
        </span>
        <button type="button" className="quiet" onClick={props.control.tryNow}>
          {t("link.tryNow")}
        </button>
      </div>
    )
  }
  return link.phase === "connecting" && link.attempt > 1 ? (
    <div className="link-line" role="status">
      {t("operator.again")}
    </div>
  ) : null
}
