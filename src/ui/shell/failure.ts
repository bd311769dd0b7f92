/** Codes of failures in the page's language, with the platform's own sentence where it says more. */
import { useCallback } from "react"
import { useText } from "../i18n/index.ts"
import type { Key } from "../i18n/index.ts"
import type { Failure } from "../places/chat/state/model.ts"
import { failureOf } from "../places/chat/state/store.ts"

const known: Readonly<Record<string, Key>> = {
  INVALID_REQUEST: "failure.INVALID_REQUEST",
  RATE_LIMIT: "failure.RATE_LIMIT",
  SDK_ERROR: "failure.SDK_ERROR",
  CALLBACK_ERROR: "failure.CALLBACK_ERROR",
  TIMEOUT: "failure.TIMEOUT",
  CANCELLED: "failure.CANCELLED",
  INTERRUPTED: "failure.INTERRUPTED",
  UNREACHABLE: "failure.UNREACHABLE",
  offline: "failure.offline",
  cut: "failure.cut",
  unconfirmed: "failure.unconfirmed",
  "40000": "failure.INVALID_REQUEST",
  "40100": "failure.UNAUTHORIZED",
  "40300": "failure.FORBIDDEN",
  "40400": "failure.NOT_FOUND",
  "41300": "failure.LIMIT",
  "42900": "failure.LIMIT",
  "50000": "failure.SERVER",
  "50300": "failure.SERVER",
  limit_reached: "failure.LIMIT",
  not_found: "failure.NOT_FOUND",
  server_error: "failure.SERVER",
  HTTP_502: "failure.UNREACHABLE",
  HTTP_503: "failure.SERVER",
  HTTP_504: "failure.UNREACHABLE"
}

/** The person pressed Stop: the platform's sentence would only say so a second time. */
const saidEnough = new Set(["CANCELLED", "offline", "cut", "unconfirmed", "UNREACHABLE"])

export interface Sentence {
  readonly words: string
  /** The platform's or the agent's own sentence, in whatever language it is. */
  readonly detail: string | undefined
}

export const useSentence = (): ((failure: Failure) => Sentence) => {
  const { t } = useText()
  return useCallback(
    (failure) => ({
      words: t(known[failure.code] ?? "failure.other"),
      detail: failure.message === "" || saidEnough.has(failure.code) ? undefined : failure.message
    }),
    [t]
  )
}

/** One sentence of what a call came to: the platform's own where it has one. */
export const useReason = (): ((cause: unknown) => string) => {
  const sentence = useSentence()
  return useCallback(
    (cause) => {
      const { detail, words } = sentence(failureOf(cause))
      return detail ?? words
    },
    [sentence]
  )
}
