/**
 * A client of `/v1/responses`: asks, reads the stream, and after a cut reads on where it was. Plain HTTP and JSON; the
 * streams are held against the laws.
 */
import { request, type IncomingMessage } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import type { ResponseEvent, ResponseObject } from "../../src/services/protocol/ResponseEvent.ts"
import { Checker } from "../../src/services/protocol/StreamLaws.ts"
import type { Chance } from "./Chance.ts"
import type { Ledger, Message } from "./Ledger.ts"
import { paced } from "./pace.ts"

export interface Options {
  readonly name: string
  readonly url: string
  readonly token: string
  readonly session: string
  readonly model: string
  readonly ledger: Ledger
  readonly chance: Chance
}

/** Longer than any reply takes, shorter than a half-open connection is endured. */
const patience = 2_500

const open = (url: string, token: string, method: string, body?: object): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      agent: false,
      timeout: paced(patience),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }
    })
    sent.on("response", (answer) => {
      answer.setTimeout(paced(patience), () => answer.destroy())
      resolve(answer)
    })
    sent.on("timeout", () => sent.destroy(new Error("silence")))
    sent.on("error", reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })

const finalText = (response: ResponseObject): string =>
  response.output.flatMap(({ content }) => content.map(({ text }) => text)).join("")

export class Reader {
  readonly #options: Options
  #sending = true
  #closed = false
  #count = 0
  /** The last question was answered with a refusal. */
  #turnedAway = false
  running: Promise<void> | undefined
  current: Message | undefined

  constructor(options: Options) {
    this.#options = options
  }

  begin(): void {
    this.running = this.#run()
  }

  rest(): void {
    this.#sending = false
  }

  end(): void {
    this.#closed = true
  }

  get pending(): number {
    return this.current === undefined ? 0 : 1
  }

  async #run(): Promise<void> {
    const { chance, ledger, name, session } = this.#options
    while (this.#sending) {
      const number = this.#count++
      const background = chance.happens(0.6)
      const message = ledger.add({
        id: `${name}-v1-${number}`,
        person: name,
        session,
        number,
        question: `asked ${number} of ${session}`,
        mayBeCancelled: !background
      })
      this.current = message
      this.#turnedAway = false
      while (message.terminal === undefined && !this.#closed) {
        // Turned away the last time and asked no more: nothing was accepted, so nothing is owed.
        if (!this.#sending && !message.accepted && this.#turnedAway) break
        this.#turnedAway = false
        await this.#ask(message, background).catch((error: Error) => ledger.note(message, `cut: ${error.message}`))
        await sleep(chance.between(20, 300))
      }
      this.current = undefined
      await sleep(chance.between(0, 200))
    }
  }

  async #ask(message: Message, background: boolean): Promise<void> {
    const { ledger, model, session, token, url } = this.#options
    message.sends++
    ledger.note(message, `asked /v1/responses (${message.sends}. time${background ? ", background" : ""})`)
    const answer = await open(`${url}/v1/responses`, token, "POST", {
      model,
      input: message.question,
      stream: true,
      background,
      metadata: { session_id: session, message_id: message.id }
    })
    if (answer.statusCode !== 200) {
      const words = await this.#text(answer)
      ledger.shown("an answer of /v1", words)
      ledger.note(message, `refused with ${answer.statusCode}: ${words.slice(0, 120)}`)
      message.refused = true
      this.#turnedAway = true
      return
    }
    ledger.accepted(message, undefined, "answered with 200")
    const seen = { last: -1, text: "" }
    await this.#read(answer, message, seen, true).catch((error: Error) => ledger.note(message, `cut: ${error.message}`))
    if (!background) return
    // A reply in the background goes on without its reader, who reads on after the last number that came.
    while (message.terminal === undefined && message.responseId !== undefined && !this.#closed) {
      await sleep(this.#options.chance.between(20, 200))
      await this.#readOn(message, message.responseId, seen).catch((error: Error) =>
        ledger.note(message, `cut: ${error.message}`)
      )
    }
  }

  async #readOn(message: Message, responseId: string, seen: { last: number; text: string }): Promise<void> {
    const { ledger, token, url } = this.#options
    ledger.note(message, `reads on after ${seen.last}`)
    const path = `/v1/responses/${responseId}?stream=true${seen.last < 0 ? "" : `&starting_after=${seen.last}`}`
    const answer = await open(url + path, token, "GET")
    if (answer.statusCode !== 200) {
      ledger.note(message, `refused with ${answer.statusCode}: ${(await this.#text(answer)).slice(0, 120)}`)
      return
    }
    await this.#read(answer, message, seen, false)
  }

  async #text(answer: IncomingMessage): Promise<string> {
    let text = ""
    answer.setEncoding("utf8")
    for await (const piece of answer) text += piece
    return text
  }

  /** `whole`: from the beginning, so that every law can be asked. */
  async #read(
    answer: IncomingMessage,
    message: Message,
    seen: { last: number; text: string },
    whole: boolean
  ): Promise<void> {
    const { ledger } = this.#options
    const checker = new Checker()
    const fromStart = whole || seen.last < 0
    let rest = ""
    answer.setEncoding("utf8")
    for await (const piece of answer) {
      rest += piece
      const blocks = rest.split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const data = block
          .split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trim())
          .join("\n")
        if (data === "" || data === "[DONE]") continue
        ledger.shown("an event of /v1", data)
        const event: ResponseEvent | { readonly type: "error"; readonly message: string } = JSON.parse(data)
        if (event.type === "error") {
          ledger.note(message, `told: ${event.message}`)
          continue
        }
        if (fromStart) {
          for (const broken of checker.push(event)) ledger.break(broken.law, `on /v1: ${broken.message}`, message)
        }
        this.#take(event, message, seen)
      }
    }
    if (message.terminal !== undefined && fromStart) message.streams++
  }

  #take(event: ResponseEvent, message: Message, seen: { last: number; text: string }): void {
    const { ledger } = this.#options
    if (event.type === "response.created") {
      seen.text = ""
      ledger.accepted(message, event.response.id, "created on /v1")
    } else if (event.sequence_number <= seen.last) {
      ledger.break("stream", `number ${event.sequence_number} after ${seen.last} on /v1`, message)
    }
    seen.last = event.sequence_number
    switch (event.type) {
      case "response.output_text.delta":
        seen.text += event.delta
        if (!message.answer.startsWith(seen.text)) {
          ledger.break(
            "stream",
            `what was read on /v1 is no beginning of the agent's text: … "${seen.text.slice(-80)}"`,
            message
          )
          seen.text = ""
        }
        return
      case "response.completed":
      case "response.failed": {
        const { error } = event.response
        ledger.ended(
          message,
          { text: finalText(event.response), code: error?.code, words: error?.message },
          "read on /v1"
        )
      }
    }
  }
}
