import { Button, Group } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { useApp } from "../../../app.ts"
import { ApiError } from "../../../api/http.ts"
import { useText } from "../../../i18n/index.ts"
import { recall, remember } from "../../../lib/storage.ts"
import { useFault } from "../../../shell/failure.ts"
import { pathOf, useDesk, useWhy } from "../desk.ts"
import { leaveNote } from "../notes.ts"
import { go, writeRoute } from "../route.ts"
import * as entry from "../state/entry.ts"
import { type Agent, readOutcome, type World } from "../state/model.ts"
import { useWorld } from "../useWorld.ts"
import { afterPress } from "./afterPress.ts"
import { EntryFields } from "./EntryFields.tsx"
import { NotYet } from "./NotYet.tsx"

/** A world's questions, for the agent that is acted for. */
export const JoinForm = ({ id }: { readonly id: string }) => {
  const { agent, agents, memberships } = useDesk()
  const { fault, value } = useWorld(id)
  const { t } = useText()
  if (agents.value !== undefined && agent === undefined) {
    return (
      <p className="hint market-hint">
        {t("worlds.join.noAgent")}{" "}
        <a className="quiet" href="#/worlds/agents">
          {t("worlds.agent.put")}
        </a>
      </p>
    )
  }
  if (value === undefined || agent === undefined || memberships.value === undefined) {
    return <NotYet className="market-hint" fault={fault} />
  }
  const membership = memberships.value.find(({ isMember, worldId }) => isMember && worldId === id)
  return <Form key={agent.id} agent={agent} world={value} before={membership?.profile} />
}

const Form = (props: {
  readonly agent: Agent
  readonly world: World
  /** What it says already; undefined: it is not in. */
  readonly before: Readonly<Record<string, unknown>> | undefined
}) => {
  const { agent, before } = props
  // The questions stay as they were while one writes.
  const [world] = useState(props.world)
  const { schema } = world
  const { http } = useApp()
  const { memberships } = useDesk()
  const { t } = useText()
  const faultWords = useFault()
  const why = useWhy()
  const element = useRef<HTMLFormElement>(null)
  const place = `worlds.draft.${world.id}.${agent.id}`
  const [fresh] = useState(() => entry.valuesOf(schema, before ?? {}))
  const [kept] = useState(() => entry.readDraft(schema, recall(place)))
  const [values, setValues] = useState(kept ?? fresh)
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set(kept === undefined ? [] : filled(kept)))
  const [told, setTold] = useState<Readonly<Record<string, string>>>({})
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)
  const found = entry.check(schema, values)
  const count = Object.keys(found).length

  const words = ({ code, values: parts }: entry.Fault) => t(`worlds.entry.${code}`, parts)
  const faults = Object.fromEntries([
    ...Object.entries(found).flatMap(([field, fault]) => (seen.has(field) ? [[field, words(fault)] as const] : [])),
    ...Object.entries(told)
  ])

  const focus = (fields: ReadonlyArray<string>) => {
    const first = schema.fields.find(({ fieldId }) => fields.includes(fieldId))?.fieldId
    if (first !== undefined) element.current?.querySelector<HTMLElement>(`[data-field="${first}"]`)?.focus()
  }

  const change = (field: string, value: entry.Value) => {
    const next = { ...values, [field]: value }
    setValues(next)
    setTold((before) => Object.fromEntries(Object.entries(before).filter(([each]) => each !== field)))
    setFailed(undefined)
    remember(place, JSON.stringify(entry.draftOf(schema, next)))
  }

  const refuse = (fields: ReadonlyArray<{ readonly field: string; readonly message: string }>, whole: string) => {
    setTold(
      Object.fromEntries(
        fields.map(({ field, message }) => [field, message === "" ? t("worlds.entry.missing") : faultWords(message)])
      )
    )
    focus(fields.map(({ field }) => field))
    setFailed(fields.length > 0 ? t("worlds.join.faults") : whole)
  }

  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    setSeen(new Set([...schema.fields.map(({ fieldId }) => fieldId), "profile"]))
    if (count > 0) {
      focus(Object.keys(found))
      return setFailed(t("worlds.join.faults"))
    }
    setBusy(true)
    setFailed(undefined)
    try {
      const body = { agentId: agent.id, profileSnapshot: entry.draftOf(schema, values) }
      const outcome = readOutcome(await http.json("POST", pathOf("worlds", world.id, "join"), body))
      if (!outcome.isJoined) {
        refuse(outcome.faults, faultWords(outcome.message))
        return setBusy(false)
      }
      remember(place, undefined)
      leaveNote(world.id, t(before === undefined ? "worlds.join.joined" : "worlds.join.saved", { name: agent.name }))
      await memberships.refresh()
      return go({ view: "world", id: world.id })
    } catch (cause) {
      refuse(cause instanceof ApiError ? cause.fields : [], t("worlds.notDone", { reason: why(cause) }))
    }
    return setBusy(false)
  }

  const forget = () => {
    remember(place, undefined)
    setValues(fresh)
    setSeen(new Set())
    setTold({})
    setFailed(undefined)
  }

  return (
    <form
      ref={element}
      className="market-page market-form"
      noValidate
      aria-labelledby="join-title"
      onSubmit={(event) => void send(event)}
    >
      <h2 id="join-title" className="wrap">
        {before === undefined
          ? t("worlds.join.title", { world: world.name })
          : t("worlds.join.change", { name: agent.name, world: world.name })}
      </h2>
      <p className="soft">{t("worlds.join.lead", { name: agent.name })}</p>
      {kept !== undefined && (
        <p className="notice small">
          {t("worlds.join.kept")}{" "}
          <button type="button" className="quiet" onClick={forget}>
            {t("worlds.join.forget")}
          </button>
        </p>
      )}
      <EntryFields
        schema={schema}
        values={values}
        faults={faults}
        onChange={change}
        onSeen={(field) => afterPress(() => setSeen((already) => new Set([...already, field])))}
      />
      <p className="small soft" role="status">
        {count === 0 ? t("worlds.join.whole") : t("worlds.join.missing", { count })}
      </p>
      {faults["profile"] !== undefined && <p className="bad small">{faults["profile"]}</p>}
      <p className="bad form-failed" role="alert">
        {failed}
      </p>
      <Group>
        <Button type="submit" loading={busy}>
          {t(before === undefined ? "worlds.join.go" : "worlds.join.save")}
        </Button>
        <Button component="a" variant="default" href={writeRoute({ view: "world", id: world.id })}>
          {t("app.cancel")}
        </Button>
      </Group>
    </form>
  )
}

/** What somebody wrote in is looked at at once; what is still empty is not held against them yet. */
const filled = (values: entry.Values): ReadonlyArray<string> =>
  Object.entries(values).flatMap(([field, value]) => (value.length > 0 ? [field] : []))
