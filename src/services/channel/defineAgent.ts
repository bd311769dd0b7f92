/**
 * An agent of one's own: a function from a turn to text. `clawfiber --agent my-agent.ts` runs a module whose default
 * export is such a function, or what `defineAgent` makes of it.
 *
 * ```ts
 * export default async function* (turn) {
 *   yield "You said: "
 *   yield turn.text
 * }
 * ```
 */
import type { Part } from "../protocol/Inbound.ts"
import type { ReplyPart } from "./AgentRuntime.ts"
import type { AttachedPart } from "./Attachments.ts"

/** One message and what belongs to it, as an agent's author sees it. */
export interface AgentTurn {
  /** All text of the message; parts are joined by a line break. */
  readonly text: string
  /** Text, files and images, in the order the user put them. */
  readonly parts: ReadonlyArray<Part>
  /** The conversation: the same for all messages that belong together. */
  readonly session: string
  /** Undefined where the platform gave none. */
  readonly messageId: string | undefined
  /** From the operator. */
  readonly systemPrompt: string | undefined
  /** Who is asking, in which session, in words. */
  readonly context: string
  /** What was said before in this session, oldest first. Bounded: the beginning of a long session is missing. */
  readonly history: ReadonlyArray<{ readonly role: "user" | "assistant"; readonly text: string }>
  /** Aborted when nobody waits for the answer any more. Hand it to `fetch` and the like. */
  readonly signal: AbortSignal
  /**
   * Loads a file or an image of the message. Rejects with a sentence for the user where it is too large, gone, or at
   * an address that is not the platform's.
   */
  readonly open: (part: AttachedPart) => Promise<{
    readonly mediaType: string
    readonly bytes: Uint8Array
    readonly filename: string | undefined
  }>
}

/** A piece of the answer: text as it comes, exact and never cumulative. A whole part, for those who need it. */
export type AgentPiece = string | ReplyPart

/** A whole answer, or its pieces, now or later. */
export type AgentReply = string | Iterable<AgentPiece> | AsyncIterable<AgentPiece>

export type AgentFunction = (turn: AgentTurn) => AgentReply | PromiseLike<AgentReply>

export interface AgentDefinition {
  /** Shown to people and told as the model's name. */
  readonly name: string
  readonly reply: AgentFunction
}

/** Gives an agent its name, and its author the types. */
export const defineAgent = (definition: AgentDefinition): AgentDefinition => definition
