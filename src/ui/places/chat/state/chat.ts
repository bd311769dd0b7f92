/** The whole of the chat as a pure function: (state, action) → state. No clock, no network. */
import type { Agent, ChatState, Conversation, Exchange, Failure, Session } from "./model.ts"
import { emptyConversation, isEnded, textOf } from "./model.ts"
import { reconcile, step } from "./reply.ts"
import type { Ref, ReplyEvent } from "./reply.ts"

export type ChatAction =
  | { readonly type: "agents"; readonly agents: ReadonlyArray<Agent> }
  | { readonly type: "presence"; readonly clawId: string; readonly online: boolean; readonly since: number | undefined }
  | { readonly type: "sessions"; readonly sessions: ReadonlyArray<Session> }
  | { readonly type: "session"; readonly session: Session }
  /** Made in another window, renamed, or named after its first message. */
  | {
      readonly type: "titled"
      readonly sessionId: string
      readonly clawId: string
      readonly title: string
      readonly at: number
    }
  | { readonly type: "removed"; readonly sessionId: string }
  /** A page of history. `newest` replaces what is known of the end; `older` is put before it. */
  | {
      readonly type: "history"
      readonly page: "newest" | "older"
      readonly sessionId: string
      readonly exchanges: ReadonlyArray<Exchange>
      readonly older: number | undefined
    }
  | { readonly type: "sent"; readonly exchange: Exchange }
  /** The platform has a message: one of this page's, or one that another window of the same person sent. */
  | { readonly type: "accepted"; readonly exchange: Exchange }
  | { readonly type: "sending"; readonly sessionId: string; readonly messageId: string; readonly at: number }
  | { readonly type: "unsent"; readonly sessionId: string; readonly messageId: string; readonly failure: Failure }
  | { readonly type: "discarded"; readonly sessionId: string; readonly messageId: string }
  /** The socket is gone: what the platform has not confirmed may or may not have arrived. */
  | { readonly type: "cut"; readonly failure: Failure }
  | { readonly type: "replies"; readonly events: ReadonlyArray<ReplyEvent> }

const byLastUse = (a: Session, b: Session): number => b.updatedAt - a.updatedAt || (a.sessionId < b.sessionId ? -1 : 1)

const conversationOf = (state: ChatState, sessionId: string): Conversation =>
  state.conversations[sessionId] ?? emptyConversation

const withConversation = (state: ChatState, sessionId: string, conversation: Conversation): ChatState => ({
  ...state,
  conversations: { ...state.conversations, [sessionId]: conversation }
})

const indexOf = (exchanges: ReadonlyArray<Exchange>, ref: Ref): number => {
  // What is asked about is nearly always at the end.
  for (let index = exchanges.length - 1; index >= 0; index--) {
    const exchange = exchanges[index]
    if (exchange === undefined) continue
    if (ref.responseId !== undefined && exchange.responseId === ref.responseId) return index
    if (
      ref.messageId === exchange.messageId &&
      (exchange.responseId === undefined || ref.responseId === undefined || exchange.responseId === ref.responseId)
    ) {
      return index
    }
  }
  return -1
}

/** Where an event belongs, or nothing: a reply that this page has not loaded comes with its history. */
const locate = (state: ChatState, ref: Ref): { readonly sessionId: string; readonly index: number } | undefined => {
  const sessionIds = ref.sessionId === undefined ? Object.keys(state.conversations) : [ref.sessionId]
  for (const sessionId of sessionIds) {
    const conversation = state.conversations[sessionId]
    if (conversation === undefined) continue
    const index = indexOf(conversation.exchanges, ref)
    if (index >= 0) return { sessionId, index }
  }
  return undefined
}

const change = (
  state: ChatState,
  sessionId: string,
  messageId: string,
  update: (exchange: Exchange) => Exchange
): ChatState => {
  const conversation = state.conversations[sessionId]
  if (conversation === undefined) return state
  return withConversation(state, sessionId, {
    ...conversation,
    exchanges: conversation.exchanges.map((exchange) =>
      exchange.messageId === messageId ? update(exchange) : exchange
    )
  })
}

const touch = (state: ChatState, sessionId: string, at: number, title: string): ChatState => ({
  ...state,
  sessions: state.sessions
    .map((session) =>
      session.sessionId === sessionId
        ? {
            ...session,
            updatedAt: Math.max(session.updatedAt, at),
            title: session.title === "" ? title.slice(0, 80) : session.title
          }
        : session
    )
    .sort(byLastUse)
})

/** One pass over a batch: each conversation is copied once, however many pieces it got. */
const replies = (state: ChatState, events: ReadonlyArray<ReplyEvent>): ChatState => {
  const touched = new Map<string, Array<Exchange>>()
  for (const event of events) {
    const place = locate(state, event.ref)
    if (place === undefined) continue
    let exchanges = touched.get(place.sessionId)
    if (exchanges === undefined) {
      exchanges = [...conversationOf(state, place.sessionId).exchanges]
      touched.set(place.sessionId, exchanges)
      state = withConversation(state, place.sessionId, { ...conversationOf(state, place.sessionId), exchanges })
    }
    const exchange = exchanges[place.index]
    if (exchange !== undefined) exchanges[place.index] = step(exchange, event)
  }
  return state
}

const merge = (conversation: Conversation, action: Extract<ChatAction, { type: "history" }>): Conversation => {
  const known = new Map(conversation.exchanges.map((exchange) => [exchange.messageId, exchange]))
  const page = action.exchanges.map((theirs) => {
    const mine = known.get(theirs.messageId)
    return mine === undefined ? theirs : reconcile(mine, theirs)
  })
  const inPage = new Set(page.map((exchange) => exchange.messageId))
  const rest = conversation.exchanges.filter((exchange) => !inPage.has(exchange.messageId))
  if (action.page === "older") {
    return { exchanges: [...page, ...rest], loaded: conversation.loaded, older: action.older }
  }
  // What is here and not in the newest page is older than it, or newer than the moment the page was read.
  const overlap = conversation.exchanges.findIndex((exchange) => inPage.has(exchange.messageId))
  const before = overlap > 0 ? conversation.exchanges.slice(0, overlap) : []
  const after = rest.filter(
    (exchange) => !before.includes(exchange) && (overlap >= 0 || page.length === 0 || !isEnded(exchange))
  )
  return {
    exchanges: [...before, ...page, ...after],
    loaded: true,
    older: before.length > 0 ? conversation.older : action.older
  }
}

const cutShort = (exchange: Exchange, failure: Failure): Exchange =>
  exchange.phase === "sending" ? { ...exchange, phase: "unsent", failure } : exchange

export const reduce = (state: ChatState, action: ChatAction): ChatState => {
  switch (action.type) {
    case "agents":
      return { ...state, agents: action.agents, agentsLoaded: true }
    case "presence":
      return {
        ...state,
        agents: state.agents.map((agent) =>
          agent.clawId === action.clawId ? { ...agent, online: action.online, since: action.since } : agent
        )
      }
    case "sessions":
      return { ...state, sessions: [...action.sessions].sort(byLastUse), sessionsLoaded: true }
    case "session": {
      const others = state.sessions.filter((session) => session.sessionId !== action.session.sessionId)
      return { ...state, sessions: [action.session, ...others].sort(byLastUse) }
    }
    case "titled": {
      const { sessionId, clawId, title, at } = action
      return state.sessions.some((session) => session.sessionId === sessionId)
        ? {
            ...state,
            sessions: state.sessions.map((session) =>
              session.sessionId === sessionId ? { ...session, title } : session
            )
          }
        : { ...state, sessions: [{ sessionId, clawId, title, updatedAt: at }, ...state.sessions].sort(byLastUse) }
    }
    case "removed": {
      const { [action.sessionId]: _, ...conversations } = state.conversations
      return {
        ...state,
        sessions: state.sessions.filter((session) => session.sessionId !== action.sessionId),
        conversations
      }
    }
    case "history":
      return withConversation(state, action.sessionId, merge(conversationOf(state, action.sessionId), action))
    case "sent": {
      const { exchange } = action
      const conversation = conversationOf(state, exchange.sessionId)
      if (conversation.exchanges.some((other) => other.messageId === exchange.messageId)) return state
      return touch(
        withConversation(state, exchange.sessionId, {
          ...conversation,
          exchanges: [...conversation.exchanges, exchange]
        }),
        exchange.sessionId,
        exchange.createdAt,
        textOf(exchange.parts)
      )
    }
    case "accepted": {
      const { exchange } = action
      const conversation = state.conversations[exchange.sessionId]
      const known = conversation?.exchanges.some((other) => other.messageId === exchange.messageId) === true
      const words = exchange.parts.length === 0 ? exchange.text : textOf(exchange.parts)
      const touched = touch(state, exchange.sessionId, exchange.createdAt, words)
      if (known) return change(touched, exchange.sessionId, exchange.messageId, (mine) => reconcile(mine, exchange))
      if (conversation === undefined || !conversation.loaded) return touched
      return withConversation(touched, exchange.sessionId, {
        ...conversation,
        exchanges: [...conversation.exchanges, exchange]
      })
    }
    case "sending":
      return change(state, action.sessionId, action.messageId, (exchange) =>
        exchange.phase === "unsent"
          ? { ...exchange, phase: "sending", failure: undefined, sentAt: action.at }
          : exchange
      )
    case "unsent":
      return change(state, action.sessionId, action.messageId, (exchange) => cutShort(exchange, action.failure))
    case "discarded": {
      const conversation = conversationOf(state, action.sessionId)
      return withConversation(state, action.sessionId, {
        ...conversation,
        exchanges: conversation.exchanges.filter(
          (exchange) => exchange.messageId !== action.messageId || exchange.phase !== "unsent"
        )
      })
    }
    case "cut":
      return {
        ...state,
        conversations: Object.fromEntries(
          Object.entries(state.conversations).map(([sessionId, conversation]) => [
            sessionId,
            {
              ...conversation,
              loaded: false,
              exchanges: conversation.exchanges.map((exchange) => cutShort(exchange, action.failure))
            }
          ])
        )
      }
    case "replies":
      return replies(state, action.events)
  }
}

/** The replies of a conversation that have not ended, newest first. */
export const openReplies = (conversation: Conversation | undefined): ReadonlyArray<Exchange> =>
  conversation === undefined
    ? []
    : conversation.exchanges.filter((exchange) => exchange.responseId !== undefined && !isEnded(exchange)).toReversed()

export const unsentOf = (state: ChatState): ReadonlyArray<Exchange> =>
  Object.values(state.conversations).flatMap((conversation) =>
    conversation.exchanges.filter((exchange) => exchange.phase === "unsent")
  )
