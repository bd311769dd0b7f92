/** Server-sent events out of pieces of text as they come. Comments and fields that nobody needs are passed over. */

export interface SentEvent {
  readonly name: string
  readonly data: string
}

/** More than any snapshot is: what goes on without an end is no stream of ours. */
const LONGEST = 32 * 1024 * 1024

export const makeReader = (onEvent: (event: SentEvent) => void) => {
  /** What has come of a line that has no end yet. */
  let parts: Array<string> = []
  let length = 0
  let name = ""
  let data: Array<string> = []

  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) onEvent({ name: name === "" ? "message" : name, data: data.join("\n") })
      name = ""
      data = []
      return
    }
    const colon = text.indexOf(":")
    if (colon === 0) return
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "")
    if (field === "event") name = value
    if (field === "data") data.push(value)
  }

  return (piece: string): void => {
    const lines = piece.split("\n")
    const rest = lines.pop() ?? ""
    for (const text of lines) {
      line((parts.join("") + text).replace(/\r$/, ""))
      parts = []
      length = 0
    }
    parts.push(rest)
    length += rest.length
    if (length > LONGEST) throw new Error("an event has no end")
  }
}
