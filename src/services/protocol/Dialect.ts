/**
 * A dialect is a pure projection of a reply onto the wire, and the way back. Its encoder turns steps into frames,
 * its decoder turns one frame into what the platform needs to know of it.
 */
import { dialect as envelope } from "./dialects/Envelope.ts"
import { dialect as gateway } from "./dialects/Gateway.ts"
import { dialect as legacy } from "./dialects/Legacy.ts"
import { dialect as openResponses } from "./dialects/OpenResponses.ts"
import type { ReplyHead, Step } from "./ReplyLog.ts"
import type { Failure } from "./ResponseEvent.ts"

export type DialectName = "envelope" | "gateway" | "legacy" | "open-responses"

/** Where a reply goes, and how it was asked for. */
export interface ReplyRoute {
  readonly head: ReplyHead
  readonly sessionId: string | undefined
  /** The id of the message being answered. */
  readonly messageId: string | undefined
  /** `false` = one whole response object instead of events (gateway and open-responses only). */
  readonly stream: boolean
}

/** Frames in the order in which they are sent. May be empty (a dialect that has no event for the step). */
export type Encoder = (step: Step) => ReadonlyArray<string>

/** What names the reply that a frame belongs to. A dialect gives what it carries. */
export interface ReplyRef {
  readonly responseId?: string | undefined
  readonly messageId?: string | undefined
  readonly sessionId?: string | undefined
}

/** One frame of an agent's reply, understood. `sequence` where the frame carries it. */
export type ReplyUpdate = { readonly ref: ReplyRef; readonly sequence?: number | undefined } & (
  | { readonly _tag: "Opened" }
  | { readonly _tag: "Delta"; readonly delta: string }
  | { readonly _tag: "TextDone"; readonly text: string }
  | { readonly _tag: "Completed"; readonly text: string | undefined }
  | { readonly _tag: "Failed"; readonly text: string | undefined; readonly failure: Failure }
  /** An event of the family that says nothing new (item added, part added ...). */
  | { readonly _tag: "Progress"; readonly type: string }
)

export interface Dialect {
  readonly name: DialectName
  readonly encoder: (route: ReplyRoute) => Encoder
}

export const dialects: Record<DialectName, Dialect> = {
  envelope,
  gateway,
  legacy,
  "open-responses": openResponses
}
