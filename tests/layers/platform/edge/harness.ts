/**
 * A real platform on a free port, and clients written from the description of the wire alone: plain `ws`, plain JSON,
 * plain `fetch`. Nothing here uses the project's own encoders or decoders.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { request as httpRequest } from "node:http"
import { WebSocket } from "ws"
import * as Server from "../../../../src/layers/platform/Server.ts"

export type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- frames as a stranger reads them

export interface Platform {
  readonly url: string
  readonly port: number
  readonly stop: Effect.Effect<void>
}

/** Stops by itself with the test's scope. */
export const start = (options: Partial<Server.Options> = {}) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Server.layer({ port: 0, ...options }), scope)
    const { port, url } = Context.get(context, Server.Server)
    const stop = Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() => stop)
    return { url, port, stop } satisfies Platform
  })

export interface Answer {
  readonly status: number
  readonly body: Json
  readonly headers: Headers
}

export const call = (
  platform: Platform,
  method: string,
  path: string,
  options: { readonly token?: string; readonly body?: unknown; readonly headers?: Record<string, string> } = {}
): Effect.Effect<Answer> =>
  Effect.promise(async () => {
    const response = await fetch(platform.url + path, {
      method,
      headers: {
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : { text }
    }
  })

/** With headers that `fetch` does not let one choose: Host. */
export const rawCall = (
  platform: Platform,
  path: string,
  headers: Record<string, string>,
  method = "GET"
): Effect.Effect<{ readonly status: number; readonly text: string }> =>
  Effect.promise(
    () =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ host: "127.0.0.1", port: platform.port, path, method, headers }, (response) => {
          let text = ""
          response.on("data", (chunk) => (text += String(chunk)))
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }))
        })
        request.on("error", reject)
        request.end()
      })
  )

/** One socket as a stranger's client sees it: frames in order of arrival, and how it ended. */
export class Line {
  readonly frames: Array<Json> = []
  readonly ws: WebSocket
  #read = 0
  readonly #waiting: Array<() => void> = []
  ended: { readonly code: number; readonly reason: string } | undefined
  refused: { readonly status: number; readonly body: Json } | undefined

  constructor(url: string, headers: Record<string, string>) {
    this.ws = new WebSocket(url, { headers })
    this.ws.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)))
      this.#wake()
    })
    this.ws.on("unexpected-response", (_, response) => {
      let text = ""
      response.on("data", (chunk) => (text += String(chunk)))
      response.on("end", () => {
        this.refused = { status: response.statusCode ?? 0, body: text.startsWith("{") ? JSON.parse(text) : { text } }
        this.#wake()
      })
    })
    this.ws.on("close", (code, reason) => {
      this.ended = { code, reason: String(reason) }
      this.#wake()
    })
    this.ws.on("error", () => {})
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.ended !== undefined)
        throw new Error(`the socket ended: ${JSON.stringify(this.ended)}, ${JSON.stringify(this.frames.slice(-3))}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** The next frame, in order, that fits; those before it are passed over. */
  next(fits: (frame: Json) => boolean = () => true): Effect.Effect<Json> {
    return Effect.promise(async () => {
      let found: Json | undefined
      await this.#until(() => {
        while (found === undefined && this.#read < this.frames.length) {
          const frame = this.frames[this.#read++]
          if (frame !== undefined && fits(frame)) found = frame
        }
        return found !== undefined
      })
      return found as Json
    })
  }

  type(type: string): Effect.Effect<Json> {
    return this.next((frame) => frame["type"] === type)
  }

  error(): Effect.Effect<Json> {
    return this.next((frame) => frame["error"] !== undefined && frame["type"] === undefined)
  }

  get end(): Effect.Effect<{ readonly code: number; readonly reason: string }> {
    return Effect.promise(async () => {
      while (this.ended === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      return this.ended
    })
  }

  get refusal(): Effect.Effect<{ readonly status: number; readonly body: Json }> {
    return Effect.promise(async () => {
      while (this.refused === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      return this.refused
    })
  }

  send(frame: unknown): void {
    this.ws.send(typeof frame === "string" ? frame : JSON.stringify(frame))
  }
}

const wsUrl = (platform: Platform, path = "/ws/chat"): string => platform.url.replace(/^http/, "ws") + path

export const dial = (platform: Platform, headers: Record<string, string>, path?: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Line(wsUrl(platform, path), headers)),
    (line) => Effect.sync(() => line.ws.terminate())
  )

export interface Keys {
  readonly app_key: string
  readonly app_secret: string
  readonly claw_id: string
}

export const register = (platform: Platform, name = "Echo"): Effect.Effect<Keys> =>
  Effect.map(
    call(platform, "POST", "/profiles/create", {
      body: { name, description: "d", scene_tags: ["02001"], instance_type: 0 }
    }),
    ({ body }) => body["data"] as Keys
  )

export const signIn = (
  platform: Platform,
  name = "Ann"
): Effect.Effect<{ readonly token: string; readonly user_id: string }> =>
  Effect.map(call(platform, "POST", "/api/sign-in", { body: { name } }), ({ body }) => body["data"])

export const openSession = (platform: Platform, token: string, clawId: string): Effect.Effect<string> =>
  Effect.map(
    call(platform, "POST", "/api/session/create", { token, body: { claw_id: clawId } }),
    ({ body }) => body["data"]["session_id"]
  )

export type Dialect = "envelope" | "gateway" | "legacy"

/** An agent on the line, greeted. */
export const agent = (platform: Platform, keys: Keys, dialect?: Dialect) =>
  Effect.gen(function* () {
    const line = yield* dial(platform, {
      "x-app-key": keys.app_key,
      "x-app-secret": keys.app_secret,
      ...(dialect === undefined ? {} : { "x-claw-dialect": dialect })
    })
    const greeting = yield* line.type("session.auto_bound")
    return Object.assign(line, { greeting })
  })

export const person = (platform: Platform, token: string) =>
  Effect.gen(function* () {
    const line = yield* dial(platform, { authorization: `Bearer ${token}` })
    yield* line.type("session.auto_bound")
    return line
  })

export const ask = (line: Line, sessionId: string, messageId: string, text = "hello"): void =>
  line.send({
    stream: true,
    input: [{ type: "message", role: "user", content: [{ type: "input_text", text }] }],
    metadata: { session_id: sessionId, message_id: messageId }
  })

/** What an agent got, whatever shape it came in. */
export interface Got {
  readonly messageId: string
  readonly sessionId: string | undefined
  readonly text: string
}

export const isMessage = (frame: Json): boolean =>
  (frame["type"] === "MESSAGE" && frame["headers"]?.["topic"] === "/v1.0/im/user/messages") ||
  Array.isArray(frame["input"])

export const read = (frame: Json): Got => {
  if (frame["type"] !== "MESSAGE") {
    return {
      messageId: frame["metadata"]["message_id"],
      sessionId: frame["metadata"]["session_id"],
      text: frame["input"][0]["content"][0]["text"]
    }
  }
  const data = JSON.parse(frame["data"])
  return data.content === undefined
    ? { messageId: data.messageId, sessionId: data.sessionId, text: data.input[0].text }
    : { messageId: frame["headers"]["messageId"], sessionId: undefined, text: data.content }
}

export const message = (line: Line): Effect.Effect<Got> => Effect.map(line.next(isMessage), read)

/** The pen of an agent, one for each dialect, by the tables of the protocol. */
export interface Pen {
  readonly begin: () => void
  readonly delta: (text: string) => void
  readonly complete: (text: string) => void
  readonly fail: (code: string, message: string) => void
}

export const pen = (line: Line, dialect: Dialect, got: Got, id: string): Pen => {
  const bot = "/v1.0/im/bot/messages"
  switch (dialect) {
    case "envelope": {
      const say = (event: object) =>
        line.send({
          type: "MESSAGE",
          headers: { topic: bot, "message-id": got.messageId, "session-id": got.sessionId },
          data: JSON.stringify(event)
        })
      return {
        begin: () => {
          say({ type: "response.in_progress" })
          say({ type: "response.output_item.added", item: { type: "message", role: "assistant" } })
        },
        delta: (delta) => say({ type: "response.output_text.delta", delta }),
        complete: (text) => {
          say({ type: "response.content_part.done", part: { text } })
          say({ type: "response.completed", response: { status: "completed" } })
        },
        fail: (code, message) => say({ type: "response.failed", error: { code, message } })
      }
    }
    case "gateway": {
      const metadata = { session_id: got.sessionId, message_id: got.messageId }
      return {
        begin: () =>
          line.send({
            type: "response.created",
            response: { id, object: "response", status: "in_progress", metadata }
          }),
        delta: (delta) => line.send({ type: "response.output_text.delta", response_id: id, delta }),
        complete: (text) => {
          line.send({ type: "response.output_text.done", response_id: id, text })
          line.send({
            type: "response.completed",
            response: {
              id,
              object: "response",
              status: "completed",
              output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
              output_text: text,
              metadata
            }
          })
        },
        fail: (code, message) =>
          line.send({
            type: "response.failed",
            response: { id, object: "response", status: "failed", error: { code, message }, metadata }
          })
      }
    }
    case "legacy": {
      const rest = { response_id: id, item_id: `item_${id}`, timestamp: "2026-04-09T10:00:00.000Z" }
      const say = (event: object) =>
        line.send({
          type: "MESSAGE",
          headers: { messageId: got.messageId, topic: bot },
          data: JSON.stringify({ ...event, ...rest })
        })
      return {
        begin: () => {
          say({ type: "response.in_progress" })
          say({ type: "response.output_item.added", item: { type: "message", role: "assistant" } })
        },
        delta: (text) => say({ type: "response.output_text.delta", delta: { text } }),
        complete: () => {
          say({ type: "response.content_part.done", status: "completed" })
          say({ type: "response.completed", response: { status: "completed" } })
        },
        fail: (code, message) => say({ type: "response.failed", error: { code, message } })
      }
    }
  }
}

/** Answers every message with the words of `reply`, in pieces. */
export const serve = (line: Line, dialect: Dialect, reply: (got: Got) => ReadonlyArray<string>): void => {
  let count = 0
  const answer = (frame: Json): void => {
    if (!isMessage(frame)) return
    const got = read(frame)
    const write = pen(line, dialect, got, `resp_of_agent_${count++}`)
    const pieces = reply(got)
    write.begin()
    for (const piece of pieces) write.delta(piece)
    write.complete(pieces.join(""))
  }
  for (const frame of line.frames) answer(frame)
  line.ws.on("message", (data) => answer(JSON.parse(String(data))))
}
