/**
 * What a platform says to an agent, understood: the three shapes of a user's message, in and out of envelopes, and
 * every control frame. Decoding is total: whatever arrives becomes one of these, never an exception.
 */
import type { DialectName } from "./Dialect.ts"

/** One part of a message. A file or an image is named by an id of the platform or by an address. */
export type Part =
  | { readonly type: "input_text"; readonly text: string }
  | {
      readonly type: "input_file"
      readonly fileId: string | undefined
      readonly url: string | undefined
      readonly filename: string | undefined
    }
  | {
      readonly type: "input_image"
      readonly fileId: string | undefined
      readonly url: string | undefined
      readonly filename: string | undefined
    }

export interface InboundRequest {
  /** How it came, and so how the answer goes out unless a setting pins another. */
  readonly dialect: Exclude<DialectName, "open-responses">
  /** Where a request carries no message id there is nothing to tell a repeat by, and no promise of once. */
  readonly messageId: string | undefined
  /** The legacy shape carries none. */
  readonly sessionId: string | undefined
  readonly parts: ReadonlyArray<Part>
  /** How many parts were of an unknown type and left out. */
  readonly skippedParts: number
  readonly stream: boolean
  readonly model: string | undefined
  readonly previousResponseId: string | undefined
  /** As it came; repeated in created and terminal of the gateway dialect. */
  readonly metadata: Readonly<Record<string, string>>
}

export type MalformedReason =
  | "not-json"
  | "not-an-object"
  | "unknown-shape"
  | "data-not-json"
  | "empty-input"
  | "missing-session"
  | "bad-field"
  | "too-large"

export interface BoundSession {
  readonly sessionId: string
  readonly userId: string | undefined
  readonly assistantId: string | undefined
}

export type Inbound =
  | { readonly _tag: "Request"; readonly request: InboundRequest }
  | {
      readonly _tag: "AutoBound"
      readonly sessions: ReadonlyArray<BoundSession>
      readonly senderType: string | undefined
      readonly senderId: string | undefined
      readonly features: ReadonlyArray<string>
      readonly epoch: number | undefined
    }
  /** Reconnect now, make before break. */
  | { readonly _tag: "Disconnect"; readonly reason: string | undefined }
  | {
      readonly _tag: "Cancel"
      readonly responseId: string | undefined
      readonly messageId: string | undefined
      readonly sessionId: string | undefined
    }
  /** Our own message mirrored: never answered. */
  | { readonly _tag: "Echo" }
  | {
      readonly _tag: "PeerError"
      readonly code: string
      readonly message: string
      readonly param: string | undefined
    }
  /** A control frame that this side does not act on. `type` is what it called itself. */
  | { readonly _tag: "Control"; readonly type: string; readonly frame: Readonly<Record<string, unknown>> }
  | {
      readonly _tag: "Malformed"
      readonly reason: MalformedReason
      /** One sentence for the sender. Never repeats the content. */
      readonly message: string
      readonly dialect: Exclude<DialectName, "open-responses">
      readonly messageId: string | undefined
      readonly sessionId: string | undefined
      readonly param: string | undefined
    }
