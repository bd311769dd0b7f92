/** What is on the screen stands in the address, so that a reload and the Back button find it: #/chat/agent/session */
import { useMemo } from "react"
import { useHash } from "../../lib/hooks.ts"

export interface ChatRoute {
  readonly clawId: string | undefined
  readonly sessionId: string | undefined
}

const decode = (part: string | undefined): string | undefined => {
  if (part === undefined || part === "") return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

export const readRoute = (hash: string): ChatRoute => {
  const [place, clawId, sessionId] = hash.replace(/^#\/?/, "").split("/")
  return place === "chat"
    ? { clawId: decode(clawId), sessionId: decode(sessionId) }
    : { clawId: undefined, sessionId: undefined }
}

export const writeRoute = (clawId: string, sessionId?: string): string =>
  `#/chat/${encodeURIComponent(clawId)}${sessionId === undefined ? "" : `/${encodeURIComponent(sessionId)}`}`

export const go = (clawId: string, sessionId?: string): void => {
  window.location.hash = writeRoute(clawId, sessionId)
}

const elsewhere = /^#\/?(?!chat\b)\w/

/** Without a step in the history: a choice that the page made by itself, and not for one who has gone elsewhere. */
export const settle = (clawId: string, sessionId?: string): void => {
  if (elsewhere.test(window.location.hash)) return
  window.history.replaceState(null, "", writeRoute(clawId, sessionId))
  window.dispatchEvent(new HashChangeEvent("hashchange"))
}

export const useRoute = (): ChatRoute => {
  const hash = useHash()
  return useMemo(() => readRoute(hash), [hash])
}
