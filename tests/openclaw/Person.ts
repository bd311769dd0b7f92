/** Somebody on the platform who talks in conversations that have a name, and looks into their history. */
import type OpenAI from "openai"
import type { Keys, Platform } from "./Platform.ts"

export interface Answered {
  readonly responseId: string
  readonly deltas: ReadonlyArray<string>
  readonly done: string
  readonly failure: { readonly code: string; readonly message: string } | undefined
  /** How many ends were seen: one. */
  readonly ends: number
}

export interface Message {
  readonly message_id: string
  readonly response_id: string
  readonly input: ReadonlyArray<{ readonly text?: string }>
  readonly status: string
  readonly reply_text: string
  readonly error?: { readonly code: string; readonly message: string } | null
}

export interface Asking {
  readonly onDelta?: ((text: string, responseId: string) => void) | undefined
  /** The message waits for an agent that is away, and nobody cancels it by hanging up. */
  readonly background?: boolean | undefined
}

/** Looks again until it holds; what the host does has no events for it. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>, millis = 60_000): Promise<void> => {
  const deadline = Date.now() + millis
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export class Person {
  readonly name: string
  readonly client: OpenAI
  private readonly platform: Platform
  private readonly keys: Keys

  private constructor(platform: Platform, name: string, keys: Keys, client: OpenAI) {
    this.platform = platform
    this.name = name
    this.keys = keys
    this.client = client
  }

  static async on(platform: Platform, name: string, keys: Keys): Promise<Person> {
    return new Person(platform, name, keys, await platform.person(name))
  }

  async begin(): Promise<string> {
    const made = await this.platform.post(this.name, "/api/session/create", { claw_id: this.keys.claw_id })
    return (made as { readonly session_id: string }).session_id
  }

  async ask(session: string, input: string, { background = false, onDelta }: Asking = {}): Promise<Answered> {
    const stream = await this.client.responses.create({
      model: this.keys.claw_id,
      input,
      stream: true,
      background,
      metadata: { session_id: session }
    })
    const deltas: Array<string> = []
    let responseId = ""
    let done = ""
    let ends = 0
    let failure: Answered["failure"]
    for await (const event of stream) {
      if (event.type === "response.created") responseId = event.response.id
      if (event.type === "response.output_text.delta") {
        deltas.push(event.delta)
        onDelta?.(event.delta, responseId)
      }
      if (event.type === "response.output_text.done") done = event.text
      if (event.type === "response.completed" || event.type === "response.failed") ends++
      if (event.type === "response.failed") {
        failure = { code: event.response.error?.code ?? "", message: event.response.error?.message ?? "" }
      }
    }
    return { responseId, deltas, done, failure, ends }
  }

  /** Oldest first. */
  async history(session: string): Promise<ReadonlyArray<Message>> {
    const { items } = (await this.platform.get(this.name, `/api/session/${session}/messages`)) as {
      readonly items: ReadonlyArray<Message>
    }
    return items.toReversed()
  }
}
