/**
 * Brings the reducer, the calls and the socket together. Pieces of replies are gathered and applied once per frame of
 * the screen: a fast agent costs as many renderings as the screen has frames, not as many as it has pieces.
 */
import type { Http } from "../../../api/http.ts"
import { ApiError } from "../../../api/http.ts"
import type { ChatAction } from "./chat.ts"
import { openReplies, reduce, unsentOf } from "./chat.ts"
import type { ChatState, Exchange, Failure, Part } from "./model.ts"
import { freshExchange, initial, isOpen } from "./model.ts"
import type { ReplyEvent } from "./reply.ts"
import { hasHole } from "./reply.ts"
import type { Frame } from "./wire.ts"
import { items, readAgent, readFrame, readMessage, readSession, writePart } from "./wire.ts"

export interface ChatDeps {
  readonly http: Http
  /** `false` = the line is down, nothing was sent. */
  readonly send: (frame: object) => boolean
  /** The line gave no answer where one was due. */
  readonly distrust: () => void
  readonly now: () => number
  readonly id: () => string
  /** Runs once, soon: at the next frame of the screen, or within a quarter of a second in a hidden window. */
  readonly soon: (run: () => void) => void
  readonly after: (ms: number, run: () => void) => void
}

const PAGE = 40
const CONFIRM_WITHIN = 10_000
/** What goes again by itself when the line is back: nothing was said against it, and the message id tells a repeat. */
const AGAIN = 3
const goesAgain = new Set(["offline", "cut", "unconfirmed"])

export const failureOf = (cause: unknown): Failure =>
  cause instanceof ApiError ? { code: cause.code, message: cause.message } : { code: "other", message: "" }

export type Chat = ReturnType<typeof makeChat>

export const makeChat = (deps: ChatDeps) => {
  let state: ChatState = initial
  let queue: Array<ReplyEvent> = []
  let flushing = false
  /** The conversation on the screen: its replies are followed even across a broken line. */
  let opened: string | undefined
  const listeners = new Set<() => void>()
  /** Response id → the first piece that was asked for on this socket: nothing is asked for twice in vain. */
  const asked = new Map<string, number>()
  /** Message id → how often it went by itself. What takes the line down each time must not do so for ever. */
  const attempts = new Map<string, number>()

  const dispatch = (action: ChatAction) => {
    const before = state
    state = reduce(state, action)
    if (state !== before) for (const listener of listeners) listener()
  }

  const flush = () => {
    flushing = false
    if (queue.length === 0) return
    const events = queue
    queue = []
    dispatch({ type: "replies", events })
    if (opened === undefined) return
    const told = new Set(events.flatMap(({ ref, type }) => (type === "gap" ? [ref.responseId] : [])))
    for (const exchange of openReplies(state.conversations[opened])) {
      if (hasHole(exchange) || (told.has(exchange.responseId) && !exchange.settled)) resume(exchange)
    }
  }

  const enqueue = (event: ReplyEvent) => {
    queue.push(event)
    if (flushing) return
    flushing = true
    deps.soon(flush)
  }

  /** Order is kept: what came before an action is applied before it. */
  const apply = (action: ChatAction) => {
    flush()
    dispatch(action)
  }

  const messages = async (sessionId: string, before?: number) => {
    const query = before === undefined ? "" : `&before=${before}`
    const data = await deps.http.json(
      "GET",
      `/api/session/${encodeURIComponent(sessionId)}/messages?limit=${PAGE}${query}`
    )
    const next = (data as { readonly next?: unknown } | null)?.next
    return {
      exchanges: items(data).map(readMessage).toReversed(),
      older: typeof next === "number" ? next : undefined
    }
  }

  const refresh = async (sessionId: string) => {
    const page = await messages(sessionId)
    apply({ type: "history", page: "newest", sessionId, ...page })
  }

  /** Asks for the pieces from the first one missing. What comes twice counts once. */
  const resume = (exchange: Exchange) => {
    const { responseId } = exchange
    const from = exchange.next ?? 0
    if (responseId === undefined || asked.get(responseId) === from) return
    const sent = deps.send({
      type: "response.resume",
      response_id: responseId,
      ...(exchange.next === undefined ? {} : { starting_after: exchange.next - 1 })
    })
    if (sent) asked.set(responseId, from)
  }

  const load = async (sessionId: string) => {
    await refresh(sessionId)
    for (const exchange of openReplies(state.conversations[sessionId])) resume(exchange)
  }

  const write = (exchange: Exchange) => {
    const sent = deps.send({
      input: [{ type: "message", role: "user", content: exchange.parts.map(writePart) }],
      metadata: { session_id: exchange.sessionId, message_id: exchange.messageId }
    })
    const { sessionId, messageId } = exchange
    if (!sent) {
      apply({ type: "unsent", sessionId, messageId, failure: { code: "offline", message: "" } })
      return
    }
    deps.after(CONFIRM_WITHIN, () => {
      const now = state.conversations[sessionId]?.exchanges.find((other) => other.messageId === messageId)
      if (now?.phase !== "sending") return
      apply({ type: "unsent", sessionId, messageId, failure: { code: "unconfirmed", message: "" } })
      deps.distrust()
    })
  }

  const resend = (exchange: Exchange) => {
    apply({ type: "sending", sessionId: exchange.sessionId, messageId: exchange.messageId, at: deps.now() })
    write(exchange)
  }

  const send = (sessionId: string, parts: ReadonlyArray<Part>) => {
    const exchange = freshExchange({ sessionId, messageId: deps.id(), parts, phase: "sending", at: deps.now() })
    apply({ type: "sent", exchange })
    write(exchange)
  }

  const refused = (frame: Extract<Frame, { readonly type: "error" }>) => {
    const { failure, messageId, param, sessionId } = frame
    if (messageId !== undefined && sessionId !== undefined) {
      apply({ type: "unsent", sessionId, messageId, failure })
    } else if (param === "response_id" && opened !== undefined) {
      // Stopped or asked for what is over: how it ended stands in the history.
      void refresh(opened).catch(() => undefined)
    }
  }

  const loadAgents = async () => {
    const agents = []
    let after: string | undefined
    do {
      const query: string = after === undefined ? "" : `&after=${encodeURIComponent(after)}`
      const data = await deps.http.json("GET", `/api/agents?limit=200${query}`)
      agents.push(...items(data).map(readAgent))
      const next = (data as { readonly next?: unknown } | null)?.next
      after = typeof next === "string" ? next : undefined
    } while (after !== undefined && agents.length < 1_000)
    apply({ type: "agents", agents: agents.filter((agent) => agent.clawId !== "") })
  }

  const loadSessions = async () => {
    const data = await deps.http.json("POST", "/api/session/list", {})
    apply({ type: "sessions", sessions: items(data).map(readSession) })
  }

  return {
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    /** Messages that no one but this window knows. */
    holdsUnsent: () => unsentOf(state).length > 0,
    loadAgents,
    loadSessions,

    /** The line is up: what may have been missed is asked for, what waited here goes. */
    onLine: async () => {
      for (const exchange of unsentOf(state)) {
        const before = attempts.get(exchange.messageId) ?? 0
        if (before >= AGAIN || !goesAgain.has(exchange.failure?.code ?? "")) continue
        attempts.set(exchange.messageId, before + 1)
        resend(exchange)
      }
      await Promise.allSettled([loadAgents(), loadSessions(), ...(opened === undefined ? [] : [load(opened)])])
    },
    offLine: () => {
      asked.clear()
      apply({ type: "cut", failure: { code: "cut", message: "" } })
    },

    onFrame: (value: unknown) => {
      const frame = readFrame(value, deps.now())
      switch (frame?.type) {
        case undefined:
          return
        case "reply":
          return enqueue(frame.event)
        case "accepted":
          return apply(frame)
        case "presence": {
          const known = state.agents.some((agent) => agent.clawId === frame.clawId)
          return known ? apply(frame) : void loadAgents().catch(() => undefined)
        }
        case "titled":
          return apply({ ...frame, at: deps.now() })
        case "removed":
          return apply(frame)
        case "error":
          return refused(frame)
      }
    },

    /** Puts a conversation on the screen. Rejects with what went wrong; what is known of it stays. */
    open: async (sessionId: string | undefined) => {
      opened = sessionId
      if (sessionId !== undefined) await load(sessionId)
    },
    older: async (sessionId: string) => {
      const before = state.conversations[sessionId]?.older
      if (before === undefined) return
      apply({ type: "history", page: "older", sessionId, ...(await messages(sessionId, before)) })
    },
    create: async (clawId: string): Promise<string> => {
      const made = readSession(await deps.http.json("POST", "/api/session/create", { claw_id: clawId }))
      apply({ type: "session", session: { ...made, clawId, updatedAt: deps.now() } })
      apply({ type: "history", page: "newest", sessionId: made.sessionId, exchanges: [], older: undefined })
      return made.sessionId
    },
    rename: async (sessionId: string, clawId: string, title: string) => {
      await deps.http.json("PATCH", `/api/session/${encodeURIComponent(sessionId)}`, { title })
      apply({ type: "titled", sessionId, clawId, title, at: deps.now() })
    },
    remove: async (sessionId: string) => {
      await deps.http.json("DELETE", `/api/session/${encodeURIComponent(sessionId)}`)
      apply({ type: "removed", sessionId })
    },

    send,
    resend,
    discard: (exchange: Exchange) =>
      apply({ type: "discarded", sessionId: exchange.sessionId, messageId: exchange.messageId }),
    /** The same words as a new message: the failed one stays where it is. */
    retry: (exchange: Exchange) => send(exchange.sessionId, exchange.parts),
    /** Ends every reply of the conversation that is under way. */
    stop: (sessionId: string) => {
      for (const exchange of state.conversations[sessionId]?.exchanges ?? []) {
        if (!isOpen(exchange)) continue
        deps.send({
          type: "response.cancel",
          ...(exchange.responseId === undefined ? {} : { response_id: exchange.responseId }),
          message_id: exchange.messageId,
          metadata: { session_id: sessionId }
        })
      }
    }
  }
}
