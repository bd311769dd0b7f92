/** Codes of failures in the page's language, with the platform's own sentence where it says more. */
import { useCallback } from "react"
import { useText } from "../i18n/index.ts"
import type { Key } from "../i18n/index.ts"
import { fromPlatform, inLanguage, isForeign } from "../i18n/platform.ts"
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

/** Of calls, which are about no message and no reply. */
const ofCalls: Readonly<Record<string, Key>> = {
  INVALID_REQUEST: "failure.UNUSABLE",
  invalid_request: "failure.UNUSABLE",
  invalid_world_request: "failure.UNUSABLE",
  invalid_profile: "failure.UNUSABLE",
  unauthorized: "failure.UNAUTHORIZED",
  request_too_large: "failure.LIMIT",
  rate_limited: "failure.LIMIT",
  store_failed: "failure.SERVER",
  HTTP_403: "failure.FORBIDDEN",
  HTTP_404: "failure.NOT_FOUND",
  HTTP_429: "failure.LIMIT",
  "40000": "failure.UNUSABLE",
  "40900": "failure.OUTDATED"
}

/** The person pressed Stop: the platform's sentence would only say so a second time. */
const saidEnough = new Set(["CANCELLED", "offline", "cut", "unconfirmed", "UNREACHABLE"])

export interface Sentence {
  readonly words: string
  /** The platform's sentence, in the page's language where it has it; the agent's own, in whatever language it is. */
  readonly detail: string | undefined
}

export const useSentence = (): ((failure: Failure) => Sentence) => {
  const { language, t } = useText()
  return useCallback(
    (failure) => ({
      words: t(known[failure.code] ?? "failure.other"),
      detail: failure.message === "" || saidEnough.has(failure.code) ? undefined : inLanguage(failure.message, language)
    }),
    [t, language]
  )
}

/** What a call came to: the platform's own sentence, behind the words of its code where it is in another language. */
export const useReason = (): ((cause: unknown) => string) => {
  const { language, t } = useText()
  const sentence = useSentence()
  return useCallback(
    (cause) => {
      const failure = failureOf(cause)
      const { detail } = sentence(failure)
      if (detail !== undefined && !isForeign(detail, language)) return detail
      const words = t(ofCalls[failure.code] ?? known[failure.code] ?? "failure.undone")
      return detail === undefined ? words : `${words} ${detail}`
    },
    [sentence, t, language]
  )
}

/** What is wrong with one field, as the platform said it. */
export const useFault = (): ((message: string) => string) => {
  const { language, t } = useText()
  return useCallback(
    (message) => {
      const said = fromPlatform(message, language)
      return isForeign(said, language) ? `${t("failure.field")} ${said}` : said
    },
    [t, language]
  )
}
