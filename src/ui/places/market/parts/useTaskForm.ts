/** A task that is written: its values, what is wrong with them, and how the platform's faults come to their fields. */
import type { RefObject } from "react"
import { useState } from "react"
import { ApiError } from "../../../api/http.ts"
import { useText } from "../../../i18n/index.ts"
import { useFault, useReason } from "../../../shell/failure.ts"
import type { FaultCode, Faults, Field, Values } from "../state/form.ts"
import { check, order } from "../state/form.ts"

type Words = Readonly<Partial<Record<Field, string>>>

const isField = (name: string): name is Field => order.some((field) => field === name)

/** `form`: where the fields are. */
export const useTaskForm = (
  form: RefObject<HTMLFormElement | null>,
  initial: () => Values,
  points: string | undefined,
  before?: Values
) => {
  const { t } = useText()
  const fault = useFault()
  const reason = useReason()
  const [values, setValues] = useState(initial)
  const [faults, setFaults] = useState<Words>({})
  const [failed, setFailed] = useState<string>()
  const [busy, setBusy] = useState(false)

  const show = (found: Words) => {
    setFaults(found)
    const first = order.find((field) => found[field] !== undefined)
    if (first !== undefined) form.current?.querySelector<HTMLElement>(`[data-field="${first}"]`)?.focus()
  }
  const inWords = (found: Faults): Words =>
    Object.fromEntries(Object.entries(found).map(([field, code]) => [field, t(`market.fault.${code as FaultCode}`)]))

  /** What the browser cannot read of a date is an empty text to us. */
  const isHalfDate = (): boolean =>
    form.current?.querySelector<HTMLInputElement>('input[type="datetime-local"]')?.validity.badInput === true

  /** Runs `send` where nothing is wrong; `unsent` says what it means that it failed. */
  const submit = async (
    send: () => Promise<void>,
    options: { readonly isWaiting: boolean; readonly unsent: "market.form.unsent" | "market.form.unsaved" }
  ) => {
    const found: Faults = {
      ...check(values, { now: Date.now(), points, before }),
      ...(isHalfDate() ? { deadline: "deadline.shape" as const } : {}),
      ...(options.isWaiting ? { input_files: "files.waiting" as const } : {})
    }
    show(inWords(found))
    if (Object.keys(found).length > 0) return setFailed(t("market.form.faults"))
    setFailed(undefined)
    setBusy(true)
    try {
      await send()
    } catch (cause) {
      const fields = cause instanceof ApiError ? cause.fields.filter(({ field }) => isField(field)) : []
      // Everything else about a bounty was looked at here: what is left is that there are not so many points.
      const words = fields.map(({ field, message }) => [
        field,
        field === "bounty" ? t("market.fault.bounty.points") : fault(message)
      ])
      show(Object.fromEntries(words))
      setFailed(fields.length > 0 ? t("market.form.faults") : t(options.unsent, { reason: reason(cause) }))
    }
    return setBusy(false)
  }

  return {
    values,
    faults,
    failed,
    busy,
    submit,
    say: setFailed,
    change: (patch: Partial<Values>) => {
      setValues((now) => ({ ...now, ...patch }))
      setFaults((now) => Object.fromEntries(Object.entries(now).filter(([field]) => !(field in patch))))
      setFailed(undefined)
    }
  }
}
