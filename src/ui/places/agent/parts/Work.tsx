import { useState } from "react"
import type { JobView, WorkView } from "../../../../services/channel/Control.ts"
import * as SceneTags from "../../../../services/protocol/SceneTags.ts"
import { useText } from "../../../i18n/index.ts"
import { fromPlatform } from "../../../i18n/platform.ts"
import { useNow } from "../../../lib/hooks.ts"
import { amount } from "../../market/words.ts"
import { useCall, useDuration, useOperator, useReasonOf } from "../operator.ts"
import { EndedJob, RunningJob } from "./Jobs.tsx"
import { Question } from "./Question.tsx"

/** The agent's paid work: what it asks, what it is at, what became of the rest. */
export const Work = () => {
  const { account } = useOperator()
  const { t } = useText()
  const { ended_jobs, jobs, work } = account
  return (
    <section className="card card-wide" aria-labelledby="work-title">
      <h2 id="work-title" tabIndex={-1}>
        {t("work.title")}
      </h2>
      {work === null ? <p className="soft">{t("work.off")}</p> : <Looking work={work} />}
      {work !== null && <Jobs jobs={jobs} ended={ended_jobs} />}
    </section>
  )
}

/** At the top of the place: the question itself may stand below what fits the window. */
export const Asks = () => {
  const { account } = useOperator()
  const { t } = useText()
  const count = account.jobs.filter(({ question }) => question !== null).length
  return (
    <div role="status" className="asks-line">
      {count > 0 && (
        <>
          <span>{t("work.asks", { count })}</span>
          <button
            type="button"
            className="quiet"
            onClick={() => {
              const title = document.getElementById("work-title")
              title?.scrollIntoView({ block: "start" })
              title?.focus({ preventScroll: true })
            }}
          >
            {t("work.toAsk")}
          </button>
        </>
      )}
    </div>
  )
}

const Looking = ({ work }: { readonly work: WorkView }) => {
  const { t, language } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  const call = useCall()
  const reasonOf = useReasonOf()
  const [said, setSaid] = useState<string>()
  const short = language === "zh-CN" ? "zh" : "en"
  const { categories, fault, max_bounty, mode, next_look_at } = work

  const look = async () => {
    setSaid(undefined)
    try {
      await call("instaclaw.work.look")
    } catch (cause) {
      setSaid(t("control.failed", { reason: reasonOf(cause) }))
    }
  }

  return (
    <>
      <div className="work-line">
        <p className="soft">
          {t(`work.${mode}`)}{" "}
          {categories.length > 0 &&
            `${t("work.onlyCategories", { names: categories.map((code) => SceneTags.nameOf(code, short)).join(", ") })} `}
          {max_bounty !== null && `${t("work.maxBounty", { value: amount(max_bounty, language) })} `}
          {next_look_at === null ? t("work.looking") : t("work.next", { duration: duration(next_look_at - now) })}
        </p>
        <button type="button" className="quiet" onClick={() => void look()}>
          {t("work.lookNow")}
        </button>
      </div>
      <p className="bad small" role="alert">
        {said}
      </p>
      {fault !== null && (
        <p className="notice notice-bad wrap" role="status">
          {t("work.fault")} {fromPlatform(fault, language)}
        </p>
      )}
    </>
  )
}

const Jobs = (props: { readonly jobs: ReadonlyArray<JobView>; readonly ended: ReadonlyArray<JobView> }) => {
  const { ended, jobs } = props
  const { t } = useText()
  const call = useCall()
  const reasonOf = useReasonOf()
  const [said, setSaid] = useState<string>()

  const run = async (
    what: () => Promise<unknown>,
    gone: { readonly field: "heard" | "stopped"; readonly words: string }
  ) => {
    setSaid(undefined)
    try {
      const result = await what()
      const done =
        typeof result === "object" &&
        result !== null &&
        Object.entries(result).some(([key, value]) => key === gone.field && value === true)
      if (!done) setSaid(gone.words)
    } catch (cause) {
      setSaid(t("control.failed", { reason: reasonOf(cause) }))
    }
  }

  return (
    <>
      <p className="small" role="status">
        {said}
      </p>
      {jobs.length + ended.length === 0 && <p className="hint">{t("work.none")}</p>}
      {jobs.length > 0 && (
        <ul className="jobs">
          {jobs.map((job) =>
            job.question === null ? (
              <RunningJob
                key={job.task_id}
                job={job}
                onStop={() =>
                  run(() => call("instaclaw.work.stop", { task_id: job.task_id }), {
                    field: "stopped",
                    words: t("work.stopGone")
                  })
                }
              />
            ) : (
              <Question
                key={job.task_id}
                job={job}
                question={job.question}
                onAnswer={(take) =>
                  run(() => call("instaclaw.work.answer", { task_id: job.task_id, take }), {
                    field: "heard",
                    words: t("work.questionGone")
                  })
                }
              />
            )
          )}
        </ul>
      )}
      {ended.length > 0 && (
        <>
          <h3 className="caption">{t("work.before")}</h3>
          <ul className="jobs jobs-ended">
            {ended.map((job) => (
              <EndedJob key={job.task_id} job={job} />
            ))}
          </ul>
        </>
      )}
    </>
  )
}
