/**
 * What the page knows of the agent that runs beside it: a snapshot kept up to date by a stream, and the calls that
 * steer it. The token travels in Authorization alone.
 */
import type { AccountView, Changes, MethodName, Snapshot } from "../../../../services/channel/Control.ts"
import { isRecord } from "../../../../services/protocol/Wire.ts"
import type { LinkEvent, LinkState } from "../../../link/link.ts"
import { next } from "../../../link/link.ts"
import { makeReader } from "./sse.ts"

/** Why a call was not carried out. `unreachable` and `unreadable` are ours; the others as the program named them. */
export class ControlFault extends Error {
  readonly code: string
  readonly fields: ReadonlyArray<{ readonly field: string; readonly message: string }>
  constructor(code: string, message: string, fields: ControlFault["fields"] = []) {
    super(message)
    this.name = "ControlFault"
    this.code = code
    this.fields = fields
  }
}

export interface ControlState {
  readonly link: LinkState
  readonly snapshot: Snapshot | undefined
  /** The account whose details are in the snapshot: the one that was chosen, once they have come. */
  readonly detailed: string | undefined
  /** The token was not taken. */
  readonly refused: string | undefined
}

export interface ControlDeps {
  readonly token: string
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>
  readonly now: () => number
  readonly random: () => number
  readonly after: (ms: number, run: () => void) => () => void
}

/** The program speaks at least every ten seconds. */
export const SILENCE = 25_000

const isSnapshot = (value: unknown): value is Snapshot =>
  isRecord(value) && Array.isArray(value["accounts"]) && Array.isArray(value["settings"])

const isChanges = (value: unknown): value is Changes => isRecord(value) && Array.isArray(value["accounts"])

const faultOf = async (response: Response): Promise<ControlFault> => {
  const body: unknown = await response.json().catch(() => undefined)
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : {}
  const { code, fields, message } = error
  return new ControlFault(
    typeof code === "string" ? code : "unreadable",
    typeof message === "string" ? message : "",
    Array.isArray(fields)
      ? fields.flatMap((each: unknown) =>
          isRecord(each) && typeof each["field"] === "string" && typeof each["message"] === "string"
            ? [{ field: each["field"], message: each["message"] }]
            : []
        )
      : []
  )
}

export const applyChanges = (snapshot: Snapshot, changes: Changes): Snapshot => ({
  ...snapshot,
  at: changes.at,
  accounts: snapshot.accounts.map((account): AccountView => {
    const change = changes.accounts.find((other) => other.id === account.id)
    return change === undefined ? account : { ...account, ...change }
  })
})

export type Control = ReturnType<typeof makeControl>

export const makeControl = (deps: ControlDeps) => {
  let state: ControlState = { link: { phase: "idle" }, snapshot: undefined, detailed: undefined, refused: undefined }
  let account: string | undefined
  let stop = () => {}
  let cancelTimer = () => {}
  let openedAt = 0
  const listeners = new Set<() => void>()
  const authorization = `Bearer ${deps.token}`

  const set = (patch: Partial<ControlState>) => {
    state = { ...state, ...patch }
    for (const listener of listeners) listener()
  }

  const tell = (event: LinkEvent) => {
    const link = next(state.link, event)
    if (link === state.link) return
    set({ link })
    if (link.phase === "connecting") dial()
    if (link.phase === "waiting") {
      cancelTimer = deps.after(Math.max(0, link.retryAt - deps.now()), () => tell({ type: "try" }))
    }
  }

  const hangUp = () => {
    cancelTimer()
    cancelTimer = () => {}
    const before = stop
    stop = () => {}
    before()
  }

  const lost = () => {
    hangUp()
    const at = deps.now()
    tell({ type: "lost", at, jitter: deps.random(), stableFor: state.link.phase === "open" ? at - openedAt : 0 })
  }

  const heard = (name: string, data: string, asked: string | undefined) => {
    const value: unknown = JSON.parse(data)
    if (name === "snapshot" && isSnapshot(value)) {
      const detailed = value.accounts.find(({ id }) => id === asked) ?? value.accounts[0]
      set({ snapshot: value, detailed: detailed?.id })
    }
    if (name === "changes" && isChanges(value) && state.snapshot !== undefined) {
      set({ snapshot: applyChanges(state.snapshot, value) })
    }
  }

  const follow = async (signal: AbortSignal, alive: () => void) => {
    const asked = account
    const query = account === undefined ? "" : `?account=${encodeURIComponent(account)}`
    const response = await deps.fetch(`/control/stream${query}`, { headers: { authorization }, signal })
    if (response.status === 401 || response.status === 403 || response.status === 421) {
      const fault = await faultOf(response)
      if (signal.aborted) return
      hangUp()
      set({ refused: fault.code })
      tell({ type: "refused" })
      return
    }
    if (!response.ok || response.body === null) throw new Error(`the stream answered ${response.status}`)
    openedAt = deps.now()
    tell({ type: "opened" })
    const read = makeReader(({ data, name }) => heard(name, data, asked))
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    while (true) {
      alive()
      const { done, value } = await reader.read()
      if (signal.aborted) return
      if (done) throw new Error("the stream ended")
      read(value)
    }
  }

  const dial = () => {
    hangUp()
    const abort = new AbortController()
    let cancelWatch = () => {}
    const alive = () => {
      cancelWatch()
      if (!abort.signal.aborted) cancelWatch = deps.after(SILENCE, lost)
    }
    stop = () => {
      cancelWatch()
      abort.abort()
    }
    alive()
    follow(abort.signal, alive).catch(() => {
      if (!abort.signal.aborted) lost()
    })
  }

  return {
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    start: () => tell({ type: "start" }),
    end: () => {
      hangUp()
      tell({ type: "stop" })
    },
    tryNow: () => {
      if (state.link.phase === "waiting") hangUp()
      tell({ type: "try" })
    },
    /** Whose details are wanted: the stream begins anew with them. */
    choose: (id: string) => {
      if (account === id) return
      account = id
      if (state.link.phase === "open" || state.link.phase === "connecting") dial()
    },
    call: async (method: MethodName, params: object): Promise<unknown> => {
      let response: Response
      try {
        response = await deps.fetch("/control/call", {
          method: "POST",
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify({ method, params })
        })
      } catch {
        throw new ControlFault("unreachable", "")
      }
      if (!response.ok) throw await faultOf(response)
      const body: unknown = await response.json().catch(() => undefined)
      return isRecord(body) ? body["result"] : undefined
    }
  }
}
