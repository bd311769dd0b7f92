/**
 * A model server on loopback that speaks streaming chat completions: what the host's agent thinks with in the tests.
 * Each request takes the next of the scripted answers, or echoes the last thing the person said.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface ToolCall {
  readonly name: string
  readonly arguments: unknown
}

/** Pieces go out one by one; `gate` is awaited before the piece `gateAt` (1 where it is absent); a call ends the answer. */
export interface Answer {
  readonly pieces: ReadonlyArray<string>
  readonly call?: ToolCall | undefined
  readonly status?: number | undefined
  readonly gate?: Promise<void> | undefined
  readonly gateAt?: number | undefined
}

interface Message {
  readonly role: string
  readonly content: unknown
}

export interface Asked {
  readonly messages: ReadonlyArray<Message>
  readonly tools: ReadonlyArray<string>
}

export const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content.map((part: { readonly text?: string }) => part.text ?? "").join("\n")
}

/** The host adds a synthetic user message of its own; what the person said stands before it. */
const internal = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"

/** What the person said last, without what the host put around it. */
export const lastWords = (asked: Asked): string => {
  const said = asked.messages.filter(
    (message) => message.role === "user" && !textOf(message.content).startsWith(internal)
  )
  return textOf(said.at(-1)?.content ?? "")
}

/** Whether a tool has answered since the person spoke. */
export const hasToolResult = (asked: Asked): boolean => {
  const isPerson = (message: Message) => message.role === "user" && !textOf(message.content).startsWith(internal)
  return asked.messages.findLastIndex(({ role }) => role === "tool") > asked.messages.findLastIndex(isPerson)
}

const read = async (request: IncomingMessage): Promise<string> => {
  let body = ""
  for await (const chunk of request) body += String(chunk)
  return body
}

export class Model {
  readonly asked: Array<Asked> = []
  readonly script: Array<Answer | ((asked: Asked) => Answer)> = []
  /** Answers what the script does not. `undefined`: the model repeats what was said. */
  otherwise: ((asked: Asked) => Answer | undefined) | undefined
  /** What the person had said in the requests that the host broke off. */
  readonly cut: Array<string> = []
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
  }

  /** A gate that never opens. */
  static readonly never: Promise<void> = new Promise(() => {})

  static async start(): Promise<Model> {
    const server = createServer()
    const model = new Model(server)
    server.on("request", (request, response) => {
      model
        .answer(request, response)
        .catch((cause: unknown) => response.destroy(cause instanceof Error ? cause : undefined))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return model
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request)
    if (!String(request.url).endsWith("/chat/completions")) {
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({ object: "list", data: [{ id: "echo", object: "model" }] }))
      return
    }
    const { messages, tools } = JSON.parse(body) as {
      readonly messages: ReadonlyArray<Message>
      readonly tools?: ReadonlyArray<{ readonly function: { readonly name: string } }>
    }
    const asked: Asked = { messages, tools: (tools ?? []).map((tool) => tool.function.name) }
    this.asked.push(asked)
    const next = this.script.shift()
    const scripted = typeof next === "function" ? next(asked) : (next ?? this.otherwise?.(asked))
    const answer = scripted ?? { pieces: ["You said: ", lastWords(asked)] }
    if (answer.status !== undefined) {
      response.writeHead(answer.status, { "content-type": "application/json" })
      response.end(JSON.stringify({ error: { message: "scripted failure", type: "server_error" } }))
      return
    }
    response.once("close", () => {
      if (!response.writableEnded) this.cut.push(lastWords(asked))
    })
    response.writeHead(200, { "content-type": "text/event-stream" })
    const send = (delta: object, finish: string | null = null) =>
      response.write(
        `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "echo", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
      )
    send({ role: "assistant", content: "" })
    for (const [index, piece] of answer.pieces.entries()) {
      if (index === (answer.gateAt ?? 1) && answer.gate !== undefined) await answer.gate
      send({ content: piece })
      // One chunk per turn of the event loop, as from a network.
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (answer.call === undefined) send({}, "stop")
    else {
      const { arguments: args, name } = answer.call
      send({
        tool_calls: [
          {
            index: 0,
            id: `call_${this.asked.length}`,
            type: "function",
            function: { name, arguments: JSON.stringify(args) }
          }
        ]
      })
      send({}, "tool_calls")
    }
    response.write(
      `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "echo", choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })}\n\n`
    )
    response.end("data: [DONE]\n\n")
  }
}
