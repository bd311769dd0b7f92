/** Hears every frame that an agent hands to the network, and checks the laws of a reply on it, in any dialect. */
import { decodeAgentFrame } from "../../services/protocol/AgentFrame.ts"
import type { ReplyUpdate } from "../../services/protocol/Dialect.ts"
import type { Stage } from "./Stage.ts"

interface Heard {
  /** Times the reply was begun: once, and once more for each repeat. */
  begun: number
  terminals: number
  ended: boolean
  next: number
  text: string
  readonly bounds: Array<number>
}

const longest = 50

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

export interface Listener {
  /** A frame of the reply to this message has left. */
  readonly frame: (responseId: string) => void
  /** How often this message has reached the agent. */
  readonly deliveries: (responseId: string) => number
  readonly knows: (messageId: string, responseId: string) => void
}

export class Wiretap {
  readonly #stage: Stage
  readonly #name: string
  readonly #listener: Listener
  readonly #heard = new Map<string, Heard>()

  constructor(stage: Stage, name: string, listener: Listener) {
    this.#stage = stage
    this.#name = name
    this.#listener = listener
  }

  /** A process died: what it had begun may be begun again, by its successor, from the beginning. */
  died(): void {
    for (const heard of this.#heard.values()) if (!heard.ended) heard.begun--
    for (const [id, heard] of this.#heard) if (!heard.ended) this.#heard.set(id, { ...heard, ended: true, bounds: [] })
  }

  frame(text: string): void {
    const { laws, secrets } = this.#stage
    for (const secret of secrets) laws.check("secret", !text.includes(secret), () => `${this.#name} sent a secret`)
    const frame = decodeAgentFrame(text)
    if (frame._tag === "Malformed") {
      return laws.report("stream", `${this.#name} sent what nobody can read: ${frame.message}`)
    }
    if (frame._tag !== "Update") return
    for (const update of frame.updates) {
      const { messageId, responseId } = update.ref
      if (responseId === undefined) return laws.report("stream", `${this.#name} sent an event without a response id`)
      if (messageId !== undefined) this.#listener.knows(messageId, responseId)
      this.#event(responseId, update)
      this.#listener.frame(responseId)
    }
  }

  #event(responseId: string, update: ReplyUpdate): void {
    const { laws } = this.#stage
    const who = `${this.#name} ${responseId.slice(0, 13)}`
    let heard = this.#heard.get(responseId)
    const first = update._tag === "Opened"
    if (heard === undefined || (first && heard.ended)) {
      heard = {
        begun: (heard?.begun ?? 0) + 1,
        terminals: heard?.terminals ?? 0,
        ended: false,
        next: 4,
        text: "",
        bounds: []
      }
      this.#heard.set(responseId, heard)
      const { begun } = heard
      laws.check(
        "one-terminal",
        begun <= Math.max(1, this.#listener.deliveries(responseId)),
        () => `${who} was sent ${begun} times; the message came ${this.#listener.deliveries(responseId)} times`
      )
      if (first) return
    }
    const terminal = update._tag === "Completed" || update._tag === "Failed"
    if (heard.ended) {
      return laws.report("one-terminal", `${who}: ${terminal ? "a second terminal" : update._tag} after the terminal`)
    }
    switch (update._tag) {
      case "Opened":
        return laws.report("stream", `${who} was begun again before it had ended`)
      case "Delta": {
        const { next } = heard
        laws.check("stream", update.sequence === next, () => `${who}: delta ${update.sequence} where ${next} was due`)
        laws.check(
          "stream",
          update.delta.length <= longest,
          () => `${who}: a delta of ${update.delta.length} characters`
        )
        laws.check("stream", update.delta.isWellFormed(), () => `${who}: a delta with half a character`)
        heard.next = (update.sequence ?? next) + 1
        heard.text += update.delta
        heard.bounds.push(heard.text.length)
        return
      }
      case "TextDone": {
        const { text } = heard
        return laws.check("stream", update.text === text, () => `${who}: the done text is not the deltas joined`)
      }
      case "Progress":
        return
      case "Completed":
      case "Failed":
        heard.terminals++
        heard.ended = true
        if (update._tag === "Failed") {
          const { code, message } = update.failure
          laws.check("bounded", message.length > 10, () => `${who} failed with ${code} and without words`)
        }
        return this.#graphemes(who, heard)
    }
  }

  #graphemes(who: string, heard: Heard): void {
    // Nothing beyond Latin and CJK joins.
    if (!/[\u200d\ud800-\udfff]/.test(heard.text)) return
    const whole = new Set<number>()
    for (const { index, segment } of segmenter.segment(heard.text)) whole.add(index + segment.length)
    for (const bound of heard.bounds) {
      this.#stage.laws.check("stream", whole.has(bound), () => `${who}: a character was cut at ${bound}`)
    }
  }
}
