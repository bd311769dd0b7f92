/** What the chat knows, as plain data. Times are milliseconds since the epoch, by this browser's clock unless said. */

export interface Failure {
  readonly code: string
  readonly message: string
}

export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly fileId: string; readonly filename: string | undefined }
  | { readonly type: "file"; readonly fileId: string; readonly filename: string | undefined }
  /** A file or picture named by a foreign address: shown as a link, never fetched by the page. */
  | { readonly type: "link"; readonly url: string; readonly filename: string | undefined }

/**
 * - `unsent`: could not be handed to the platform; kept here, goes again with the same message id.
 * - `sending`: written to the socket, the platform has not said a word about it yet.
 * - `waiting`: the platform has it, the agent is away.
 * - `delivered`: with the agent, no words yet.
 * - `answering`, `completed`, `failed`: the reply.
 */
export type Phase = "unsent" | "sending" | "waiting" | "delivered" | "answering" | "completed" | "failed"

/** One message of the person and what came of it. */
export interface Exchange {
  readonly sessionId: string
  /** The idempotency key within the conversation. */
  readonly messageId: string
  readonly responseId: string | undefined
  readonly parts: ReadonlyArray<Part>
  readonly phase: Phase
  /** The pieces so far, each once and in order. */
  readonly text: string
  /** What the platform had of an unfinished reply when it was asked; shown until `text` has caught up with it. */
  readonly snapshot: string
  /** The sequence number that the next piece must carry; `undefined` before the first one. */
  readonly next: number | undefined
  /** Pieces that came before their turn, by their first number. Never shown until the hole before them is filled. */
  readonly ahead: ReadonlyMap<number, { readonly last: number; readonly delta: string }>
  /** The whole text has been said: no piece may be added any more. */
  readonly settled: boolean
  readonly failure: Failure | undefined
  readonly createdAt: number
  /** Measured by this page while the words came in; a reply read from history has none. */
  readonly sentAt: number | undefined
  readonly firstWordsAt: number | undefined
  readonly endedAt: number | undefined
}

export interface Agent {
  readonly clawId: string
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly online: boolean
  /** When it came or went, where the platform says so. */
  readonly since: number | undefined
  readonly sceneTags: ReadonlyArray<string>
  readonly customTags: ReadonlyArray<string>
  readonly hourlyRate: number
}

export interface Session {
  readonly sessionId: string
  readonly clawId: string
  readonly title: string
  readonly updatedAt: number
}

export interface Conversation {
  /** Oldest first. */
  readonly exchanges: ReadonlyArray<Exchange>
  /** As the platform has it, and followed since. False again once the line broke. */
  readonly loaded: boolean
  /** The cursor of the page before the oldest one here; `undefined` = there is nothing older. */
  readonly older: number | undefined
}

export interface ChatState {
  readonly agents: ReadonlyArray<Agent>
  readonly agentsLoaded: boolean
  /** Last used first. */
  readonly sessions: ReadonlyArray<Session>
  readonly sessionsLoaded: boolean
  readonly conversations: Readonly<Record<string, Conversation>>
}

export const initial: ChatState = {
  agents: [],
  agentsLoaded: false,
  sessions: [],
  sessionsLoaded: false,
  conversations: {}
}

export const emptyConversation: Conversation = { exchanges: [], loaded: false, older: undefined }

export const isEnded = (exchange: Exchange): boolean => exchange.phase === "completed" || exchange.phase === "failed"

/** The platform has it and the reply is still to come. */
export const isOpen = (exchange: Exchange): boolean =>
  exchange.phase === "waiting" || exchange.phase === "delivered" || exchange.phase === "answering"

export const textOf = (parts: ReadonlyArray<Part>): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n")

/** What a person sees of the reply. */
export const shownText = (exchange: Exchange): string =>
  exchange.settled || exchange.text.length >= exchange.snapshot.length ? exchange.text : exchange.snapshot

export const freshExchange = (input: {
  readonly sessionId: string
  readonly messageId: string
  readonly parts: ReadonlyArray<Part>
  readonly phase: Phase
  readonly at: number
}): Exchange => ({
  sessionId: input.sessionId,
  messageId: input.messageId,
  responseId: undefined,
  parts: input.parts,
  phase: input.phase,
  text: "",
  snapshot: "",
  next: undefined,
  ahead: new Map(),
  settled: false,
  failure: undefined,
  createdAt: input.at,
  sentAt: input.phase === "sending" ? input.at : undefined,
  firstWordsAt: undefined,
  endedAt: undefined
})
