/** A model provider on loopback that speaks the wire format of the Responses API and of chat completions. */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"

export interface Seen {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Record<string, unknown>
}

export interface Exchange extends Seen {
  readonly response: http.ServerResponse
  /** Settles when the client has closed the connection before the answer was whole. */
  readonly closed: Promise<void>
}

export type Answer = (exchange: Exchange) => void | Promise<void>

export interface ModelServer {
  readonly baseUrl: string
  readonly seen: ReadonlyArray<Seen>
  /** Answers the next requests, one each; the last one answers all that follow. */
  readonly script: (...answers: ReadonlyArray<Answer>) => void
}

/** Lives as long as the scope. */
export const make = Effect.acquireRelease(
  Effect.promise(async () => {
    const seen: Array<Seen> = []
    let answers: ReadonlyArray<Answer> = []
    let next = 0
    const server = http.createServer(async (request, response) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk)
      const exchange: Exchange = {
        path: request.url ?? "",
        authorization: request.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString() || "{}"),
        response,
        closed: new Promise((resolve) => response.once("close", () => !response.writableFinished && resolve()))
      }
      seen.push({ path: exchange.path, authorization: exchange.authorization, body: exchange.body })
      const answer = answers[Math.min(next++, answers.length - 1)]
      await answer?.(exchange)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const model: ModelServer & { readonly server: http.Server } = {
      server,
      baseUrl: `http://127.0.0.1:${port}/v1`,
      seen,
      script: (...script) => {
        answers = script
        next = 0
      }
    }
    return model
  }),
  ({ server }) =>
    Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        })
    )
)

const open = (response: http.ServerResponse): void => {
  if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
}

const responseObject = (status: string, text: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: "resp_67ccd2bed1ec8190b14f964abc054267",
  object: "response",
  created_at: 1741476542,
  status,
  error: null,
  incomplete_details: null,
  instructions: null,
  model: "test-model",
  output:
    text === ""
      ? []
      : [
          {
            type: "message",
            id: "msg_67ccd2bf17f0819081ff3bb2cf6508e6",
            status: "completed",
            role: "assistant",
            content: [{ type: "output_text", text, annotations: [] }]
          }
        ],
  parallel_tool_calls: true,
  store: false,
  tools: [],
  usage: null,
  metadata: {},
  ...more
})

export const responseEvent = (response: http.ServerResponse, event: Record<string, unknown>): void => {
  open(response)
  response.write(`event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
}

const item = { item_id: "msg_67ccd2bf17f0819081ff3bb2cf6508e6", output_index: 0, content_index: 0 }

/** Everything before the first text, then the deltas, without an end. */
export const responseDeltas = (response: http.ServerResponse, deltas: ReadonlyArray<string>): void => {
  let sequence_number = 0
  const send = (event: Record<string, unknown>) =>
    responseEvent(response, { ...event, sequence_number: sequence_number++ })
  send({ type: "response.created", response: responseObject("in_progress", "") })
  send({ type: "response.in_progress", response: responseObject("in_progress", "") })
  send({
    type: "response.output_item.added",
    output_index: 0,
    item: { id: "rs_67ccd2bf17f0819081ff3bb2cf6508e5", type: "reasoning", summary: [] }
  })
  send({
    type: "response.output_item.added",
    output_index: 1,
    item: { id: item.item_id, type: "message", status: "in_progress", role: "assistant", content: [] }
  })
  send({
    type: "response.content_part.added",
    ...item,
    part: { type: "output_text", text: "", annotations: [] }
  })
  for (const delta of deltas) send({ type: "response.output_text.delta", ...item, delta, logprobs: [] })
}

export const responseEnd = (response: http.ServerResponse, text: string): void => {
  responseEvent(response, { type: "response.output_text.done", ...item, text, logprobs: [] })
  responseEvent(response, {
    type: "response.completed",
    response: responseObject("completed", text, {
      usage: {
        input_tokens: 37,
        output_tokens: 11,
        total_tokens: 48,
        input_tokens_details: { cached_tokens: 5 },
        output_tokens_details: { reasoning_tokens: 3 }
      }
    })
  })
  response.end()
}

/** A whole reply over the Responses API. */
export const respond =
  (...deltas: ReadonlyArray<string>): Answer =>
  ({ response }) => {
    responseDeltas(response, deltas)
    responseEnd(response, deltas.join(""))
  }

export const responseFailed =
  (code: string, message: string): Answer =>
  ({ response }) => {
    responseEvent(response, {
      type: "response.created",
      sequence_number: 0,
      response: responseObject("in_progress", "")
    })
    responseEvent(response, {
      type: "response.failed",
      sequence_number: 1,
      response: responseObject("failed", "", { error: { code, message } })
    })
    response.end()
  }

export const chatChunk = (
  response: http.ServerResponse,
  delta: Record<string, unknown>,
  finish_reason: string | null = null,
  more: Record<string, unknown> = {}
): void => {
  open(response)
  const chunk = {
    id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    object: "chat.completion.chunk",
    created: 1741569952,
    model: "test-model",
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...more
  }
  response.write(`data: ${JSON.stringify(chunk)}\n\n`)
}

/** A whole reply over chat completions. */
export const chat =
  (...deltas: ReadonlyArray<string>): Answer =>
  ({ response }) => {
    chatChunk(response, { role: "assistant", content: "" })
    for (const content of deltas) chatChunk(response, { content })
    chatChunk(response, {}, "stop")
    chatChunk(response, {}, null, {
      choices: [],
      usage: { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 }
    })
    response.end("data: [DONE]\n\n")
  }

export const refuse =
  (status: number, error: Record<string, unknown> | string, headers: Record<string, string> = {}): Answer =>
  ({ response }) => {
    const text = typeof error === "string" ? error : JSON.stringify({ error })
    response.writeHead(status, {
      "content-type": typeof error === "string" ? "text/plain" : "application/json",
      ...headers
    })
    response.end(text)
  }

export interface Call {
  readonly id: string
  readonly name: string
  /** As the model wrote it. */
  readonly arguments: string
}

const functionCall = (call: Call, status: string, args: string): Record<string, unknown> => ({
  type: "function_call",
  id: `fc_${call.id}`,
  call_id: call.id,
  name: call.name,
  arguments: args,
  status
})

/** An answer over the Responses API: perhaps thoughts, then text (where there is some), then calls. */
export const respondCalls =
  (
    text: string,
    calls: ReadonlyArray<Call>,
    more: { readonly encrypted?: string; readonly end?: "completed" | "incomplete" } = {}
  ): Answer =>
  ({ response }) => {
    const output: Array<Record<string, unknown>> = []
    let sequence_number = 0
    const send = (event: Record<string, unknown>) =>
      responseEvent(response, { ...event, sequence_number: sequence_number++ })
    const add = (begun: Record<string, unknown>, between: () => void, done: Record<string, unknown>) => {
      send({ type: "response.output_item.added", output_index: output.length, item: begun })
      between()
      send({ type: "response.output_item.done", output_index: output.length, item: done })
      output.push(done)
    }
    send({ type: "response.created", response: responseObject("in_progress", "") })
    if (more.encrypted !== undefined) {
      const thoughts = { id: "rs_1", type: "reasoning", summary: [], encrypted_content: more.encrypted }
      add({ ...thoughts, encrypted_content: "" }, () => {}, thoughts)
    }
    if (text !== "") {
      const message = { type: "message", id: "msg_1", role: "assistant" }
      add(
        { ...message, status: "in_progress", content: [] },
        () => {
          for (const delta of text.match(/.{1,7}/gsu) ?? []) {
            send({ type: "response.output_text.delta", item_id: "msg_1", output_index: 0, content_index: 0, delta })
          }
        },
        { ...message, status: "completed", content: [{ type: "output_text", text, annotations: [] }] }
      )
    }
    for (const call of calls) {
      add(
        functionCall(call, "in_progress", ""),
        () =>
          send({
            type: "response.function_call_arguments.delta",
            item_id: `fc_${call.id}`,
            output_index: output.length,
            delta: call.arguments
          }),
        functionCall(call, "completed", call.arguments)
      )
    }
    const end = more.end ?? "completed"
    send({
      type: `response.${end}`,
      response: responseObject(end, "", {
        output,
        incomplete_details: end === "incomplete" ? { reason: "max_output_tokens" } : null,
        usage: {
          input_tokens: 10,
          output_tokens: 5,
          total_tokens: 15,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens_details: { reasoning_tokens: 0 }
        }
      })
    })
    response.end()
  }

/** The same over chat completions, the arguments in pieces of three characters. */
export const chatCalls =
  (text: string, calls: ReadonlyArray<Call>, finish = "tool_calls"): Answer =>
  ({ response }) => {
    chatChunk(response, { role: "assistant", content: text === "" ? null : "" })
    for (const content of text.match(/.{1,7}/gsu) ?? []) chatChunk(response, { content })
    for (const [index, call] of calls.entries()) {
      const { id, name } = call
      chatChunk(response, { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] })
      for (const piece of call.arguments.match(/.{1,3}/gsu) ?? []) {
        chatChunk(response, { tool_calls: [{ index, function: { arguments: piece } }] })
      }
    }
    chatChunk(response, {}, finish)
    chatChunk(response, {}, null, {
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
    })
    response.end("data: [DONE]\n\n")
  }
