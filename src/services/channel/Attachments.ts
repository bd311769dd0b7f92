/**
 * Files and images that a message names. Only what the operator's own platform issued is opened; what a stranger
 * names elsewhere is at most passed on as an address, never fetched (law confined).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Part } from "../protocol/Inbound.ts"

/** A part of a message that is not text. */
export type AttachedPart = Extract<Part, { readonly type: "input_file" | "input_image" }>

export type Attachment =
  /** `mediaType` is lower case, without parameters; "application/octet-stream" where nobody said. */
  | {
      readonly _tag: "Content"
      readonly mediaType: string
      readonly bytes: Uint8Array
      readonly filename: string | undefined
    }
  /** A public https address that was not opened. */
  | { readonly _tag: "Link"; readonly url: string; readonly filename: string | undefined }

/** The address is neither the platform's nor a public https one, or the part names nothing at all. */
export class NotAllowed extends Schema.TaggedError<NotAllowed>()("NotAllowed", {}) {}
/** The platform does not have it, or not for this agent. */
export class Missing extends Schema.TaggedError<Missing>()("Missing", {}) {}
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", { limit: Schema.Finite }) {}
/** The platform did not answer, or not whole. The next attempt may go through. */
export class NotReached extends Schema.TaggedError<NotReached>()("NotReached", { detail: Schema.String }) {}

export class AttachmentError extends Schema.TaggedError<AttachmentError>()("AttachmentError", {
  /** For people; never an address. */
  name: Schema.String,
  reason: Schema.Union([NotAllowed, Missing, TooLarge, NotReached])
}) {
  get transient(): boolean {
    return this.reason._tag === "NotReached"
  }
  /** For the person who asked. */
  override get message(): string {
    switch (this.reason._tag) {
      case "NotAllowed":
        return `I do not open ${this.name}: only files sent in this chat, or public https addresses. Send the file itself.`
      case "Missing":
        return `${this.name} is not there, or not open to me. Send it again.`
      case "TooLarge":
        return `${this.name} is larger than ${Math.floor(this.reason.limit / (1024 * 1024))} MiB. Send a smaller one.`
      case "NotReached":
        return `${this.name} could not be loaded just now. Try again in a moment.`
    }
  }
}

export class Attachments extends Context.Service<
  Attachments,
  {
    readonly fetch: (part: AttachedPart) => Effect.Effect<Attachment, AttachmentError>
  }
>()("clawfiber/channel/Attachments") {}
