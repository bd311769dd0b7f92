/**
 * From what the host shows of a reply to exact pieces of text. The host hands over cumulative snapshots of the present
 * assistant message, begins again with each message (after a tool call, say), and repeats messages as blocks and as
 * finals. Every word comes out once, in order; what is out is never taken back.
 *
 * Pure. Faults of others that are kept out here: cumulative text taken for deltas ("n, then 2n"), text lost when a
 * snapshot begins again, a reply delivered both as block and as final (PROTOCOL part C 1, 3 and 4).
 */

/** Between two messages of one reply. */
const paragraph = "\n\n"

/** Hosts trim and re-wrap what they repeat: two texts are the same when their words are. */
const wordsOf = (text: string): string => text.replace(/\s+/gu, " ").trim()

export class Partials {
  /** Ended messages, as their words. */
  private readonly ended: Array<string> = []
  /** The present message as far as it is out. */
  private present = ""
  private anything = false
  /** The next text begins a message. */
  private fresh = true

  /** A new assistant message begins. */
  start(): void {
    this.close()
  }

  /** A snapshot of the present message. Gives what is new in it. */
  partial(text: string): string {
    if (text === "") return ""
    if (!this.fresh) {
      if (text.startsWith(this.present)) return this.extend(text)
      // A snapshot that went back a little (an unfinished directive was cut off, say): the rest comes with a later one.
      if (this.present.startsWith(text)) return ""
    }
    this.close()
    return this.extend(text)
  }

  /** A whole message, or a finished piece of one, that the host delivers: only what was not out yet. */
  deliver(text: string): string {
    const words = wordsOf(text)
    if (words === "") return ""
    if (!this.fresh) {
      if (text.startsWith(this.present)) {
        return this.extend(text)
      }
      const present = wordsOf(this.present)
      // As it is out already: whole, in part, or with the messages before it.
      if (present.includes(words)) return ""
      // Re-wrapped, and longer by its end.
      if (words.startsWith(present)) {
        const rest = this.restAfter(text, present.length)
        if (rest !== undefined) return this.extend(this.present + rest)
      }
    }
    this.close()
    // One of the messages before, or some of them in one: as they are, since a short new one may well stand in an old one.
    for (let first = 0; first < this.ended.length; first++) {
      let length = -1
      for (let last = first; last < this.ended.length && length < words.length; last++) {
        length += 1 + (this.ended[last] ?? "").length
        if (length === words.length && this.ended.slice(first, last + 1).join(" ") === words) return ""
      }
    }
    const all = this.ended.join(" ")
    if (all !== "" && words.startsWith(`${all} `)) {
      const rest = this.restAfter(text, all.length)
      if (rest !== undefined) return this.extend(rest.trimStart())
    }
    return this.extend(text)
  }

  /** What of `text` stands behind so many characters of its words, or nothing where they cannot be counted off. */
  private restAfter(text: string, length: number): string | undefined {
    let counted = 0
    let space = false
    for (let at = 0; at < text.length; at++) {
      if (/\s/u.test(text.charAt(at))) {
        space = counted > 0
        continue
      }
      counted += space ? 2 : 1
      space = false
      if (counted === length) return text.slice(at + 1)
      if (counted > length) return undefined
    }
    return undefined
  }

  private extend(text: string): string {
    const rest = text.slice(this.fresh ? 0 : this.present.length)
    if (rest === "") return ""
    const piece = this.fresh && this.anything ? paragraph + rest : rest
    this.present = text
    this.fresh = false
    this.anything = true
    return piece
  }

  private close(): void {
    if (this.present !== "") this.ended.push(wordsOf(this.present))
    this.present = ""
    this.fresh = true
  }
}
