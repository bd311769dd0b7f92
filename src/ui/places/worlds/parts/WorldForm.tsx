import { Button, Group, NativeSelect, Textarea, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useEffect, useRef, useState } from "react"
import { raiseHandModes, searchModes } from "../../../../services/protocol/Worlds.ts"
import { ApiError } from "../../../api/http.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useFault } from "../../../shell/failure.ts"
import { pathOf, useDesk, useWhy } from "../desk.ts"
import { leaveNote } from "../notes.ts"
import { go, writeRoute } from "../route.ts"
import { type Agent, readWorld, type World } from "../state/model.ts"
import * as form from "../state/worldForm.ts"
import { useWorld } from "../useWorld.ts"
import { afterPress } from "./afterPress.ts"
import { Confirm } from "./Confirm.tsx"
import { Questions } from "./Questions.tsx"
import { NotYet } from "./NotYet.tsx"

/** What a person has begun to write outlives a look at something else; another person's is another one. */
const drafts = new Map<string, form.Values>()

export const CreateWorld = () => {
  const { agent, agents, memberships } = useDesk()
  const { http, person } = useApp()
  const { t } = useText()
  if (agent === undefined) {
    return (
      <p className="hint market-hint">
        {agents.value === undefined ? t("app.loading") : t("worlds.form.noAgent")}{" "}
        {agents.value !== undefined && (
          <a className="quiet" href="#/worlds/agents">
            {t("worlds.agent.put")}
          </a>
        )}
      </p>
    )
  }
  return (
    <WorldForm
      title={t("worlds.form.title")}
      lead={t("worlds.form.lead", { name: agent.name })}
      go={t("worlds.form.create")}
      initial={() => drafts.get(person.token) ?? form.empty()}
      onDraft={(values) => drafts.set(person.token, values)}
      onSend={async (body) => {
        const world = readWorld(await http.json("POST", "/v1/worlds", { ...body, agentId: agent.id }))
        drafts.delete(person.token)
        leaveNote(world.id, t("worlds.world.created"))
        await memberships.refresh()
        go({ view: "world", id: world.id })
      }}
    />
  )
}

export const EditWorld = ({ id }: { readonly id: string }) => {
  const { agents } = useDesk()
  const { fault, refresh, value } = useWorld(id)
  const { t } = useText()
  if (value === undefined || agents.value === undefined) {
    return <NotYet className="market-hint" fault={fault} />
  }
  const admin = agents.value.find((each) => value.admins.includes(each.id))
  if (admin === undefined) return <p className="hint market-hint">{t("worlds.why.not_admin")}</p>
  return <Edit world={value} admin={admin} refresh={refresh} />
}

const Edit = (props: { readonly world: World; readonly admin: Agent; readonly refresh: () => Promise<void> }) => {
  const { refresh, world } = props
  const { memberships } = useDesk()
  const { http } = useApp()
  const { t } = useText()
  const why = useWhy()
  const [before] = useState(world)
  const [shutting, setShutting] = useState(false)
  const [said, setSaid] = useState<string>()
  const [fault, setFault] = useState<string>()
  const path = pathOf("worlds", world.id)

  const set = async (isEnabled: boolean) => {
    await http.json("PATCH", path, { isEnabled })
    setSaid(t(isEnabled ? "worlds.form.isOpen" : "worlds.form.isShut"))
    await Promise.all([refresh(), memberships.refresh()])
  }

  return (
    <>
      <WorldForm
        title={t("worlds.form.edit", { world: before.name })}
        lead={undefined}
        go={t("worlds.form.save")}
        cancel={writeRoute({ view: "world", id: world.id })}
        initial={() => form.valuesOf(before)}
        onSend={async (body) => {
          await http.json("PATCH", path, body)
          leaveNote(world.id, t("worlds.world.changed"))
          await memberships.refresh()
          go({ view: "world", id: world.id })
        }}
      />
      <section
        className="market-page worlds-shutting"
        aria-label={t(world.isEnabled ? "worlds.form.shut" : "worlds.form.open")}
      >
        <p className="task-said" role="status">
          {said}
        </p>
        <p className="bad form-failed" role="alert">
          {fault}
        </p>
        <Group>
          {world.isEnabled ? (
            <Button variant="default" className="stop" onClick={() => setShutting(true)}>
              {t("worlds.form.shut")}
            </Button>
          ) : (
            <Button
              variant="default"
              onClick={() => {
                setFault(undefined)
                set(true).catch((cause: unknown) => setFault(t("worlds.notDone", { reason: why(cause) })))
              }}
            >
              {t("worlds.form.open")}
            </Button>
          )}
        </Group>
        <Confirm
          opened={shutting}
          onClose={() => setShutting(false)}
          title={t("worlds.form.shutTitle")}
          text={t("worlds.form.shutText")}
          go={t("worlds.form.shut")}
          onGo={() => set(false)}
        />
      </section>
    </>
  )
}

const WorldForm = (props: {
  readonly title: string
  readonly lead: string | undefined
  readonly go: string
  readonly cancel?: string
  readonly initial: () => form.Values
  readonly onDraft?: (values: form.Values) => void
  readonly onSend: (body: ReturnType<typeof form.bodyOf>) => Promise<void>
}) => {
  const { t } = useText()
  const faultWords = useFault()
  const why = useWhy()
  const element = useRef<HTMLFormElement>(null)
  const [values, setValues] = useState(props.initial)
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set())
  const [all, setAll] = useState(false)
  const [told, setTold] = useState<Readonly<Record<string, string>>>({})
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [jump, setJump] = useState(0)
  const found = form.check(values)
  const count = Object.keys(found).length
  const faultAt = (path: string): string | undefined => {
    const fault = found[path]
    return fault !== undefined && (all || seen.has(path)) ? t(`worlds.bad.${fault.code}`, fault.values) : told[path]
  }

  // After the faults are on the screen: the first of them, from top to bottom, has the focus.
  useEffect(() => {
    if (jump > 0) element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [jump])

  const change = (patch: Partial<form.Values>) => {
    const next = { ...values, ...patch }
    setValues(next)
    props.onDraft?.(next)
    setTold({})
    setFailed(undefined)
  }
  const touch = (path: string) => afterPress(() => setSeen((already) => new Set([...already, path])))
  const text = (
    key: "displayName" | "summary" | "category" | "description" | "interactionRules" | "prohibitedRules"
  ) => ({
    value: values[key],
    onChange: ({ currentTarget: { value } }: { readonly currentTarget: { readonly value: string } }) =>
      change({ [key]: value }),
    onBlur: () => touch(key),
    error: faultAt(key)
  })

  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    setAll(true)
    if (count > 0) {
      setJump((times) => times + 1)
      return setFailed(t("worlds.form.faults"))
    }
    setBusy(true)
    setFailed(undefined)
    try {
      return await props.onSend(form.bodyOf(values))
    } catch (cause) {
      const fields = cause instanceof ApiError ? cause.fields : []
      const strands = fields.some(({ field, message }) => field === "entryProfileSchema" && /stay good/.test(message))
      setTold(Object.fromEntries(fields.map(({ field, message }) => [field, faultWords(message)])))
      setJump((times) => times + 1)
      const reason = strands ? t("worlds.why.strands_members") : why(cause)
      setFailed(t("worlds.form.unsent", { reason }))
    }
    return setBusy(false)
  }

  const template = "conversationTemplate"
  return (
    <form
      ref={element}
      className="market-page market-form"
      noValidate
      aria-labelledby="world-form-title"
      onSubmit={(event) => void send(event)}
    >
      <h2 id="world-form-title" className="wrap">
        {props.title}
      </h2>
      {props.lead !== undefined && <p className="soft">{props.lead}</p>}
      <div className="market-pair">
        <TextInput label={t("worlds.form.name")} {...text("displayName")} autoComplete="off" />
        <TextInput label={t("worlds.form.category")} {...text("category")} autoComplete="off" />
      </div>
      <Textarea
        label={t("worlds.form.summary")}
        description={t("worlds.form.summaryHint")}
        {...text("summary")}
        autosize
        minRows={2}
      />
      <Textarea label={t("worlds.form.description")} {...text("description")} autosize minRows={2} maxRows={12} />
      <Textarea label={t("worlds.form.rules")} {...text("interactionRules")} autosize minRows={2} maxRows={12} />
      <Textarea label={t("worlds.form.prohibited")} {...text("prohibitedRules")} autosize minRows={2} maxRows={12} />
      <Questions fields={values.fields} faultAt={faultAt} onSeen={touch} onChange={(fields) => change({ fields })} />
      <div className="market-pair">
        <NativeSelect
          label={t("worlds.form.requires")}
          value={values.requires}
          onChange={({ currentTarget: { value } }) => change({ requires: value === "owned" ? "owned" : "none" })}
          data={(["none", "owned"] as const).map((each) => ({ value: each, label: t(`worlds.form.requires.${each}`) }))}
        />
        <NativeSelect
          label={t("worlds.form.search")}
          value={values.searchMode}
          onChange={({ currentTarget: { value } }) =>
            change({ searchMode: searchModes.find((each) => each === value) ?? values.searchMode })
          }
          data={searchModes.map((each) => ({ value: each, label: t(`worlds.form.search.${each}`) }))}
        />
      </div>
      <Textarea
        label={t("worlds.form.opening")}
        value={values.opening}
        onChange={({ currentTarget: { value } }) => change({ opening: value })}
        onBlur={() => touch(`${template}.openingText`)}
        error={faultAt(`${template}.openingText`)}
        autosize
        minRows={2}
        maxRows={8}
      />
      <div className="market-pair">
        <TextInput
          label={t("worlds.form.turns")}
          value={values.maxTurns}
          onChange={({ currentTarget: { value } }) => change({ maxTurns: value })}
          onBlur={() => touch(`${template}.maxTurns`)}
          error={faultAt(`${template}.maxTurns`)}
          inputMode="numeric"
          autoComplete="off"
        />
        <TextInput
          label={t("worlds.form.time")}
          value={values.turnTimeout}
          onChange={({ currentTarget: { value } }) => change({ turnTimeout: value })}
          onBlur={() => touch(`${template}.turnTimeoutMs`)}
          error={faultAt(`${template}.turnTimeoutMs`)}
          inputMode="numeric"
          autoComplete="off"
        />
        <NativeSelect
          label={t("worlds.form.hands")}
          value={values.hands}
          onChange={({ currentTarget: { value } }) =>
            change({ hands: raiseHandModes.find((each) => each === value) ?? values.hands })
          }
          data={raiseHandModes.map((each) => ({ value: each, label: t(`worlds.ends.${each}`) }))}
        />
      </div>
      <p className="small soft" role="status">
        {count === 0 ? t("worlds.form.good") : t("worlds.form.bad", { count })}
      </p>
      <p className="bad form-failed wrap" role="alert">
        {failed}
      </p>
      <Group>
        <Button type="submit" loading={busy}>
          {props.go}
        </Button>
        {props.cancel !== undefined && (
          <Button component="a" variant="default" href={props.cancel}>
            {t("app.cancel")}
          </Button>
        )}
      </Group>
    </form>
  )
}
