// The peer: what a good engineer writes in an afternoon with `ws`, callbacks and JSON. Correct, in the dialect of the
// seed: decodes the request twice (envelope and data), answers with 44 frames, deltas of 50 characters, one write per
// event. With `corked` it joins the writes of one turn, which is the one thing that matters for speed.
import "../meter.ts"
import { WebSocket } from "ws"
import * as workload from "../workload.ts"

const [url = "", shape = "burst", corked = "no"] = process.argv.slice(2)
const limit = 50

const socket = new WebSocket(url, { headers: { "x-app-key": "bench", "x-app-secret": "bench" } })
const raw = () => (socket as unknown as { _socket: import("node:net").Socket })._socket

let uncorking = false
const cork = () => {
  if (corked !== "corked" || uncorking) return
  uncorking = true
  raw().cork()
  setImmediate(() => {
    uncorking = false
    raw().uncork()
  })
}

interface Request {
  readonly messageId: string
  readonly sessionId: string
}

const send = (request: Request, event: object) => {
  cork()
  socket.send(
    JSON.stringify({
      type: "MESSAGE",
      headers: {
        topic: "/v1.0/im/bot/messages",
        "message-id": request.messageId,
        "session-id": request.sessionId
      },
      data: JSON.stringify(event)
    })
  )
}

const cutAt = (buffer: string, at: number): number => {
  const code = buffer.charCodeAt(at - 1)
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at
}

const answer = (request: Request, run: (onText: (piece: string) => void, onEnd: () => void) => void) => {
  let all = ""
  let buffer = ""
  let first = true
  const delta = (text: string) => send(request, { type: "response.output_text.delta", delta: text })
  send(request, { type: "response.in_progress" })
  send(request, { type: "response.output_item.added", item: { type: "message", role: "assistant" } })
  run(
    (piece) => {
      all += piece
      buffer += piece
      // The first words go out as they come; after that only whole chunks, as the family does it.
      while (buffer.length >= limit || (first && buffer.length > 0)) {
        const at = cutAt(buffer, Math.min(limit, buffer.length))
        delta(buffer.slice(0, at))
        buffer = buffer.slice(at)
        first = false
      }
    },
    () => {
      if (buffer.length > 0) delta(buffer)
      send(request, { type: "response.content_part.done", part: { text: all } })
      send(request, { type: "response.completed", response: { status: "completed" } })
    }
  )
}

const runs: Record<string, (onText: (piece: string) => void, onEnd: () => void) => void> = {
  burst: (onText, onEnd) => {
    for (const piece of workload.pieces) onText(piece)
    onEnd()
  },
  iterator: async (onText, onEnd) => {
    for await (const piece of workload.iterator()) onText(piece)
    onEnd()
  },
  turns: async (onText, onEnd) => {
    for await (const piece of workload.turns()) onText(piece)
    onEnd()
  },
  paced: async (onText, onEnd) => {
    for await (const piece of workload.paced()) onText(piece)
    onEnd()
  }
}

socket.on("message", (data) => {
  const envelope = JSON.parse(String(data)) as { type?: string; data?: string }
  if (envelope.type !== "MESSAGE" || envelope.data === undefined) return
  const request = JSON.parse(envelope.data) as Request & { input: ReadonlyArray<unknown> }
  if (request.input.length === 0) return
  answer(request, runs[shape]!)
})
socket.on("close", () => process.exit(0))
