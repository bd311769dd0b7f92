/** What people sent and saw, message by message, and every law that was seen broken. */
import { answerTo } from "./script.ts"

export type Law = "one-terminal" | "once" | "stream" | "order" | "drain" | "words" | "secret" | "stop" | "start"

export const laws: ReadonlyArray<Law> = [
  "one-terminal",
  "once",
  "stream",
  "order",
  "drain",
  "words",
  "secret",
  "stop",
  "start"
]

export interface Violation {
  readonly law: Law
  readonly what: string
  readonly message: Message | undefined
}

/** How a reply ended, as somebody saw it. Without a code it was completed. */
export interface Terminal {
  readonly text: string
  readonly code: string | undefined
  readonly words: string | undefined
}

export interface Message {
  readonly id: string
  readonly person: string
  readonly session: string
  /** Which one of its session, in the order of sending. */
  readonly number: number
  readonly question: string
  readonly answer: string
  /** It went through `/v1/responses` and may be cancelled by hanging up. */
  readonly mayBeCancelled: boolean
  sends: number
  /** The platform said that it has it. */
  accepted: boolean
  /** A send was refused in words, so that later ones may have come before it. */
  refused: boolean
  responseId: string | undefined
  terminal: Terminal | undefined
  /** Streams of it that somebody read from the beginning to the end, or up to a cut. */
  streams: number
  /** Lines for a person who has to find out what happened. */
  readonly history: Array<string>
}

const same = (left: Terminal, right: Terminal): boolean => left.text === right.text && left.code === right.code

const short = (text: string): string => (text.length > 90 ? `${text.slice(0, 60)} … ${text.slice(-25)}` : text)

export class Ledger {
  readonly messages = new Map<string, Message>()
  readonly violations: Array<Violation> = []
  readonly secrets = new Set<string>()
  readonly #since = performance.now()

  /** Seconds since the beginning. */
  at(): string {
    return ((performance.now() - this.#since) / 1000).toFixed(3)
  }

  add(given: Pick<Message, "id" | "person" | "session" | "number" | "question" | "mayBeCancelled">): Message {
    const message: Message = {
      ...given,
      answer: answerTo(given.question),
      sends: 0,
      accepted: false,
      refused: false,
      responseId: undefined,
      terminal: undefined,
      streams: 0,
      history: []
    }
    this.messages.set(message.id, message)
    return message
  }

  note(message: Message, line: string): void {
    message.history.push(`${this.at()}  ${line}`)
  }

  /** A happening that concerns everything under way. */
  noteAll(line: string): void {
    for (const message of this.messages.values()) if (message.terminal === undefined) this.note(message, line)
  }

  break(law: Law, what: string, message?: Message): void {
    this.violations.push({ law, what, message })
    if (message !== undefined) this.note(message, `BROKEN ${law}: ${what}`)
  }

  /** Nothing of what anyone is shown may hold a secret of somebody else. */
  shown(where: string, text: string, message?: Message): void {
    for (const secret of this.secrets) if (text.includes(secret)) this.break("secret", `a secret in ${where}`, message)
  }

  accepted(message: Message, responseId: unknown, how: string): void {
    message.accepted = true
    if (typeof responseId !== "string") return
    this.note(message, `${how}: ${responseId}`)
    if (message.responseId === undefined) message.responseId = responseId
    else if (message.responseId !== responseId) {
      this.break("once", `two response ids: ${message.responseId}, ${responseId} (${how})`, message)
    }
  }

  ended(message: Message, terminal: Terminal, how: string): void {
    this.note(message, `${how}: ${terminal.code ?? "completed"}, ${terminal.text.length} characters`)
    if (message.terminal !== undefined) {
      if (!same(message.terminal, terminal)) {
        this.break(
          "one-terminal",
          `two ends: ${message.terminal.code ?? "completed"} "${short(message.terminal.text)}", then ${how} ${terminal.code ?? "completed"} "${short(terminal.text)}"`,
          message
        )
      }
      return
    }
    message.terminal = terminal
    if (terminal.code === undefined) {
      if (terminal.text !== message.answer) {
        this.break(
          "stream",
          `completed with another text than the agent's: ${terminal.text.length} characters, ${message.answer.length} were due: "${short(terminal.text)}"`,
          message
        )
      }
      return
    }
    if (!message.answer.startsWith(terminal.text)) {
      this.break(
        "stream",
        `${terminal.code} with a text that is no beginning of the agent's: "${short(terminal.text)}"`,
        message
      )
    }
    if (terminal.code !== "INTERRUPTED" && !(terminal.code === "CANCELLED" && message.mayBeCancelled)) {
      this.break("words", `failed with ${terminal.code}: ${terminal.words ?? "no words"}`, message)
    }
    if (!/^[A-Z][^\n]{10,}[.!?]$/.test(terminal.words ?? "") || /\/|node:|\bat \w+ \(/.test(terminal.words ?? "")) {
      this.break("words", `its failure is no sentence for a person: ${terminal.words ?? "nothing"}`, message)
    }
  }
}
