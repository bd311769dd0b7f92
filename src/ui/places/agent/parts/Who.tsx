import { Button } from "@mantine/core"
import { useState } from "react"
import type { AccountView } from "../../../../services/channel/Control.ts"
import { nameOf } from "../../../../services/protocol/SceneTags.ts"
import { useText } from "../../../i18n/index.ts"
import { fromPlatform } from "../../../i18n/platform.ts"
import { moment, whole } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { Avatar } from "../../../shell/Avatar.tsx"
import { useCall, useDuration, useOperator, useReasonOf } from "../operator.ts"
import { ProposalForm } from "./ProposalForm.tsx"

/** Who the agent is: on the way there in words with what happens next, a form to confirm, or what was confirmed. */
export const Who = () => {
  const { account } = useOperator()
  const { t } = useText()
  const { registration } = account
  // The form stays while it is being registered: what was written must be there again where that fails.
  const asked = registration.phase === "pending" || registration.phase === "submitting"
  if (asked && registration.proposal !== null) {
    return <ProposalForm proposal={registration.proposal} proposalId={registration.proposal_id ?? ""} />
  }
  return (
    <section className="card" aria-labelledby="who-title">
      <h2 id="who-title">{t("who.title")}</h2>
      {registration.phase === "registered" ? <Registered account={account} /> : <OnTheWay account={account} />}
    </section>
  )
}

const OnTheWay = ({ account }: { readonly account: AccountView }) => {
  const { registration } = account
  const { phase, since, until } = registration
  const { t } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  const taken = duration(now - (since ?? now))
  const left = until === null || until <= now ? undefined : duration(until - now)
  return (
    <>
      <div className="who-state">
        {phase === "absent" && (
          <>
            <p>{t("who.absent")}</p>
            <p className="soft">
              {left !== undefined
                ? t("who.absentNext", { duration: left })
                : t(registration.setback?.needs_person === true ? "who.absentWaits" : "who.absentSoon")}
            </p>
          </>
        )}
        {phase === "proposing" && <p>{t("who.proposing", { duration: taken })}</p>}
        {phase === "coolingDown" && <p>{t("who.coolingDown", { duration: left ?? duration(0) })}</p>}
        {phase === "submitting" && <Submitting />}
      </div>
      <Setback account={account} />
      {(phase === "absent" || phase === "coolingDown") && <Retry label={t("who.proposeNow")} />}
    </>
  )
}

/** It is with the platform at this moment, and since when. */
export const Submitting = () => {
  const { since } = useOperator().account.registration
  const { t } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  return <p>{t("who.submitting", { duration: duration(now - (since ?? now)) })}</p>
}

/** Why the last attempt came to nothing, in the program's own words. */
export const Setback = ({ account }: { readonly account: AccountView }) => {
  const { t, language } = useText()
  const now = useNow(60_000)
  const { setback } = account.registration
  if (setback === null) return null
  return (
    <div className="notice notice-bad">
      <p className="small">{t("who.setback", { when: moment(setback.at, now, language) })}</p>
      <p className="wrap">{fromPlatform(setback.message, language)}</p>
    </div>
  )
}

/** Looks and tries again at once; says so where it could not. */
export const Retry = (props: { readonly label: string }) => {
  const call = useCall()
  const reasonOf = useReasonOf()
  const { t } = useText()
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string>()
  const run = async () => {
    setBusy(true)
    try {
      await call("instaclaw.connection.retry")
      setFault(undefined)
    } catch (cause) {
      setFault(t("control.failed", { reason: reasonOf(cause) }))
    }
    setBusy(false)
  }
  return (
    <div className="card-buttons">
      <Button variant="default" onClick={run} loading={busy}>
        {props.label}
      </Button>
      {fault !== undefined && (
        <p className="bad small" role="alert">
          {fault}
        </p>
      )}
    </div>
  )
}

const Registered = ({ account }: { readonly account: AccountView }) => {
  const { t, language } = useText()
  const now = useNow(60_000)
  const { fault, profile, registration } = account
  const clawId = profile?.claw_id ?? registration.claw_id ?? ""
  const tags = profile === null ? [] : [...profile.scene_tags, ...profile.custom_tags]
  return (
    <>
      <div className="who-head">
        <Avatar id={clawId} name={profile?.name ?? ""} avatar={profile?.avatar ?? ""} size={48} />
        <div>
          <p className="who-name wrap">{profile === null || profile.name === "" ? clawId : profile.name}</p>
          {registration.since !== null && (
            <p className="small soft">{t("who.registered", { when: moment(registration.since, now, language) })}</p>
          )}
        </div>
      </div>
      {profile !== null && (
        <p className="who-description wrap">
          {profile.description === "" ? t("agent.noDescription") : profile.description}
        </p>
      )}
      {tags.length > 0 && (
        <ul className="tags" aria-label={t("agent.tags")}>
          {tags.map((tag) => (
            <li key={tag} className="tag">
              {nameOf(tag, language === "zh-CN" ? "zh" : "en")}
            </li>
          ))}
        </ul>
      )}
      <dl className="facts">
        <div className="fact">
          <dt>{t("who.id")}</dt>
          <dd>
            <code>{clawId}</code>
          </dd>
        </div>
        {profile?.origin != null && (
          <div className="fact">
            <dt>{t("who.platform")}</dt>
            <dd>{profile.origin}</dd>
          </div>
        )}
        {profile !== null && profile.hourly_rate > 0 && (
          <div className="fact">
            <dt>{t("agent.rate")}</dt>
            <dd>{t("agent.points", { value: whole(profile.hourly_rate, language) })}</dd>
          </div>
        )}
      </dl>
      {fault !== null && (
        <>
          <div className="notice notice-bad" role="alert">
            <p className="small">{t("who.fault")}</p>
            <p className="wrap">{fromPlatform(fault, language)}</p>
          </div>
          <Retry label={t("line.tryNow")} />
        </>
      )}
    </>
  )
}
