/**
 * What is open under each key of this process at this moment: sockets, streams, uploads. Revoking a key ends them at
 * once. Plain functions: they are called at every request.
 */
import type { Credential } from "./Credential.ts"

/** `revoked`: the key is good no more. `shut`: its agent may not come on the line just now. */
export type Why = "revoked" | "shut"

export interface OpenAccess {
  /** `cut` ends it; it is called at once where the key was revoked a moment ago. Call the result when it is over. */
  readonly open: (credential: Credential, cut: (why: Why) => void) => () => void
  readonly count: (holder: string) => number
  /** Whose a credential is: that of a ticket is whoever asked for it. */
  readonly holderOf: (credential: Credential) => string
  /** Ends all that is open of a holder and keeps new ones out, but for what is opened with one of `except` (hashes). */
  readonly end: (holder: string, except?: ReadonlyArray<string>) => void
  /** Ends all that is open of a holder. New ones are let in or not by whoever knows their standing. */
  readonly shut: (holder: string) => void
  /** A ticket was given to whoever showed this credential: what is opened with it ends with that one. */
  readonly ticket: (ticketHash: string, credential: Credential) => void
}

interface Open {
  readonly hash: string
  readonly cut: (why: Why) => void
}

/** How many tickets and revocations are remembered; the store knows them too, this is for what is on its way in. */
const memory = 10_000

const remember = <A>(map: Map<string, A>, key: string, value: A): void => {
  map.delete(key)
  map.set(key, value)
  if (map.size <= memory) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    break
  }
}

export const make = (): OpenAccess => {
  const opened = new Map<string, Set<Open>>()
  const ended = new Map<string, ReadonlyArray<string>>()
  const tickets = new Map<string, Credential>()

  const isEnded = (holder: string, hash: string): boolean => ended.get(holder)?.includes(hash) === false

  const genuine = (shown: Credential): Credential => (shown.isTicket ? (tickets.get(shown.hash) ?? shown) : shown)

  return {
    holderOf: (credential) => genuine(credential).holder,
    open: (shown, cut) => {
      const { hash, holder } = genuine(shown)
      if (isEnded(holder, hash)) {
        cut("revoked")
        return () => {}
      }
      const one: Open = { hash, cut }
      let all = opened.get(holder)
      if (all === undefined) opened.set(holder, (all = new Set()))
      all.add(one)
      return () => {
        const rest = opened.get(holder)
        if (rest?.delete(one) === true && rest.size === 0) opened.delete(holder)
      }
    },
    count: (holder) => opened.get(holder)?.size ?? 0,
    end: (holder, except = []) => {
      remember(ended, holder, except)
      for (const one of opened.get(holder) ?? []) if (!except.includes(one.hash)) one.cut("revoked")
    },
    shut: (holder) => {
      for (const one of opened.get(holder) ?? []) one.cut("shut")
    },
    ticket: (ticketHash, credential) => remember(tickets, ticketHash, credential)
  }
}
