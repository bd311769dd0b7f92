/**
 * Owns the one socket of the page: ticket, dial, loss, the next try. What is said over it is nobody's business here.
 * Each dial has a generation; what a past one still says is not heard.
 */
import type { LinkEvent, LinkState } from "./link.ts"
import { next } from "./link.ts"

export interface Dialled {
  readonly send: (data: string) => void
  readonly close: () => void
}

export interface Heard {
  readonly onOpen: () => void
  readonly onMessage: (data: unknown) => void
  readonly onClose: () => void
}

export interface ChatSocketOptions {
  /** A one-use ticket. `refused` = the sign-in is no longer good; a rejection = try again later. */
  readonly ticket: () => Promise<{ readonly ticket: string } | "refused">
  readonly dial: (ticket: string, heard: Heard) => Dialled
  readonly onFrame: (frame: unknown) => void
  readonly onState: (state: LinkState) => void
  readonly now: () => number
  readonly random: () => number
  /** Returns what takes the timer back. */
  readonly after: (ms: number, run: () => void) => () => void
}

const OPEN_TIMEOUT = 10_000

export interface ChatSocket {
  readonly start: () => void
  readonly stop: () => void
  readonly tryNow: () => void
  /** The network under us changed or went: do not trust the socket that is open. */
  readonly distrust: () => void
  /** `false` = not on the line; nothing was sent. */
  readonly send: (frame: object) => boolean
  readonly state: () => LinkState
}

export const makeChatSocket = (options: ChatSocketOptions): ChatSocket => {
  let state: LinkState = { phase: "idle" }
  let generation = 0
  let socket: Dialled | undefined
  let openedAt = 0
  let cancelTimer: () => void = () => {}

  const drop = () => {
    generation++
    cancelTimer()
    cancelTimer = () => {}
    const old = socket
    socket = undefined
    old?.close()
  }

  const lost = () => {
    drop()
    const at = options.now()
    tell({ type: "lost", at, jitter: options.random(), stableFor: state.phase === "open" ? at - openedAt : 0 })
  }

  const open = (ticket: string, mine: number) => {
    socket = options.dial(ticket, {
      onOpen: () => {
        if (mine !== generation) return
        cancelTimer()
        openedAt = options.now()
        tell({ type: "opened" })
      },
      onMessage: (data) => {
        if (mine !== generation || typeof data !== "string") return
        let frame: unknown
        try {
          frame = JSON.parse(data)
        } catch {
          return
        }
        options.onFrame(frame)
      },
      onClose: () => {
        if (mine === generation) lost()
      }
    })
  }

  const dial = () => {
    drop()
    const mine = generation
    cancelTimer = options.after(OPEN_TIMEOUT, () => {
      if (mine === generation) lost()
    })
    void redeem(mine)
  }

  const redeem = async (mine: number) => {
    const answer = await options.ticket().catch(() => "failed" as const)
    if (mine !== generation) return
    if (answer === "failed") {
      lost()
    } else if (answer === "refused") {
      drop()
      tell({ type: "refused" })
    } else {
      open(answer.ticket, mine)
    }
  }

  const tell = (event: LinkEvent) => {
    const before = state
    state = next(state, event)
    if (state === before) return
    if (state.phase === "connecting") dial()
    if (state.phase === "idle") drop()
    if (state.phase === "waiting") {
      cancelTimer = options.after(Math.max(0, state.retryAt - options.now()), () => tell({ type: "try" }))
    }
    options.onState(state)
  }

  return {
    start: () => tell({ type: "start" }),
    stop: () => tell({ type: "stop" }),
    tryNow: () => tell({ type: "try" }),
    distrust: () => {
      if (state.phase === "open" || state.phase === "connecting") lost()
    },
    send: (frame) => {
      if (state.phase !== "open" || socket === undefined) return false
      socket.send(JSON.stringify(frame))
      return true
    },
    state: () => state
  }
}
