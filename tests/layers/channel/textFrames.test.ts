import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { connect } from "node:net"
import { WebSocketServer } from "ws"
import { encodeTextFrames } from "../../../src/layers/channel/TextFrames.ts"

/** Hands raw bytes to a real `ws` server after a bare handshake and gives what it understood. */
const understood = async (bytes: ReadonlyArray<Buffer>, count: number): Promise<ReadonlyArray<string>> => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  const received: Array<string> = []
  const all = new Promise<void>((resolve, reject) => {
    server.on("connection", (peer) => {
      peer.on("error", reject)
      peer.on("message", (data) => {
        received.push(String(data))
        if (received.length === count) resolve()
      })
    })
  })
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
  socket.write(
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
  )
  for (const chunk of bytes) socket.write(chunk)
  try {
    await all
  } finally {
    socket.destroy()
    server.close()
  }
  return received
}

describe("encodeTextFrames", () => {
  it("is understood by ws at every length class and alignment", async () => {
    const messages = [
      "",
      "a",
      "好",
      "👩‍👧‍👦 family",
      ...Array.from({ length: 9 }, (_, i) => "x".repeat(i)),
      ...[125, 126, 127, 65_535, 65_536, 70_001].map((n) => "y".repeat(n)),
      "纪要".repeat(5_000),
      // Larger than what is kept to write into.
      "要".repeat(1_500_000),
      '{"type":"response.completed"}'
    ]
    assert.deepStrictEqual(await understood([encodeTextFrames(messages)], messages.length), messages)
  })

  it.effect.prop(
    "is understood by ws for any well-formed texts",
    { messages: Schema.Array(Schema.String) },
    ({ messages }) =>
      Effect.promise(async () => {
        if (messages.length === 0) return assert.strictEqual(encodeTextFrames(messages).length, 0)
        const expected = messages.map((message) => message.toWellFormed())
        return assert.deepStrictEqual(await understood([encodeTextFrames(messages)], messages.length), expected)
      })
  )

  it("draws a mask of its own for each frame", () => {
    const masks = new Set<string>()
    for (let i = 0; i < 5_000; i++) masks.add(encodeTextFrames(["a"]).subarray(2, 6).toString("hex"))
    assert.isAbove(masks.size, 4_990)
  })
})
