/**
 * Reading of JSON that a stranger wrote. Everything here is total: no input throws, and nothing recurses over the
 * input, so depth does not matter.
 *
 * Written by hand and not with Schema because each frame of each socket passes here: decoding a request with Schema
 * costs about 4 µs on top of JSON.parse, these readers a few tenths. Away from the frames Schema is the tool.
 */
export type Json = Readonly<Record<string, unknown>>

export const topicOfUser = "/v1.0/im/user/messages"
export const topicOfBot = "/v1.0/im/bot/messages"

/** `undefined` = no JSON (JSON itself has no such value). */
export const parse = (raw: string): unknown => {
  try {
    return JSON.parse(raw)
  } catch {
    return undefined
  }
}

/** An object that is no array. */
export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A text that says something. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** An id: a text, or a whole number (seen from clients that count their messages), which becomes text. */
export const idOf = (value: unknown): string | undefined =>
  typeof value === "string"
    ? value === ""
      ? undefined
      : value
    : Number.isSafeInteger(value)
      ? String(value)
      : undefined

/** Present, but nothing that could be an id. */
export const isBadId = (value: unknown): boolean =>
  value !== undefined && value !== null && typeof value !== "string" && !Number.isSafeInteger(value)

/** A whole number from 0 on: sequence numbers, epochs. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined

/** Both spellings are seen on the wire, in headers and in flat objects. */
export const messageIdIn = (record: Json): unknown =>
  record["messageId"] ?? record["message-id"] ?? record["message_id"]
export const sessionIdIn = (record: Json): unknown =>
  record["sessionId"] ?? record["session-id"] ?? record["session_id"]

const none: Readonly<Record<string, string>> = Object.freeze({})

/**
 * Metadata maps text to text. Numbers and booleans become their text; null, lists and objects are left out (as text
 * they would be neither what came nor bounded in depth). A key such as `__proto__` stays an ordinary key.
 */
export const metadataOf = (value: unknown): Readonly<Record<string, string>> => {
  if (!isRecord(value)) return none
  const keys = Object.keys(value)
  if (keys.every((key) => typeof value[key] === "string")) return value as Readonly<Record<string, string>>
  const entries: Array<[string, string]> = []
  for (const key of keys) {
    const item = value[key]
    if (typeof item === "string") entries.push([key, item])
    else if (typeof item === "number" || typeof item === "boolean") entries.push([key, String(item)])
  }
  return Object.fromEntries(entries)
}

/** Whether the UTF-8 form is longer than `limit`. Counts only where the number of characters leaves it open. */
export const isLongerThan = (raw: string, limit: number): boolean => {
  if (raw.length > limit) return true
  if (raw.length * 3 <= limit) return false
  let bytes = raw.length
  for (let index = 0; index < raw.length; index++) {
    const unit = raw.charCodeAt(index)
    if (unit < 0x80) continue
    // A surrogate pair is 4 bytes for 2 units: 2 each.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
    if (bytes > limit) return true
  }
  return false
}

/** Reads an `error` object. `undefined` where it says nothing at all. */
export const errorOf = (
  value: unknown
): { readonly code: string; readonly message: string; readonly param: string | undefined } | undefined => {
  if (typeof value === "string") return value === "" ? undefined : { code: "error", message: value, param: undefined }
  if (!isRecord(value)) return undefined
  const code = idOf(value["code"]) ?? textOf(value["type"])
  const message = textOf(value["message"])
  if (code === undefined && message === undefined) return undefined
  return { code: code ?? "error", message: message ?? code ?? "", param: textOf(value["param"]) }
}
