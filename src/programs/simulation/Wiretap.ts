/**
 * Hears every frame that an agent hands to the network, and checks the laws of a reply on it, in any dialect.
 *
 * A reply is said once, in order. What was said may be said again only where somebody asked for it: the message came
 * again, or the platform's answer to `response.resume`, or its `response.gap`, named the number to go on with, or that
 * question had no answer. Then it is the same text, and the same end. A process that dies may leave a reply in the
 * middle; its successor goes by the journal, and says of what is not written there that it was interrupted.
 */
import { decodeAgentFrame } from "../../services/protocol/AgentFrame.ts"
import { readAgentResume, type ResponseAck } from "../../services/protocol/Control.ts"
import type { ReplyUpdate } from "../../services/protocol/Dialect.ts"
import type { Stage } from "./Stage.ts"

/** How a reply ended: "completed", or the code of its failure. */
export type End = string

interface Heard {
  /** Times the reply was begun: once, and once more for each repeat. */
  begun: number
  ended: boolean
  /** The platform said that it has ended there: the agent owes no end of it. */
  over: boolean
  /** The first one has number 4. Undefined: said in part by a process that died, and nobody knows how far it came. */
  deltas: Array<string> | undefined
  /** A process that died said it last. */
  stranded: boolean
  /** Processes that died while it was known. */
  deaths: number
  /** Numbers that the platform answered it should go on with, and how often each may be gone on with for that. */
  readonly due: Map<number, number>
  /** The same of those that the platform said it lacks. */
  readonly gaps: Map<number, number>
  /** The platform was asked how far it has it, and what it has confirmed. */
  asked: boolean
  confirmed: number
  /** All of it, once it was said to its end by a process that lives. */
  whole: string | undefined
}

const longest = 50
const firstDelta = 4

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const isTerminal = (update: ReplyUpdate) => update._tag === "Completed" || update._tag === "Failed"

export interface Listener {
  /** A frame of the reply to this message has left. */
  readonly frame: (responseId: string) => void
  /** How often this message has reached the agent. */
  readonly deliveries: (responseId: string) => number
  readonly knows: (messageId: string, responseId: string, sure: boolean) => void
  /** As the journal has it on its disk; undefined where it has no end of it, or is not on a disk. */
  readonly written: (responseId: string) => End | undefined
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

  /** A process ended, in order or not. */
  died(): void {
    for (const heard of this.#heard.values()) {
      heard.deaths++
      heard.stranded = true
      heard.whole = heard.deltas = undefined
      heard.asked = false
      heard.confirmed = -1
      heard.due.clear()
      heard.gaps.clear()
    }
  }

  /** The platform says how far it has a reply. */
  acknowledged({ responseId, sequence, status }: ResponseAck): void {
    const heard = this.#of(responseId)
    heard.confirmed = Math.max(heard.confirmed, sequence)
    if (status === "ended") heard.over = true
    // However often it was asked, and answered: only the last answer says where to go on.
    if (status === "open") heard.due.set(sequence + 1, Math.max(1, heard.due.get(sequence + 1) ?? 0))
  }

  /** The platform says that it lacks what comes from this number on: once more each time it says so. */
  missing(responseId: string, from: number): void {
    const { gaps } = this.#of(responseId)
    gaps.set(from, (gaps.get(from) ?? 0) + 1)
  }

  /** @param quiet Nothing has disturbed this account for a while: deltas have their usual length. */
  frame(text: string, quiet: boolean): void {
    const { laws } = this.#stage
    this.#stage.guardFrame(`${this.#name} sent`, text)
    const frame = decodeAgentFrame(text)
    if (frame._tag === "Malformed") {
      return laws.report("stream", `${this.#name} sent what nobody can read: ${frame.message}`)
    }
    if (frame._tag === "Control" && frame.type === "response.resume") return this.#asks(frame.frame)
    if (frame._tag !== "Update") return
    for (const update of frame.updates) {
      const { messageId, responseId } = update.ref
      if (responseId === undefined) return laws.report("stream", `${this.#name} sent an event without a response id`)
      // A refusal comes under an id of its own: nothing was begun.
      const sure = update._tag === "Completed" || update._tag === "Delta"
      if (messageId !== undefined) this.#listener.knows(messageId, responseId, sure)
      this.#event(responseId, update, quiet)
      this.#listener.frame(responseId)
    }
  }

  #asks(frame: Parameters<typeof readAgentResume>[0]): void {
    this.#of(readAgentResume(frame)?.responseId ?? "").asked = true
  }

  #of(responseId: string): Heard {
    const known = this.#heard.get(responseId)
    if (known !== undefined) return known
    const heard: Heard = {
      begun: 0,
      ended: false,
      over: false,
      deltas: [],
      stranded: false,
      deaths: 0,
      due: new Map(),
      gaps: new Map(),
      asked: false,
      confirmed: -1,
      whole: undefined
    }
    this.#heard.set(responseId, heard)
    return heard
  }

  /** Somebody asked for what begins with this number. Uses that up. */
  #wanted(heard: Heard, from: number, to: number): boolean {
    const takes = (numbers: Map<number, number>): boolean => {
      for (const [number, times] of numbers) {
        if (number < from || number > to) continue
        if (times > 1) numbers.set(number, times - 1)
        else numbers.delete(number)
        return true
      }
      return false
    }
    if (takes(heard.due)) {
      heard.asked = false
      return true
    }
    // What is missing answers no question: one that is open may be given up all the same.
    if (takes(heard.gaps)) return true
    // Its question had no answer: it goes on with what was not confirmed then.
    if (!heard.asked || heard.confirmed + 1 < from) return false
    heard.asked = false
    return true
  }

  #event(responseId: string, update: ReplyUpdate, quiet: boolean): void {
    const who = `${this.#name} ${responseId.slice(0, 13)}`
    const heard = this.#of(responseId)
    if (update._tag === "Opened") return this.#opened(heard, responseId, who)
    if (update._tag === "Delta") this.#delta(heard, who, update, quiet)
    else this.#rest(heard, responseId, who, update)
  }

  #opened(heard: Heard, responseId: string, who: string): void {
    const { laws } = this.#stage
    const { begun, stranded } = heard
    // The four events that open a reply are two frames in some dialects.
    if (begun > 0 && !stranded && !this.#wanted(heard, 0, firstDelta - 1)) {
      laws.check("stream", heard.ended || heard.over, () => `${who} was begun again before it had ended`)
      const times = this.#listener.deliveries(responseId)
      // Whatever was asked for of a reply that is said out of the journal, all of it is said.
      if (!this.#wanted(heard, 0, Number.POSITIVE_INFINITY)) heard.begun++
      laws.check("one-terminal", heard.begun <= Math.max(1, times) + heard.deaths, () => {
        return `${who} was sent ${heard.begun} times; the message came ${times} times`
      })
    }
    if (begun === 0) heard.begun = 1
    heard.ended = heard.over = heard.stranded = false
    heard.deltas = []
  }

  #delta(heard: Heard, who: string, update: Extract<ReplyUpdate, { readonly _tag: "Delta" }>, quiet: boolean): void {
    const { laws } = this.#stage
    const { delta } = update
    const { deltas } = heard
    laws.check("stream", delta.isWellFormed(), () => `${who}: a delta with half a character`)
    if (deltas === undefined) return laws.report("stream", `${who}: goes on with what a dead process had begun`)
    const due = firstDelta + deltas.length
    const sequence = update.sequence ?? due
    if ((sequence !== due || heard.ended) && sequence <= due && this.#wanted(heard, sequence, sequence)) {
      heard.ended = false
      deltas.length = sequence - firstDelta
    } else if (heard.ended) {
      return laws.report("one-terminal", `${who}: Delta after the terminal`)
    } else {
      laws.check("stream", sequence === due, () => `${who}: delta ${sequence} where ${due} was due`)
    }
    laws.check("stream", !quiet || delta.length <= longest, () => `${who}: a delta of ${delta.length} characters`)
    deltas.push(delta)
  }

  #rest(
    heard: Heard,
    responseId: string,
    who: string,
    update: Exclude<ReplyUpdate, { readonly _tag: "Delta" | "Opened" }>
  ): void {
    const { laws } = this.#stage
    // What ends it, alone, was asked for; or a successor says that it does not know.
    const last = firstDelta + (heard.deltas?.length ?? 0)
    if (heard.stranded) heard.ended = heard.stranded = false
    else if (heard.ended && this.#wanted(heard, last, last + 3)) heard.ended = false
    if (heard.ended) {
      const what = isTerminal(update) ? "a second terminal" : update._tag
      return laws.report("one-terminal", `${who}: ${what} after the terminal`)
    }
    const joined = heard.deltas?.join("")
    if (update._tag === "TextDone") {
      const { text } = update
      return laws.check("stream", joined === undefined || text === joined, () => {
        return `${who}: the done text (${text.length}) is not the deltas joined (${joined?.length})`
      })
    }
    if (update._tag === "Progress") return
    heard.ended = true
    heard.begun = Math.max(1, heard.begun)
    const end = update._tag === "Failed" ? update.failure.code : "completed"
    const written = this.#listener.written(responseId)
    laws.check("one-terminal", written === undefined || written === end, () => {
      return `${who} ends as ${end}; in the journal it is ${written}`
    })
    if (update._tag === "Failed") {
      const { code, message } = update.failure
      laws.check("bounded", message.length > 10, () => `${who} failed with ${code} and without words`)
    }
    if (joined === undefined) return
    laws.check("stream", heard.whole === undefined || heard.whole === joined, () => {
      return `${who}: said again it is another text (${joined.length} characters, before ${heard.whole?.length})`
    })
    heard.whole = joined
    this.#graphemes(who, heard.deltas ?? [], joined)
  }

  #graphemes(who: string, deltas: ReadonlyArray<string>, text: string): void {
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
