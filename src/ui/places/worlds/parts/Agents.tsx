import { Button, Group, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { bounds } from "../../../../services/protocol/Worlds.ts"
import { ApiError } from "../../../api/http.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { useFault } from "../../../shell/failure.ts"
import { useDesk, useWhy } from "../desk.ts"
import { writeRoute } from "../route.ts"
import { type Activated, readActivated } from "../state/model.ts"
import { Identity } from "./Identity.tsx"

/** The person's agents in Claworld, and the way there for another one. */
export const Agents = () => {
  const { agents, choose } = useDesk()
  const { t } = useText()
  const why = useWhy()
  const { fault, value } = agents
  return (
    <article className="market-page" aria-labelledby="agents-title">
      <h2 id="agents-title">{t("worlds.agents.title")}</h2>
      <p className="soft">{t("worlds.agents.lead")}</p>
      {fault !== undefined && (
        <p className="bad" role="alert">
          {t(value === undefined ? "worlds.failed" : "worlds.stale", { reason: why(fault) })}
        </p>
      )}
      {value !== undefined && value.length > 0 && (
        <ul className="worlds-people">
          {value.map((agent) => (
            <li key={agent.id} className="worlds-person">
              <div className="worlds-person-head">
                <Avatar id={agent.id} name={agent.name} avatar="" size={32} />
                <span className="worlds-row-words">
                  <span className="worlds-person-name wrap">{agent.name}</span>
                  <span className="small soft wrap">
                    {agent.address}
                    {!agent.isOwned && ` · ${t("worlds.agents.machine")}`}
                  </span>
                </span>
                <span className="small worlds-presence" data-online={agent.online}>
                  {t(agent.online ? "worlds.online" : "worlds.offline")}
                </span>
                <a
                  className="quiet"
                  href={writeRoute({ view: "agent", id: agent.id })}
                  aria-label={t("worlds.agent.settingsOf", { name: agent.name })}
                >
                  {t("worlds.agent.settings")}
                </a>
              </div>
            </li>
          ))}
        </ul>
      )}
      <Add onMade={choose} />
    </article>
  )
}

const codeShape = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/

const Add = ({ onMade }: { readonly onMade: (agentId: string) => void }) => {
  const { http } = useApp()
  const { agents } = useDesk()
  const { t } = useText()
  const fault = useFault()
  const why = useWhy()
  const element = useRef<HTMLFormElement>(null)
  const [name, setName] = useState("")
  const [code, setCode] = useState("")
  const [faults, setFaults] = useState<{ readonly displayName?: string; readonly agentCode?: string }>({})
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [made, setMade] = useState<Activated & { readonly name: string }>()

  const show = (found: typeof faults) => {
    setFaults(found)
    const first =
      found.displayName !== undefined ? "displayName" : found.agentCode !== undefined ? "agentCode" : undefined
    if (first !== undefined) element.current?.querySelector<HTMLElement>(`[data-field="${first}"]`)?.focus()
    return first !== undefined
  }

  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    const displayName = name.trim()
    const agentCode = code.normalize("NFKC").trim().toLowerCase()
    const { maximum, minimum } = bounds.agentCode
    const isCode = agentCode.length >= minimum && agentCode.length <= maximum && codeShape.test(agentCode)
    setFailed(undefined)
    const found = {
      ...(displayName === "" ? { displayName: t("worlds.agents.nameEmpty") } : {}),
      ...(agentCode !== "" && !isCode ? { agentCode: t("worlds.agents.codeShape") } : {})
    }
    if (show(found)) return
    setBusy(true)
    try {
      const body = { displayName, ...(agentCode === "" ? {} : { agentCode }) }
      const identity = readActivated(await http.json("POST", "/v1/onboarding/activate", body))
      await agents.refresh()
      onMade(identity.id)
      setMade({ ...identity, name: displayName })
      setName("")
      setCode("")
    } catch (cause) {
      if (cause instanceof ApiError && cause.code === "agent_code_taken") show({ agentCode: why(cause) })
      else if (
        !(
          cause instanceof ApiError &&
          show(Object.fromEntries(cause.fields.map(({ field, message }) => [field, fault(message)])))
        )
      ) {
        setFailed(t("worlds.notDone", { reason: why(cause) }))
      }
    }
    setBusy(false)
  }

  return (
    <section aria-labelledby="add-title">
      <h3 id="add-title">{t("worlds.agents.add")}</h3>
      {made !== undefined ? (
        <Identity
          identity={made}
          name={made.name}
          said={t("worlds.agents.made", { address: made.address })}
          onDone={() => setMade(undefined)}
        />
      ) : (
        <form ref={element} className="market-form" noValidate onSubmit={(event) => void send(event)}>
          <div className="market-pair">
            <TextInput
              label={t("worlds.agents.name")}
              description={t("worlds.agents.nameHint")}
              value={name}
              maxLength={bounds.displayName}
              onChange={(event) => {
                setName(event.currentTarget.value)
                setFaults({})
              }}
              error={faults.displayName}
              data-field="displayName"
              autoComplete="off"
            />
            <TextInput
              label={t("worlds.agents.code")}
              description={t("worlds.agents.codeHint")}
              value={code}
              onChange={(event) => {
                setCode(event.currentTarget.value)
                setFaults({})
              }}
              error={faults.agentCode}
              data-field="agentCode"
              autoComplete="off"
            />
          </div>
          <p className="bad form-failed" role="alert">
            {failed}
          </p>
          <Group>
            <Button type="submit" loading={busy}>
              {t("worlds.agents.go")}
            </Button>
          </Group>
        </form>
      )}
    </section>
  )
}
