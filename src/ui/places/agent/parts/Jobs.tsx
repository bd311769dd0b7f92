import { useEffect, useRef } from "react"
import type { JobView } from "../../../../services/channel/Control.ts"
import { states } from "../../../../services/channel/WorkStates.ts"
import type { Key, Translate } from "../../../i18n/index.ts"
import { useText } from "../../../i18n/index.ts"
import { inLanguage } from "../../../i18n/platform.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { amount } from "../../market/words.ts"
import { useDuration } from "../operator.ts"

type Line = JobView["log"][number]

const tools = ["read_file", "write_file", "list_files"] as const
const isKnown = (name: string): name is (typeof tools)[number] => tools.some((tool) => tool === name)
const isState = (text: string): text is JobView["state"] => states.some((state) => state === text)

const inWords = (line: Line, t: Translate): string => {
  switch (line.kind) {
    case "said":
      return t("work.said", { text: line.text })
    case "tool": {
      const path = line.path ?? ""
      const words = isKnown(line.text)
        ? t(`work.tool.${line.text}`, { path })
        : t("work.tool.other", { name: line.text })
      return line.failed ? t("work.toolFailed", { words }) : words
    }
    case "step":
      return isState(line.text) ? t(`work.state.${line.text}`) : line.text
  }
}

/** Equal lines of one moment have no other name than their place. */
const placed = (lines: ReadonlyArray<Line>) => lines.map((line, place) => [place, line] as const)

const Log = ({ job }: { readonly job: JobView }) => {
  const { t, language } = useText()
  const list = useRef<HTMLOListElement>(null)
  // The newest line is what one looks for.
  const newest = job.log.at(-1)?.at
  useEffect(() => {
    if (newest !== undefined && list.current !== null) list.current.scrollTop = list.current.scrollHeight
  }, [newest])
  const time = new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23"
  })
  if (job.log.length === 0) return null
  return (
    <ol className="job-log small" ref={list} tabIndex={0} aria-label={t("work.logOf", { title: job.title })}>
      {placed(job.log).map(([place, line]) => (
        <li key={place} className={line.failed ? "bad" : undefined}>
          <time className="soft">{time.format(line.at)}</time>
          <span className="wrap">{inWords(line, t)}</span>
        </li>
      ))}
    </ol>
  )
}

/** A task that the agent is at: its step, its time, its log, and a stop. */
export const RunningJob = (props: { readonly job: JobView; readonly onStop: () => Promise<void> }) => {
  const { job } = props
  const { t, language } = useText()
  const duration = useDuration()
  const now = useNow(1_000)
  const { lease_until, state, stopping } = job
  // The answer is there already, and another task is under way.
  const words = state === "asking" ? "work.turn" : (`work.state.${state}` as const)
  const stoppable = state !== "submitting" && state !== "releasing" && state !== "chosen" && state !== "asking"
  return (
    <li className="job">
      <div className="job-head">
        <h3 className="wrap">{job.title}</h3>
        <span>{t("market.bounty", { value: amount(job.bounty, language) })}</span>
        {stoppable && !stopping && (
          <button
            type="button"
            className="quiet bad"
            aria-label={t("work.stopNamed", { title: job.title })}
            onClick={() => void props.onStop()}
          >
            {t("work.stop")}
          </button>
        )}
      </div>
      <p>
        {stopping ? t("work.stopping") : t("work.since", { words: t(words), duration: duration(now - job.changed_at) })}
      </p>
      {job.round > 0 && job.why !== null && <p className="wrap">{t("work.round", { why: job.why })}</p>}
      {lease_until !== null && (
        <p className="small soft">
          {lease_until > now ? t("work.lease", { duration: duration(lease_until - now) }) : t("work.leaseOver")}
        </p>
      )}
      <Log job={job} />
    </li>
  )
}

/** Reasons that the program itself gives, in the page's language. */
const reasons: ReadonlyMap<string, Key> = new Map([
  ["Its operator said no.", "work.why.no"],
  ["Its operator stopped the work on it.", "work.why.stopped"],
  ["It is not on the market any more.", "work.why.gone"],
  ["The lease ran out before it was handed in.", "work.why.lease"],
  ["The agent took too long.", "work.why.long"],
  ["The agent made nothing.", "work.why.nothing"]
])

const endOf = (job: JobView, t: Translate, language: string): string => {
  if (job.state === "reported") {
    return job.accepted ? t("work.review.accepted", { value: amount(job.bounty, language) }) : t("work.review.waiting")
  }
  const words = t(`work.state.${job.state}`)
  if (job.why === null || job.why === "") return words
  const known = reasons.get(job.why)
  return t("work.because", { words, why: known === undefined ? inLanguage(job.why, language) : t(known) })
}

/** What became of a task; what was handed in and the log on demand. */
export const EndedJob = ({ job }: { readonly job: JobView }) => {
  const { t, language } = useText()
  const now = useNow(60_000)
  const hasMore = job.state === "reported" || job.log.length > 0
  return (
    <li className="job-ended">
      <span className="soft small">{moment(job.changed_at, now, language)}</span>
      <span className="wrap">{job.title}</span>
      <span className={job.state === "failed" ? "bad wrap" : job.accepted ? "good wrap" : "wrap"}>
        {endOf(job, t, language)}
      </span>
      {hasMore && (
        <details>
          <summary className="small" aria-label={t("work.logOf", { title: job.title })}>
            {t("work.log")}
          </summary>
          {job.result !== null && (
            <p className="wrap">
              <span className="soft">{t("work.result")}:</span> {job.result}
            </p>
          )}
          {job.files.length > 0 && <p className="wrap small">{t("work.made", { names: job.files.join(", ") })}</p>}
          {job.notes.map((note) => (
            <p key={note} className="wrap small">
              {note}
            </p>
          ))}
          <Log job={job} />
        </details>
      )}
    </li>
  )
}
