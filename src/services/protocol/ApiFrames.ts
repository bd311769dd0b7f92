/**
 * The text frames between a person's page and the platform on `/ws/chat`, beyond the reply events of the gateway
 * dialect (`response.created`, `.output_text.delta`, `.output_text.done`, `.completed`, `.failed`; see Dialect).
 *
 * A person sends
 * - a message: the gateway request `{model?, stream?, input:[{type:"message", role:"user", content:[parts]}],
 *   metadata:{session_id, message_id}, previous_response_id?}`. `message_id` is the idempotency key: the same one again
 *   starts nothing and is answered with the first one's `message.accepted`. Without one the platform draws one.
 * - `PersonCancel`.
 * - `PersonResume`, after a reconnect or a reload: what came of a reply so far, once more, to this socket only. What
 *   comes later comes to all sockets by itself, so nothing is missed and nothing comes twice.
 *
 * All sockets of a person get the same frames, so that a second window sees the exchange as it happens.
 * In these frames times are milliseconds since the epoch, as in ApiModels.
 */
import type { Message } from "./ApiModels.ts"

/** Ends a reply: it comes back as `response.failed` with the code CANCELLED. */
export interface PersonCancel {
  readonly type: "response.cancel"
  readonly response_id?: string
  readonly message_id?: string
  readonly metadata?: { readonly session_id?: string }
}

/**
 * Asks for the reply events after `starting_after` (a `sequence_number`), or for all of them. Of a reply that has
 * ended they are made from what is stored: created, one delta, done, terminal.
 */
export interface PersonResume {
  readonly type: "response.resume"
  readonly response_id: string
  readonly starting_after?: number
}

/** First frame of every socket. */
export interface PersonGreeting {
  readonly type: "session.auto_bound"
  readonly sessions: ReadonlyArray<{
    readonly session_id: string
    readonly user_id: string
    readonly assistant_id: string
  }>
  readonly sender_type: "user"
  readonly sender_id: string
}

/** A message is stored. `waiting`: its agent is away, it is delivered when the agent comes back. */
export interface MessageAccepted {
  readonly type: "message.accepted"
  readonly session_id: string
  readonly message_id: string
  readonly response_id: string
  readonly waiting: boolean
  /** False: this message id was known already; nothing was started. */
  readonly fresh: boolean
  readonly message: Message
}

/** A message moved on (or back into the mailbox, when its agent went away before it began). */
export interface MessageStatus {
  readonly type: "message.status"
  readonly session_id: string
  readonly message_id: string
  readonly response_id: string
  readonly status: "waiting" | "delivered"
}

/** An agent came on the line or went away. `since` is when, or null where it was never seen. */
export interface PresenceChanged {
  readonly type: "presence.changed"
  readonly claw_id: string
  readonly online: boolean
  readonly since: number | null
}

/** A session was made, renamed, or got its title from its first message. */
export interface SessionChanged {
  readonly type: "session.changed"
  readonly session_id: string
  readonly assistant_id: string
  readonly title: string
}

export interface SessionRemoved {
  readonly type: "session.removed"
  readonly session_id: string
}

/** What was sent cannot be used. It carries no top-level `type`, as the gateway's. */
export interface ErrorFrame {
  readonly error: {
    readonly type: "invalid_request" | "not_found" | "limit_reached" | "server_error"
    readonly code: string
    readonly param: string | null
    readonly message: string
  }
  /** Which message was refused, where it named itself. */
  readonly metadata?: { readonly session_id?: string; readonly message_id?: string }
}

export type PersonFrame =
  | PersonGreeting
  | MessageAccepted
  | MessageStatus
  | PresenceChanged
  | SessionChanged
  | SessionRemoved
