/**
 * The control token: it comes in the fragment of the link that the program printed (#/agent?token=…), is kept by this
 * browser, and is taken out of the address at once.
 */
import { useSyncExternalStore } from "react"
import { recall, remember } from "../../../lib/storage.ts"

/** Ours, or that of a host that the page is mounted in. */
const shape = /^[A-Za-z0-9._~+=-]{16,512}$/

const plain = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Out of what a person pasted: the whole link, its end, or the token alone. */
export const tokenIn = (text: string): string | undefined => {
  const inLink = /[?&]token=([^&\s]+)/.exec(text)?.[1]
  const given = inLink === undefined ? text.trim() : plain(inLink)
  return shape.test(given) ? given : undefined
}

/** The token of the address, if there is one; the address has none afterwards. */
const take = (): string | undefined => {
  const { hash } = window.location
  if (!/^#\/?agent\b/.test(hash) || !hash.includes("?")) return undefined
  const token = tokenIn(hash.slice(hash.indexOf("?")))
  window.history.replaceState(null, "", "#/agent")
  return token
}

let current: string | undefined
let begun = false
const listeners = new Set<() => void>()

/** Undefined: forgotten. */
export const keepToken = (token: string | undefined): void => {
  current = token
  remember("control", token)
  for (const listener of listeners) listener()
}

const begin = () => {
  begun = true
  const taken = take()
  if (taken === undefined) current = recall("control")
  else keepToken(taken)
  // The link opened once more in this very window.
  window.addEventListener("hashchange", () => {
    const again = take()
    if (again !== undefined) keepToken(again)
  })
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

const read = () => {
  if (!begun) begin()
  return current
}

export const useToken = (): string | undefined => useSyncExternalStore(subscribe, read)
