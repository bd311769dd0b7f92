import { Button } from "@mantine/core"
import { useCallback, useEffect, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { CopyButton } from "../../../shell/CopyButton.tsx"
import { useReason } from "../../../shell/failure.ts"
import { items } from "../../chat/state/wire.ts"
import { type Activation, readActivation, readAgent, readSecret } from "../state.ts"
import { Shown } from "./Shown.tsx"

const clock = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
}

/** Getting an agent registered as one's own: a token, shown this once, and what to do with it. */
export const AddAgent = () => {
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  const [made, setMade] = useState<{ readonly activation: Activation; readonly token: string }>()
  const [all, setAll] = useState<ReadonlyArray<Activation>>([])
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)
  const now = useNow(1_000)

  const load = useCallback(
    () => http.json("GET", "/api/activations").then((data) => setAll(items(data).map(readActivation))),
    [http]
  )
  useEffect(() => void load().catch(() => undefined), [load])

  const start = async () => {
    setBusy(true)
    setFault(undefined)
    try {
      const data = await http.json("POST", "/api/activations", {})
      setMade({ activation: readActivation(data), token: readSecret(data, "session_token") })
      await load().catch(() => undefined)
    } catch (cause) {
      setFault(t("mine.notDone", { reason: reason(cause) }))
    }
    setBusy(false)
  }

  const withdraw = async (activation: Activation) => {
    setFault(undefined)
    try {
      await http.json("DELETE", `/api/activations/${encodeURIComponent(activation.id)}`)
      if (made?.activation.id === activation.id) setMade(undefined)
      await load()
    } catch (cause) {
      setFault(t("mine.notDone", { reason: reason(cause) }))
    }
  }

  const open = all.filter(
    (each) => each.usedAt === undefined && each.expiresAt > now && each.id !== made?.activation.id
  )
  return (
    <>
      {made === undefined ? (
        <>
          <p>{t("mine.addLead")}</p>
          <Button loading={busy} onClick={start}>
            {t("mine.addGo")}
          </Button>
        </>
      ) : (
        <Made
          {...made}
          current={all.find((each) => each.id === made.activation.id) ?? made.activation}
          onLook={load}
          onAnother={() => setMade(undefined)}
        />
      )}
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
      {open.length > 0 && (
        <>
          <h4 className="caption key-list-title">{t("mine.open")}</h4>
          <ul className="keys">
            {open.map((each) => (
              <li key={each.id} className="key">
                <span className="row-text">
                  <code>{each.hint}…</code>
                  <span className="small soft">
                    {t("mine.openUntil", { when: moment(each.expiresAt, now, language) })}
                  </span>
                </span>
                <button
                  type="button"
                  className="quiet bad"
                  aria-label={t("mine.withdrawNamed", { hint: each.hint })}
                  onClick={() => void withdraw(each)}
                >
                  {t("mine.withdraw")}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

/** How often it is looked whether the token was used, while somebody waits for it before the page. */
const LOOK = 3_000

const Made = (props: {
  readonly activation: Activation
  readonly token: string
  readonly current: Activation
  readonly onLook: () => Promise<unknown>
  readonly onAnother: () => void
}) => {
  const { http } = useApp()
  const { t } = useText()
  const [name, setName] = useState<string>()
  const { current, onLook, token } = props
  const now = useNow(1_000)
  const used = current.usedAt !== undefined
  const over = !used && current.expiresAt <= now

  useEffect(() => {
    if (used || over) return undefined
    const timer = setInterval(() => void onLook().catch(() => undefined), LOOK)
    return () => clearInterval(timer)
  }, [used, over, onLook])
  useEffect(() => {
    if (current.clawId === undefined) return
    const path = `/api/agents/${encodeURIComponent(current.clawId)}`
    void http.json("GET", path).then(
      (data) => setName(readAgent(data).name),
      () => undefined
    )
  }, [http, current.clawId])

  if (used || over) {
    return (
      <div className="key-made">
        <p role="status" className="wrap">
          {over ? t("mine.over") : name === undefined ? t("mine.usedBare") : t("mine.used", { name })}
        </p>
        <Button variant="default" onClick={props.onAnother}>
          {t("mine.another")}
        </Button>
      </div>
    )
  }
  const origin = window.location.origin
  const command = `clawfiber register --url ${origin} --token ${token}`
  const file = `mkdir -p .insta && (umask 077; echo '{"session_token":"${token}"}' > .insta/.activate_session)`
  return (
    <>
      <Shown once={t("mine.addOnce")} label={t("mine.token")} value={token} copy={t("mine.tokenCopy")} />
      <Code label={t("mine.command")} text={command} copy={t("mine.commandCopy")} />
      <Code label={t("mine.addFile")} text={file} copy={t("mine.commandCopy")} />
      <p className="small soft wrap">{t("mine.addHttp", { url: `${origin}/profiles/create` })}</p>
      <p className="small">
        {t("mine.waiting")} {t("mine.left", { time: clock(current.expiresAt - now) })}
      </p>
    </>
  )
}

const Code = (props: { readonly label: string; readonly text: string; readonly copy: string }) => (
  <div className="mine-code">
    <span className="small">{props.label}</span>
    <div className="code" role="group" aria-label={props.label}>
      <pre tabIndex={0}>{props.text}</pre>
    </div>
    <CopyButton text={props.text} label={props.copy} name={`${props.copy}: ${props.label}`} />
  </div>
)
