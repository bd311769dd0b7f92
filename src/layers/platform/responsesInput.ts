/** What a client of `/v1/responses` asks, as parts of one message. */
import type { CreateResponse } from "../../services/protocol/ApiResponses.ts"
import type { Part } from "../../services/protocol/Inbound.ts"

type Json = Readonly<Record<string, unknown>>

const textIn = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const addressIn = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && "url" in value ? textIn(value.url) : textIn(value)

const partOf = (item: Json): Part | undefined => {
  switch (item["type"]) {
    case "input_text":
    case "output_text":
    case "text": {
      const text = textIn(item["text"])
      return text === undefined ? undefined : { type: "input_text", text }
    }
    case "input_image":
    case "input_file": {
      const fileId = textIn(item["file_id"])
      const url = addressIn(item["image_url"]) ?? addressIn(item["file_url"]) ?? addressIn(item["url"])
      if (fileId === undefined && url === undefined) return undefined
      return { type: item["type"], fileId, url, filename: textIn(item["filename"]) }
    }
    default:
      return undefined
  }
}

const heading = "[instructions]\n"

/** What was sent as `instructions`, out of the parts that were made of it. */
export const instructionsOf = (parts: ReadonlyArray<Part>): string | undefined => {
  const [first] = parts
  return parts.length > 1 && first?.type === "input_text" && first.text.startsWith(heading)
    ? first.text.slice(heading.length)
    : undefined
}

/** Does it bring a file's content in the request itself? That is not taken: a file is sent on its own. */
export const bringsFile = ({ input }: Pick<CreateResponse, "input">): boolean =>
  typeof input !== "string" &&
  input.some(
    ({ content }) => Array.isArray(content) && content.some((piece) => textIn(piece["file_data"]) !== undefined)
  )

/**
 * A text, or the items in their order. A session remembers what was said, so mostly these are the user's own words;
 * what a client repeats of other roles is marked with the role, so that the agent can tell who said it.
 */
export const partsOf = (body: Pick<CreateResponse, "input" | "instructions">): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  const instructions = textIn(body.instructions)
  if (instructions !== undefined) parts.push({ type: "input_text", text: heading + instructions })
  if (typeof body.input === "string") {
    if (body.input !== "") parts.push({ type: "input_text", text: body.input })
    return body.input === "" ? [] : parts
  }
  const before = parts.length
  for (const item of body.input) {
    const content = item.content
    if (content === undefined) continue
    const role = item.role ?? "user"
    const own = typeof content === "string" ? [{ type: "input_text", text: content }] : content
    for (const piece of own) {
      const part = partOf(piece)
      if (part === undefined) continue
      parts.push(part.type === "input_text" && role !== "user" ? { ...part, text: `[${role}]\n${part.text}` } : part)
    }
  }
  return parts.length === before ? [] : parts
}
