/** What the parts of the operator's place share: the line to the program, the account on the screen, and how it calls. */
import { createContext, useCallback, useContext, useSyncExternalStore } from "react"
import type { AccountView, MethodName } from "../../../services/channel/Control.ts"
import type { Key } from "../../i18n/index.ts"
import { useText } from "../../i18n/index.ts"
import { fromPlatform, isForeign } from "../../i18n/platform.ts"
import type { Control, ControlState } from "./state/control.ts"
import { ControlFault } from "./state/control.ts"

export interface Operator {
  readonly control: Control
  readonly account: AccountView
}

export const OperatorContext = createContext<Operator | undefined>(undefined)

export const useOperator = (): Operator => {
  const operator = useContext(OperatorContext)
  if (operator === undefined) throw new Error("useOperator stands outside of the operator's place")
  return operator
}

export const useControl = (control: Control): ControlState => useSyncExternalStore(control.subscribe, control.state)

const reasons: Readonly<Record<string, Key>> = {
  unreachable: "control.unreachable",
  conflict: "control.conflict",
  not_found: "control.notFound",
  unavailable: "control.unavailable"
}

/**
 * Why a call was not carried out, for the page's reader. The program's own sentence says more than the words of its
 * code, which stand before it where it is in another language.
 */
export const useReasonOf = (): ((cause: unknown) => string) => {
  const { language, t } = useText()
  return useCallback(
    (cause) => {
      const { code, message } = cause instanceof ControlFault ? cause : new ControlFault("unreadable", "")
      const said = fromPlatform(message, language)
      if (said !== "" && !isForeign(said, language)) return said
      const words = t(reasons[code] ?? "control.refused")
      return said === "" ? words : `${words} ${said}`
    },
    [t, language]
  )
}

/** Calls for the account on the screen; rejects with a ControlFault. */
export const useCall = (): ((method: MethodName, params?: object) => Promise<unknown>) => {
  const { account, control } = useOperator()
  return useCallback(
    (method, params = {}) => control.call(method, { account_id: account.id, ...params }),
    [control, account.id]
  )
}

/** So long, in the largest two units that say something. */
export const useDuration = (): ((ms: number) => string) => {
  const { t, language } = useText()
  return useCallback(
    (ms) => {
      const whole = (value: number) => new Intl.NumberFormat(language).format(value)
      const seconds = Math.max(0, Math.round(ms / 1_000))
      if (seconds < 60) return t("duration.seconds", { seconds: whole(seconds) })
      const minutes = Math.floor(seconds / 60)
      if (minutes < 60) return t("duration.minutes", { minutes: whole(minutes) })
      const hours = Math.floor(minutes / 60)
      return hours < 24
        ? t("duration.hours", { hours: whole(hours), minutes: whole(minutes % 60) })
        : t("duration.days", { days: whole(Math.floor(hours / 24)), hours: whole(hours % 24) })
    },
    [t, language]
  )
}
