/** Law bounded: what a slow reader costs, and that it loses nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { EventEmitter, once } from "node:events"
import { request, type IncomingMessage } from "node:http"
import { WebSocket } from "ws"
import * as SlowReader from "../../../../src/layers/platform/SlowReader.ts"
import * as SocketPeer from "../../../../src/layers/platform/SocketPeer.ts"
import type { FeedItem } from "../../../../src/services/platform/Broker.ts"
import * as LiveReply from "../../../../src/layers/platform/LiveReply.ts"
import type { Exchange } from "../../../../src/services/platform/Sessions.ts"
import type { Step } from "../../../../src/services/protocol/ReplyLog.ts"
import type { ResponseEvent } from "../../../../src/services/protocol/ResponseEvent.ts"
import * as StreamLaws from "../../../../src/services/protocol/StreamLaws.ts"
import {
  agent,
  ask,
  call,
  type Json,
  message,
  openSession,
  pen,
  person,
  type Platform,
  register,
  signIn,
  start
} from "./harness.ts"

/** As much of a socket as writing touches; what is sent waits until `drain`. */
class Full extends EventEmitter {
  readyState: number = WebSocket.OPEN
  readonly sent: Array<string> = []
  closed: number | undefined
  bufferedAmount = 0
  #written: Array<() => void> = []
  send(frame: string | Buffer, _options: object, written?: () => void): void {
    this.sent.push(String(frame))
    this.bufferedAmount += Buffer.byteLength(String(frame))
    if (written !== undefined) this.#written.push(written)
  }
  close(code: number): void {
    this.closed = code
    this.readyState = WebSocket.CLOSING
  }
  drain(): void {
    this.bufferedAmount = 0
    for (const written of this.#written.splice(0)) written()
  }
  get frames(): ReadonlyArray<Json> {
    return this.sent.map((frame) => JSON.parse(frame))
  }
}

const full = (): { readonly socket: Full; readonly ws: WebSocket } => {
  const socket = new Full()
  // Writing uses what is above, and nothing else of a WebSocket.
  return { socket, ws: socket as unknown as WebSocket }
}

const exchange = (responseId: string): Exchange =>
  ({
    exchangeId: "e",
    sessionId: "s",
    userId: "u",
    clawId: "c",
    messageId: "m",
    responseId,
    previousResponseId: undefined,
    ordinal: 1,
    parts: [],
    stream: true,
    metadata: {},
    status: "answering",
    replyText: "",
    failure: undefined,
    createdAt: 0,
    endedAt: undefined,
    agentResponseId: undefined
  }) as Exchange

const itemsOf = (responseId: string) => {
  const own = exchange(responseId)
  const route = LiveReply.routeOf(own)
  return (step: Step): FeedItem => ({ _tag: "Step", exchange: own, route, step })
}

const deltas = (sequence: number, ...texts: ReadonlyArray<string>): Step => ({
  _tag: "Deltas",
  sequence,
  deltas: texts
})

const big = "x".repeat(SlowReader.highWater)

describe("a socket that is full", () => {
  it("joins the deltas of each reply, with honest numbers, and keeps the order of everything else", () => {
    const { socket, ws } = full()
    const one = itemsOf("r1")
    const two = itemsOf("r2")
    SlowReader.write(ws, [JSON.stringify({ big })])
    SlowReader.tell(ws, one(deltas(4, "a")))
    SlowReader.tell(ws, one(deltas(5, "b", "c")))
    SlowReader.tell(ws, two(deltas(4, "z")))
    SlowReader.tell(ws, one(deltas(7, "d")))
    SlowReader.write(ws, [JSON.stringify({ type: "own" })])
    SlowReader.tell(ws, two(deltas(5, "y")))
    assert.lengthOf(socket.sent, 1)
    socket.drain()
    assert.deepStrictEqual(
      socket.frames.slice(1).map(({ delta, from, response_id, sequence_number, type }) => ({
        type,
        response_id,
        delta,
        from,
        sequence_number
      })),
      [
        {
          type: "response.output_text.delta",
          response_id: "r1",
          delta: "abcd",
          from: 4,
          sequence_number: 7
        },
        { type: "response.output_text.delta", response_id: "r2", delta: "z", from: undefined, sequence_number: 4 },
        { type: "own", response_id: undefined, delta: undefined, from: undefined, sequence_number: undefined },
        { type: "response.output_text.delta", response_id: "r2", delta: "y", from: undefined, sequence_number: 5 }
      ]
    )
    assert.strictEqual(SlowReader.waiting(ws), 0)
  })

  it("writes a reader that keeps up everything as it comes", () => {
    const { socket, ws } = full()
    const of = itemsOf("r1")
    for (let n = 0; n < 100; n++) {
      SlowReader.tell(ws, of(deltas(4 + n, "x")))
      socket.drain()
    }
    assert.deepStrictEqual(
      socket.frames.map((frame) => frame["sequence_number"]),
      Array.from({ length: 100 }, (_, n) => 4 + n)
    )
  })

  it("is closed with 1013 past the bound, keeping nothing", () => {
    const { socket, ws } = full()
    const of = itemsOf("r1")
    SlowReader.write(ws, [big])
    let told = 0
    while (socket.closed === undefined) {
      SlowReader.tell(ws, of(deltas(4 + told++, big)))
      assert.isAtMost(socket.bufferedAmount + SlowReader.waiting(ws), SocketPeer.writeBound)
    }
    assert.strictEqual(socket.closed, 1013)
    const sent = socket.sent.length
    assert.isAbove(told, sent)
    assert.strictEqual(SlowReader.waiting(ws), 0)
    socket.drain()
    SlowReader.tell(ws, of(deltas(4 + told, "late")))
    assert.lengthOf(socket.sent, sent)
  })
})

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform)
  const { token } = yield* signIn(platform)
  const worker = yield* agent(platform, keys, "gateway")
  return { platform, keys, token, worker }
})

/** A streamed POST of /v1/responses whose answer is not read until somebody does. */
const post = (platform: Platform, token: string, model: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          const outgoing = request(
            {
              host: "127.0.0.1",
              port: platform.port,
              path: "/v1/responses",
              method: "POST",
              headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }
            },
            resolve
          )
          outgoing.on("error", reject)
          outgoing.end(JSON.stringify({ model, input: "hi", stream: true }))
        })
    ),
    (response) => Effect.sync(() => response.destroy())
  )

const eventsIn = async (response: IncomingMessage): Promise<ReadonlyArray<Json>> => {
  let text = ""
  for await (const chunk of response) text += String(chunk)
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)))
}

describe("readers that fall behind, over real sockets", () => {
  it.live("a window gets what it missed as joined deltas, and nothing twice", () =>
    Effect.gen(function* () {
      const { keys, platform, token, worker } = yield* setUp
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const slow = yield* person(platform, token)
      const line = yield* person(platform, token)
      slow.ws.pause()
      ask(line, sessionId, "m1")
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      // More than the system's buffers hold, less than the platform's bound.
      const count = 2_500
      const piece = "ä".repeat(2_000)
      for (let n = 0; n < count; n++) {
        write.delta(piece)
        if (n % 50 === 49) yield* line.next((frame) => frame["sequence_number"] === 4 + n)
      }
      // Short last words: the whole text once more would itself be past the bound.
      write.complete("that was it")
      slow.ws.resume()
      yield* slow.type("response.completed")
      const got = slow.frames.filter((frame) => frame["type"] === "response.output_text.delta")
      assert.isBelow(got.length, count)
      let next = 4
      for (const frame of got) {
        assert.strictEqual(frame["from"] ?? frame["sequence_number"], next)
        next = Number(frame["sequence_number"]) + 1
      }
      assert.strictEqual(next, 4 + count)
      assert.strictEqual(got.map((frame) => frame["delta"]).join(""), piece.repeat(count))
    })
  )

  it.live("a stream of /v1 that is not read is joined: law stream holds, in far fewer events", () =>
    Effect.gen(function* () {
      const { keys, platform, token, worker } = yield* setUp
      const line = yield* person(platform, token)
      const response = yield* post(platform, token, keys.claw_id)
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      const count = 2_500
      const piece = "y".repeat(3_000)
      for (let n = 0; n < count; n++) {
        write.delta(piece)
        if (n % 50 === 49) yield* line.next((frame) => frame["sequence_number"] === 4 + n)
      }
      // The whole text would be larger than a frame of an agent may be.
      write.fail("SDK_ERROR", "enough")
      const events = yield* Effect.promise(() => eventsIn(response))
      assert.deepStrictEqual(StreamLaws.check(events as Array<ResponseEvent>), [])
      assert.isBelow(events.length, count)
    })
  )

  it.live("a stream of /v1 past the bound is ended in words, and its reply read on from the last number", () =>
    Effect.gen(function* () {
      const { keys, platform, token, worker } = yield* setUp
      const line = yield* person(platform, token)
      const response = yield* post(platform, token, keys.claw_id)
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      const piece = "z".repeat(200_000)
      const count = 120
      for (let n = 0; n < count; n++) {
        write.delta(piece)
        yield* line.next((frame) => frame["delta"] === piece)
      }
      const events = yield* Effect.promise(() => eventsIn(response))
      const last = events.at(-1)
      assert.strictEqual(last?.["code"], "reader_too_slow")
      const seen = Number(events.at(-2)?.["sequence_number"])
      assert.isBelow(seen, 3 + count)
      // The reply itself goes on.
      const responseId = events[0]?.["response"]["id"]
      assert.strictEqual(
        (yield* call(platform, "GET", `/v1/responses/${responseId}`, { token })).body["status"],
        "in_progress"
      )
      const again = yield* Effect.promise(
        () =>
          new Promise<IncomingMessage>((resolve) =>
            request(
              {
                host: "127.0.0.1",
                port: platform.port,
                path: `/v1/responses/${responseId}?stream=true&starting_after=${seen}`,
                headers: { authorization: `Bearer ${token}` }
              },
              resolve
            ).end()
          )
      )
      yield* Effect.promise(() => once(again, "readable"))
      write.fail("SDK_ERROR", "enough")
      const rest = yield* Effect.promise(() => eventsIn(again))
      const deltas = rest.filter((event) => event["type"] === "response.output_text.delta")
      assert.strictEqual(deltas[0]?.["from"] ?? deltas[0]?.["sequence_number"], seen + 1)
      assert.strictEqual(deltas.at(-1)?.["sequence_number"], 3 + count)
      assert.strictEqual(rest.at(-1)?.["type"], "response.failed")
    })
  )
})
