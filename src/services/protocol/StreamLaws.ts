/**
 * The laws **stream** and **one-terminal**, checked on canonical events: by tests, by the simulator, by `doctor`, and
 * over a live stream with `Checker`.
 *
 * - numbers 0, +1; a joined delta has those from `from` to its own
 * - created, in_progress, output_item.added, content_part.added, deltas, output_text.done, content_part.done,
 *   output_item.done, terminal: in this order, each once, deltas any number
 * - deltas joined = every text that is said afterwards
 * - ids, model, creation and metadata never change
 * - one terminal, its status and error in step with its type, and nothing after it
 */
import { isTerminal, type OutputMessage, type ResponseEvent, type ResponseObject } from "./ResponseEvent.ts"

export interface Violation {
  readonly law: "stream" | "one-terminal"
  /** What was expected and what came. Never repeats the text of a reply. */
  readonly message: string
  /** Which event, counted from 0 as they came. The number of events for what is missing at the end. */
  readonly index: number
}

type EventType = ResponseEvent["type"]

/** What may follow what. `undefined` = nothing came yet. */
const next = (previous: EventType | undefined): ReadonlyArray<EventType> => {
  switch (previous) {
    case undefined:
      return ["response.created"]
    case "response.created":
      return ["response.in_progress"]
    case "response.in_progress":
      return ["response.output_item.added"]
    case "response.output_item.added":
      return ["response.content_part.added"]
    case "response.content_part.added":
    case "response.output_text.delta":
      return ["response.output_text.delta", "response.output_text.done"]
    case "response.output_text.done":
      return ["response.content_part.done"]
    case "response.content_part.done":
      return ["response.output_item.done"]
    case "response.output_item.done":
      return ["response.completed", "response.failed", "response.incomplete"]
    case "response.completed":
    case "response.failed":
    case "response.incomplete":
      return []
  }
}

const sameMetadata = (left: ResponseObject["metadata"], right: ResponseObject["metadata"]): boolean => {
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}

/** Takes the events of one reply one by one and says what each of them breaks. */
export class Checker {
  #index = 0
  #sequence = 0
  #previous: EventType | undefined
  #terminals = 0
  #text = ""
  #itemId: string | undefined
  #itemStatus: OutputMessage["status"] | undefined
  #response: ResponseObject | undefined

  push(event: ResponseEvent): ReadonlyArray<Violation> {
    const found: Array<Violation> = []
    const index = this.#index++
    const report = (law: Violation["law"], message: string): void => {
      found.push({ law, message, index })
    }
    const stream = (holds: boolean, message: string): void => {
      if (!holds) report("stream", message)
    }

    if (this.#terminals > 0) {
      report(
        "one-terminal",
        isTerminal(event) ? `a second terminal (${event.type})` : `${event.type} after the terminal event`
      )
    }
    const first =
      event.type === "response.output_text.delta" ? (event.from ?? event.sequence_number) : event.sequence_number
    stream(
      first === this.#sequence && event.sequence_number >= first,
      `sequence number ${first} where ${this.#sequence} was due`
    )
    // Goes on from what came, so that one fault is reported once.
    this.#sequence = event.sequence_number + 1

    const due = next(this.#previous)
    if (this.#terminals === 0) {
      stream(due.includes(event.type), `${event.type} where ${due.join(" or ")} was due`)
    }
    this.#previous = event.type
    if (isTerminal(event)) this.#terminals += 1
    this.#content(event, stream)
    return found
  }

  /** The stream ended here: what is missing? */
  end(): ReadonlyArray<Violation> {
    return this.#terminals > 0
      ? []
      : [{ law: "one-terminal", message: "the stream ended without a terminal event", index: this.#index }]
  }

  #content(event: ResponseEvent, stream: (holds: boolean, message: string) => void): void {
    switch (event.type) {
      case "response.created":
      case "response.in_progress":
        this.#object(event.response, stream)
        stream(event.response.status === "in_progress", `status ${event.response.status} in ${event.type}`)
        stream(event.response.output.length === 0, `output in ${event.type}`)
        stream(event.response.error === null, `an error in ${event.type}`)
        stream(event.response.completed_at === null, `an end in ${event.type}`)
        return
      case "response.output_item.added":
        this.#item(event.item.id, event.output_index, 0, stream)
        stream(event.item.status === "in_progress", `item status ${event.item.status} in ${event.type}`)
        stream(event.item.content.length === 0, `content in ${event.type}`)
        return
      case "response.content_part.added":
        this.#item(event.item_id, event.output_index, event.content_index, stream)
        stream(event.part.text === "", `text in ${event.type}`)
        return
      case "response.output_text.delta":
        this.#item(event.item_id, event.output_index, event.content_index, stream)
        stream(event.delta !== "", "an empty delta")
        this.#text += event.delta
        return
      case "response.output_text.done":
        this.#item(event.item_id, event.output_index, event.content_index, stream)
        this.#same(event.text, event.type, stream)
        return
      case "response.content_part.done":
        this.#item(event.item_id, event.output_index, event.content_index, stream)
        this.#same(event.part.text, event.type, stream)
        return
      case "response.output_item.done":
        this.#item(event.item.id, event.output_index, 0, stream)
        this.#message(event.item, event.type, stream)
        this.#itemStatus = event.item.status
        stream(event.item.status !== "in_progress", `item status in_progress in ${event.type}`)
        return
      case "response.completed":
      case "response.failed":
      case "response.incomplete": {
        const { response } = event
        this.#object(response, stream)
        stream(event.type === `response.${response.status}`, `status ${response.status} in ${event.type}`)
        stream(
          (response.error !== null) === (event.type === "response.failed"),
          `error and type differ in ${event.type}`
        )
        stream(response.completed_at !== null, `no end in ${event.type}`)
        const [item, ...others] = response.output
        stream(item !== undefined && others.length === 0, `${response.output.length} items in ${event.type}, 1 was due`)
        if (item === undefined) return
        this.#item(item.id, 0, 0, stream)
        this.#message(item, event.type, stream)
        stream(
          item.status === (event.type === "response.completed" ? "completed" : "incomplete") &&
            (this.#itemStatus === undefined || item.status === this.#itemStatus),
          `item status ${item.status} in ${event.type}`
        )
      }
    }
  }

  #object(response: ResponseObject, stream: (holds: boolean, message: string) => void): void {
    const first = (this.#response ??= response)
    stream(response.id === first.id, "the response id changed")
    stream(response.model === first.model, "the model changed")
    stream(response.created_at === first.created_at, "created_at changed")
    stream(response.previous_response_id === first.previous_response_id, "previous_response_id changed")
    stream(sameMetadata(response.metadata, first.metadata), "the metadata changed")
  }

  #item(id: string, output: number, content: number, stream: (holds: boolean, message: string) => void): void {
    stream(id === (this.#itemId ??= id), "the item id changed")
    stream(output === 0 && content === 0, `index ${output}/${content} where 0/0 was due`)
  }

  #message(item: OutputMessage, type: EventType, stream: (holds: boolean, message: string) => void): void {
    stream(item.content.length === 1, `${item.content.length} parts in ${type}, 1 was due`)
    this.#same(item.content.map((part) => part.text).join(""), type, stream)
  }

  #same(text: string, type: EventType, stream: (holds: boolean, message: string) => void): void {
    stream(
      text === this.#text,
      `the text of ${type} (${text.length} characters) is not the deltas joined (${this.#text.length} characters)`
    )
  }
}

/** A stream that has ended. Empty = every law holds. */
export const check = (events: ReadonlyArray<ResponseEvent>): ReadonlyArray<Violation> => {
  const checker = new Checker()
  return [...events.flatMap((event) => checker.push(event)), ...checker.end()]
}
