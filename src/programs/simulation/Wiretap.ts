/** Hears every frame that an agent hands to the network, and checks the laws of a reply on it, in any dialect. */
import { decodeAgentFrame } from "../../services/protocol/AgentFrame.ts"
import type { ReplyUpdate } from "../../services/protocol/Dialect.ts"
import type { Stage } from "./Stage.ts"

interface Heard {
  /** Times the reply was begun: once, and once more for each repeat. */
  begun: number
  ended: boolean
  /** The platform asked for it again. */
  again: boolean
  asked: boolean
  /** The link that its last event went out on. */
  link: number
  /** The first one has number 4. Undefined: said by a process that died, and nobody knows how far it came. */
  deltas: Array<string> | undefined
}

const longest = 50
const firstDelta = 4

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

export interface Listener {
  /** A frame of the reply to this message has left. */
  readonly frame: (responseId: string) => void
  /** How often this message has reached the agent. */
  readonly deliveries: (responseId: string) => number
  readonly knows: (messageId: string, responseId: string, sure: boolean) => void
}

export class Wiretap {
  readonly #stage: Stage
  readonly #name: string
  readonly #listener: Listener
  #deaths = 0
  readonly #heard = new Map<string, Heard>()

  constructor(stage: Stage, name: string, listener: Listener) {
    this.#stage = stage
    this.#name = name
    this.#listener = listener
  }

  /** A process died: what it had begun may be begun again, by its successor, from the beginning. */
  died(): void {
    this.#deaths++
    for (const heard of this.#heard.values()) {
      if (heard.ended) continue
      heard.begun--
      heard.ended = true
      heard.deltas = undefined
    }
  }

  /** The platform says how far it has a reply: what follows after that may be said again, its end included. */
  asked(responseId: string): void {
    const heard = this.#heard.get(responseId)
    if (heard === undefined) return
    heard.ended = false
    heard.again = true
    heard.asked = true
  }

  /** @param quiet Nothing has disturbed this account for a while: deltas have their usual length. */
  frame(link: number, text: string, quiet: boolean): void {
    const { laws } = this.#stage
    this.#stage.guardFrame(`${this.#name} sent`, text)
    const frame = decodeAgentFrame(text)
    if (frame._tag === "Malformed") {
      return laws.report("stream", `${this.#name} sent what nobody can read: ${frame.message}`)
    }
    if (frame._tag !== "Update") return
    for (const update of frame.updates) {
      const { messageId, responseId } = update.ref
      if (responseId === undefined) return laws.report("stream", `${this.#name} sent an event without a response id`)
      // A refusal comes under an id of its own: nothing was begun.
      const sure = update._tag === "Completed" || update._tag === "Delta"
      if (messageId !== undefined) this.#listener.knows(messageId, responseId, sure)
      this.#event(link, responseId, update, quiet)
      this.#listener.frame(responseId)
    }
  }

  #heardOf(link: number, responseId: string, first: boolean, who: string): Heard {
    const known = this.#heard.get(responseId)
    // On a newer socket it may go on where the platform stands, its end included.
    if (known !== undefined && link > known.link) {
      known.link = link
      known.ended = false
      if (first) known.deltas = []
      return known
    }
    if (known !== undefined && !(first && known.ended)) return known
    const heard: Heard = { begun: (known?.begun ?? 0) + 1, ended: false, again: false, asked: false, link, deltas: [] }
    this.#heard.set(responseId, heard)
    this.#stage.laws.check(
      "one-terminal",
      heard.begun <= Math.max(1, this.#listener.deliveries(responseId)) + this.#deaths,
      () => `${who} was sent ${heard.begun} times; the message came ${this.#listener.deliveries(responseId)} times`
    )
    return heard
  }

  #event(link: number, responseId: string, update: ReplyUpdate, quiet: boolean): void {
    const { laws } = this.#stage
    const who = `${this.#name} ${responseId.slice(0, 13)}`
    const first = update._tag === "Opened"
    const before = this.#heard.get(responseId)
    const begins = before === undefined || link > before.link || before.ended || before.again
    const heard = this.#heardOf(link, responseId, first, who)
    heard.again = false
    if (first) return laws.check("stream", begins, () => `${who} was begun again before it had ended`)
    const terminal = update._tag === "Completed" || update._tag === "Failed"
    if (heard.ended) {
      return laws.report("one-terminal", `${who}: ${terminal ? "a second terminal" : update._tag} after the terminal`)
    }
    switch (update._tag) {
      case "Delta": {
        const { deltas } = heard
        if (deltas === undefined) return
        const due = firstDelta + deltas.length
        const sequence = update.sequence ?? due
        const { delta } = update
        laws.check("stream", sequence === due || ((begins || heard.asked) && sequence < due), () => {
          return `${who}: delta ${sequence} where ${due} was due`
        })
        laws.check("stream", !quiet || delta.length <= longest, () => `${who}: a delta of ${delta.length} characters`)
        laws.check("stream", delta.isWellFormed(), () => `${who}: a delta with half a character`)
        if (sequence < due) deltas.length = Math.max(0, sequence - firstDelta)
        deltas.push(delta)
        return
      }
      case "TextDone": {
        const joined = heard.deltas?.join("") ?? update.text
        return laws.check("stream", update.text === joined, () => {
          return `${who}: the done text (${update.text.length}) is not the deltas joined (${joined.length})`
        })
      }
      case "Progress":
        return
      case "Completed":
      case "Failed":
        heard.ended = true
        if (update._tag === "Failed") {
          const { code, message } = update.failure
          laws.check("bounded", message.length > 10, () => `${who} failed with ${code} and without words`)
        }
        return this.#graphemes(who, heard.deltas ?? [])
    }
  }

  #graphemes(who: string, deltas: ReadonlyArray<string>): void {
    const text = deltas.join("")
    // Nothing beyond Latin and CJK joins.
    if (!/[\u200d\ud800-\udfff]/.test(text)) return
    const whole = new Set<number>()
    for (const { index, segment } of segmenter.segment(text)) whole.add(index + segment.length)
    let bound = 0
    for (const delta of deltas) {
      bound += delta.length
      const at = bound
      this.#stage.laws.check("stream", whole.has(at), () => `${who}: a character was cut at ${at}`)
    }
  }
}
