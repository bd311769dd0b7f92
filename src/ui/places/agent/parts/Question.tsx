import { Button } from "@mantine/core"
import { useState } from "react"
import type { JobView } from "../../../../services/channel/Control.ts"
import * as SceneTags from "../../../../services/protocol/SceneTags.ts"
import { useText } from "../../../i18n/index.ts"
import { bytes, moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { amount } from "../../market/words.ts"

/** What the agent would take, in its poster's words; the operator says yes or no. */
export const Question = (props: {
  readonly job: JobView
  readonly question: NonNullable<JobView["question"]>
  readonly onAnswer: (take: boolean) => Promise<void>
}) => {
  const { job, question } = props
  const { t, language } = useText()
  const now = useNow(60_000)
  const [busy, setBusy] = useState(false)
  const answer = async (take: boolean) => {
    setBusy(true)
    await props.onAnswer(take)
    setBusy(false)
  }
  return (
    <li className="job job-question">
      <p className="job-ask" role="status">
        {t("work.question")}
      </p>
      <h3 className="wrap">{job.title}</h3>
      <p className="small soft">
        {t("work.facts", {
          value: amount(job.bounty, language),
          category: SceneTags.nameOf(job.category, language === "zh-CN" ? "zh" : "en"),
          deadline: job.deadline === null ? t("work.noDeadline") : moment(job.deadline, now, language)
        })}
      </p>
      <blockquote className="job-words wrap" tabIndex={0} aria-label={job.title}>
        {question.description}
      </blockquote>
      {question.files.length > 0 && (
        <p className="small wrap">
          {t("work.files", {
            names: question.files.map(({ filename, size }) => `${filename} (${bytes(size, language)})`).join(", ")
          })}
        </p>
      )}
      <p className="small soft">{t("work.questionHint")}</p>
      <div className="card-buttons">
        <Button
          size="sm"
          disabled={busy}
          aria-label={t("work.takeNamed", { title: job.title })}
          onClick={() => void answer(true)}
        >
          {t("work.take")}
        </Button>
        <Button
          size="sm"
          variant="default"
          disabled={busy}
          aria-label={t("work.declineNamed", { title: job.title })}
          onClick={() => void answer(false)}
        >
          {t("work.decline")}
        </Button>
      </div>
    </li>
  )
}
