/** A turn as a model reads it: text, pictures inlined, text files inlined under their name, everything else refused. */
import * as Effect from "effect/Effect"
import { AgentError, type Turn, Unsupported } from "../../services/channel/AgentRuntime.ts"
import type { AttachedPart, Attachments } from "../../services/channel/Attachments.ts"
import { contentOf } from "./AttachmentContent.ts"
import type { Content } from "./OpenAiTalk.ts"

/** Characters of one text file; the rest is left out and the model is told so. */
const maxFileCharacters = 100_000

/** Attachments of one message, and the bytes of all its pictures together. */
const maxAttachments = 16
const maxImageBytes = 24 * 1024 * 1024

export interface Options {
  /**
   * Whether the provider may be told to fetch a public address. Never for a model server on this machine or in this
   * network: a name of a stranger may lead back inside.
   */
  readonly passLinks: boolean
}

export const instructionsOf = (turn: Pick<Turn, "systemPrompt" | "context">): string =>
  [turn.systemPrompt, turn.context].filter((text) => text !== undefined && text.trim() !== "").join("\n\n")

const unsupported = (detail: string): AgentError => new AgentError({ reason: new Unsupported({ detail }) })

const attached = Effect.fnUntraced(function* (
  part: AttachedPart,
  attachments: Attachments["Service"],
  options: Options
) {
  const fetched = yield* attachments.fetch(part).pipe(Effect.mapError((error) => unsupported(error.message)))
  const named = fetched.filename === undefined ? "" : ` "${fetched.filename}"`
  if (fetched._tag === "Link") {
    return part.type === "input_image" && options.passLinks
      ? ({ type: "image", url: fetched.url } as const)
      : ({
          type: "text",
          text: `[The user names a ${part.type === "input_image" ? "picture" : "file"}${named} at ${fetched.url}. It was not opened.]`
        } as const)
  }
  const content = contentOf(fetched.bytes)
  switch (content.kind) {
    case "image":
      return {
        type: "image",
        url: `data:${content.mediaType};base64,${Buffer.from(fetched.bytes).toString("base64")}`
      } as const
    case "text": {
      const rest = content.text.length - maxFileCharacters
      const text = rest > 0 ? content.text.slice(0, maxFileCharacters).toWellFormed() : content.text
      const note = rest > 0 ? `\n[${rest} more characters were left out]` : ""
      return { type: "text", text: `File${named}, ${fetched.bytes.length} bytes:\n\n${text}${note}` } as const
    }
    case "other":
      return yield* unsupported(
        `I cannot read${named === "" ? " the attached file" : named} (${fetched.mediaType}). Send text, or a picture as PNG, JPEG, GIF or WebP.`
      )
  }
})

/** Fails with Unsupported and a sentence for the person where a part cannot be given to a model. */
export const contentOfTurn = Effect.fnUntraced(function* (
  turn: Pick<Turn, "parts">,
  attachments: Attachments["Service"],
  options: Options
): Effect.fn.Return<ReadonlyArray<Content>, AgentError> {
  if (turn.parts.filter((part) => part.type !== "input_text").length > maxAttachments) {
    return yield* unsupported(`I read at most ${maxAttachments} attachments of one message. Send fewer at a time.`)
  }
  const content: Array<Content> = []
  let imageCharacters = 0
  for (const part of turn.parts) {
    if (part.type === "input_text") {
      content.push({ type: "text", text: part.text })
      continue
    }
    const read = yield* attached(part, attachments, options)
    // A data URL is four thirds of the picture.
    if (read.type === "image") imageCharacters += read.url.length
    if (imageCharacters > (maxImageBytes * 4) / 3) {
      return yield* unsupported("The pictures are too large together. Send fewer at a time, or smaller ones.")
    }
    content.push(read)
  }
  return content
})
