/**
 * A person's client, written from the wire: plain `ws`, plain JSON. It sends all the time in several conversations;
 * after a broken connection it sends again, under the same ids, what has no answer yet, and reads on.
 */
import { WebSocket } from "ws"
import type { Chance } from "./Chance.ts"
import type { Ledger, Message } from "./Ledger.ts"
import { paced } from "./pace.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- frames as a stranger reads them
type Json = Record<string, any>

/** What one socket has seen of one reply, from its beginning. */
interface Reading {
  text: string
  /** The sequence number that is due. */
  next: number
  live: boolean
  done: boolean
}

interface Conversation {
  readonly session: string
  count: number
  readonly pending: Array<Message>
}

export interface Options {
  readonly name: string
  readonly url: string
  readonly token: string
  readonly sessions: ReadonlyArray<string>
  readonly ledger: Ledger
  readonly chance: Chance
}

/** Messages of one conversation without an answer at the same time. */
const ahead = 3
/** Without a sign for so long the connection counts as dead. */
const patience = 1_200

export class Person {
  readonly #options: Options
  readonly #conversations: ReadonlyArray<Conversation>
  readonly #byId = new Map<string, Message>()
  readonly #byResponse = new Map<string, Message>()
  #ws: WebSocket | undefined
  #readings = new Map<string, Reading>()
  /** How often this socket has asked for a reply from its beginning. */
  #asked = new Map<string, number>()
  #terminals = new Map<string, number>()
  #heard = 0
  #sending = true
  #closed = false
  #timer: NodeJS.Timeout | undefined
  connections = 0

  constructor(options: Options) {
    this.#options = options
    this.#conversations = options.sessions.map((session) => ({ session, count: 0, pending: [] }))
  }

  begin(): void {
    this.#connect()
    this.#timer = setInterval(() => this.#tick(), 60)
  }

  /** Asks nothing new; what is pending is waited for. */
  rest(): void {
    this.#sending = false
  }

  get pending(): number {
    return this.#conversations.reduce((sum, { pending }) => sum + pending.length, 0)
  }

  end(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#ws?.terminate()
  }

  #connect(): void {
    if (this.#closed) return
    const { chance, token, url } = this.#options
    const ws = new WebSocket(`${url.replace(/^http/, "ws")}/ws/chat`, { headers: { authorization: `Bearer ${token}` } })
    this.#ws = ws
    this.#readings = new Map()
    this.#asked = new Map()
    this.#terminals = new Map()
    this.#heard = performance.now()
    ws.on("error", () => undefined)
    ws.on("pong", () => (this.#heard = performance.now()))
    ws.on("open", () => {
      this.connections++
      for (const { pending } of this.#conversations) for (const message of pending) this.#send(message)
    })
    ws.on("message", (data) => {
      if (ws !== this.#ws) return
      this.#heard = performance.now()
      const text = String(data)
      const frame: Json = JSON.parse(text)
      this.#options.ledger.shown("a frame to a person", text)
      this.#take(frame)
    })
    ws.on("close", () => {
      if (this.#ws === ws) this.#ws = undefined
      if (!this.#closed) setTimeout(() => this.#connect(), chance.between(20, 250))
    })
  }

  #tick(): void {
    const ws = this.#ws
    if (ws === undefined) return
    if (performance.now() - this.#heard > paced(patience)) return ws.terminate()
    if (ws.readyState !== WebSocket.OPEN) return
    const { chance, ledger, name } = this.#options
    if (chance.happens(0.3)) ws.ping()
    for (const conversation of this.#conversations) {
      if (this.#sending && conversation.pending.length < ahead && chance.happens(0.2)) {
        const number = conversation.count++
        const id = `${name}-${conversation.session.slice(-6)}-${number}`
        const message = ledger.add({
          id,
          person: name,
          session: conversation.session,
          number,
          question: `question ${number} of ${conversation.session}`,
          mayBeCancelled: false
        })
        this.#byId.set(id, message)
        conversation.pending.push(message)
        this.#send(message)
      } else if (chance.happens(0.02)) {
        // Out of impatience: the same again starts nothing.
        for (const message of conversation.pending) this.#send(message)
      }
    }
  }

  #send(message: Message): void {
    message.sends++
    this.#options.ledger.note(
      message,
      `sent (${message.sends}. time, connection ${this.connections} of ${message.person})`
    )
    this.#ws?.send(
      JSON.stringify({
        stream: true,
        input: [{ type: "message", role: "user", content: [{ type: "input_text", text: message.question }] }],
        metadata: { session_id: message.session, message_id: message.id }
      })
    )
  }

  #over(message: Message): void {
    for (const { pending } of this.#conversations) {
      const index = pending.indexOf(message)
      if (index !== -1) pending.splice(index, 1)
    }
  }

  #messageOf(frame: Json): Message | undefined {
    const responseId: string | undefined = frame["response_id"] ?? frame["response"]?.["id"]
    const messageId: string | undefined = frame["message_id"] ?? frame["response"]?.["metadata"]?.["message_id"]
    const message =
      (messageId === undefined ? undefined : this.#byId.get(messageId)) ??
      (responseId === undefined ? undefined : this.#byResponse.get(responseId))
    if (message !== undefined && responseId !== undefined) this.#byResponse.set(responseId, message)
    return message
  }

  #take(frame: Json): void {
    const { ledger } = this.#options
    if (frame["type"] === undefined) {
      const refused = this.#byId.get(frame["metadata"]?.["message_id"])
      if (refused !== undefined) {
        refused.refused = true
        ledger.note(refused, `refused: ${JSON.stringify(frame["error"])}`)
      }
      return
    }
    const message = this.#messageOf(frame)
    if (message === undefined) return
    const responseId: string = frame["response_id"] ?? frame["response"]?.["id"] ?? ""
    const reading = this.#readings.get(responseId)
    switch (frame["type"]) {
      case "message.accepted": {
        ledger.accepted(message, responseId, frame["fresh"] === true ? "accepted" : "known")
        const { error, reply_text, status } = frame["message"]
        if (status === "completed" || status === "failed") {
          ledger.ended(message, { text: reply_text, code: error?.code, words: error?.message }, "known")
          this.#over(message)
        } else if (frame["fresh"] !== true && status === "answering" && reading === undefined) {
          this.#asked.set(responseId, (this.#asked.get(responseId) ?? 0) + 1)
          ledger.note(message, "asked for what came so far")
          this.#ws?.send(JSON.stringify({ type: "response.resume", response_id: responseId }))
        }
        return
      }
      case "message.status":
        return ledger.note(message, `is ${frame["status"]}`)
      case "response.created": {
        ledger.accepted(message, responseId, "created")
        const asked = this.#asked.get(responseId) ?? 0
        if (reading !== undefined && asked === 0) ledger.break("stream", "a reply began twice on one socket", message)
        if (frame["sequence_number"] !== 0) ledger.break("stream", "a reply that does not begin with number 0", message)
        this.#readings.set(responseId, { text: "", next: 4, live: asked === 0, done: false })
        return
      }
      case "response.output_text.delta": {
        if (reading === undefined) return
        const first: number = frame["from"] ?? frame["sequence_number"]
        if (first !== reading.next) {
          ledger.break("stream", `delta ${first} where ${reading.next} was due`, message)
          this.#readings.delete(responseId)
          return
        }
        reading.next = frame["sequence_number"] + 1
        reading.text += frame["delta"]
        if (!message.answer.startsWith(reading.text)) {
          ledger.break(
            "stream",
            `${reading.live ? "live" : "resumed"} deltas joined are no beginning of the agent's text: … "${reading.text.slice(-80)}"`,
            message
          )
          this.#readings.delete(responseId)
        }
        return
      }
      case "response.output_text.done":
        if (reading === undefined) return
        if (reading.text !== frame["text"]) {
          ledger.break(
            "stream",
            `deltas joined (${reading.text.length} characters) are not the done text (${String(frame["text"]).length})`,
            message
          )
        }
        reading.done = true
        return
      case "response.completed":
      case "response.failed": {
        const { error, output_text } = frame["response"]
        const how =
          reading === undefined ? "heard the end" : reading.live ? "read live to the end" : "read on to the end"
        ledger.ended(message, { text: output_text, code: error?.code, words: error?.message }, how)
        if (reading !== undefined) {
          message.streams++
          if (!reading.done) ledger.break("stream", "an end without the done text before it", message)
          if (reading.text !== output_text) ledger.break("stream", "deltas joined are not the final text", message)
        }
        const seen = (this.#terminals.get(responseId) ?? 0) + 1
        this.#terminals.set(responseId, seen)
        if (seen > 1 + (this.#asked.get(responseId) ?? 0)) {
          ledger.break("one-terminal", `${seen} ends of one reply on one socket`, message)
        }
        this.#over(message)
      }
    }
  }
}
