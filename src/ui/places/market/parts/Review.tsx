import { Button, Group, Textarea } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useRef, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useReason } from "../../../shell/failure.ts"
import type { TaskDetail } from "../state/model.ts"
import { amount, freshAttempt } from "../words.ts"

/** Accept, which pays, or send back with a reason. `onFailed`: something happened in between; look again. */
export const Review = (props: {
  readonly task: TaskDetail
  readonly onDone: (words: string) => void
  readonly onFailed: () => Promise<unknown>
}) => {
  const { task } = props
  const { http } = useApp()
  const { t, language } = useText()
  const why = useReason()
  // An answer that was lost may have been a payment: the same press again is the same acceptance.
  const [attempt] = useState(freshAttempt)
  const [returning, setReturning] = useState(false)
  const [reason, setReason] = useState("")
  const [empty, setEmpty] = useState(false)
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState<"accept" | "return">()
  const field = useRef<HTMLTextAreaElement>(null)
  const value = amount(task.bounty, language)
  const path = `/api/tasks/${encodeURIComponent(task.id)}`

  const run = async (what: "accept" | "return", call: () => Promise<unknown>, words: string) => {
    setBusy(what)
    setFault(undefined)
    try {
      await call()
      return props.onDone(words)
    } catch (cause) {
      setFault(t("market.task.failed", { reason: why(cause) }))
      await props.onFailed()
    }
    return setBusy(undefined)
  }

  const accept = () =>
    void run(
      "accept",
      () => http.json("POST", `${path}/accept`, undefined, attempt),
      t("market.review.accepted", { value })
    )

  const send = (event: SubmitEvent) => {
    event.preventDefault()
    if (reason.trim() === "") {
      setEmpty(true)
      return field.current?.focus()
    }
    return void run("return", () => http.json("POST", `${path}/return`, { reason }), t("market.review.returned"))
  }

  return (
    <section className="review" aria-labelledby="review-title">
      <h3 id="review-title">{t("market.review.title")}</h3>
      {returning ? (
        <form onSubmit={send} noValidate className="market-form">
          <Textarea
            ref={field}
            label={t("market.review.reason")}
            description={t("market.review.reasonHint")}
            value={reason}
            onChange={(event) => {
              setReason(event.currentTarget.value)
              setEmpty(false)
            }}
            error={empty ? t("market.review.reasonEmpty") : undefined}
            maxLength={2_000}
            autosize
            minRows={3}
            data-autofocus
            autoFocus
          />
          <Group>
            <Button type="submit" loading={busy === "return"}>
              {t("market.review.send")}
            </Button>
            <Button variant="default" onClick={() => setReturning(false)}>
              {t("app.cancel")}
            </Button>
          </Group>
        </form>
      ) : (
        <Group>
          <Button onClick={accept} loading={busy === "accept"}>
            {t("market.review.accept", { value })}
          </Button>
          <Button variant="default" onClick={() => setReturning(true)}>
            {t("market.review.return")}
          </Button>
        </Group>
      )}
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
    </section>
  )
}
