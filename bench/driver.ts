// The other side of the main job: a platform that asks and counts. It speaks just enough WebSocket by hand to be
// cheaper than any peer, so that the peer is what is measured: the key and the type of a reply are read from the first
// bytes of a frame, the rest is skipped. One reply per run is read whole and checked.
import { createHash } from "node:crypto"
import { createServer, type Server, type Socket } from "node:net"
import { text } from "./workload.ts"

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const frame = (payload: string): Buffer => {
  const body = Buffer.from(payload)
  const head =
    body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, body.length >> 8, body.length & 255])
  return Buffer.concat([head, body])
}

const unmask = (buffer: Buffer, start: number, length: number, mask: number): string => {
  const out = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) out[i] = buffer[start + i]! ^ buffer[mask + (i & 3)]!
  return out.toString("latin1")
}

export interface Figures {
  readonly requestsPerSecond: number
  /** Milliseconds from sending the request to the arrival of the first delta. */
  readonly firstDeltaP50: number
  readonly frames: number
}

export interface Peer {
  readonly socket: Socket
  /** Asks `total` times with `inFlight` at once; resolves when every reply has ended. */
  readonly run: (options: {
    readonly total: number
    readonly inFlight: number
    readonly expected: string
  }) => Promise<Figures>
}

/** Listens on a free port; `peers` gets every agent that connects. */
export const listen = async (
  onPeer: (peer: Peer) => void
): Promise<{ readonly server: Server; readonly port: number }> => {
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    let open = false
    let rest: Buffer = Buffer.alloc(0)
    let onFrame: (id: string, type: string, whole: () => string) => void = () => {}
    socket.on("error", () => {})
    socket.on("data", (chunk: Buffer) => {
      let buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      if (!open) {
        const end = buffer.indexOf("\r\n\r\n")
        if (end < 0) {
          rest = buffer
          return
        }
        const key = /sec-websocket-key: *(.+)\r\n/i.exec(buffer.toString("latin1", 0, end + 2))?.[1] ?? ""
        const accept = createHash("sha1")
          .update(key.trim() + guid)
          .digest("base64")
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
        )
        socket.write(
          frame(
            JSON.stringify({
              type: "session.auto_bound",
              sessions: ["bench"],
              sender_type: "assistant",
              sender_id: "bench"
            })
          )
        )
        open = true
        buffer = buffer.subarray(end + 4)
        onPeer(peer)
      }
      let at = 0
      for (;;) {
        if (buffer.length - at < 6) break
        const opcode = buffer[at]! & 15
        let length = buffer[at + 1]! & 127
        let head = 2
        if (length === 126) {
          if (buffer.length - at < 8) break
          length = buffer.readUInt16BE(at + 2)
          head = 4
        } else if (length === 127) {
          if (buffer.length - at < 14) break
          length = Number(buffer.readBigUInt64BE(at + 2))
          head = 10
        }
        const body = at + head + 4
        if (buffer.length < body + length) break
        if (opcode === 9) {
          const payload = Buffer.from(unmask(buffer, body, length, at + head), "latin1")
          socket.write(Buffer.concat([Buffer.from([0x8a, length]), payload]))
        } else if (opcode === 1) {
          const source = buffer
          const mask = at + head
          const start = unmask(buffer, body, Math.min(length, 240), mask)
          const id = /message-id\\?":\\?"(m\d+)/.exec(start)?.[1]
          const type = /response\.([a-z_.]+)/.exec(start)?.[1]
          if (id !== undefined && type !== undefined) {
            onFrame(id, type, () => Buffer.from(unmask(source, body, length, mask), "latin1").toString("utf8"))
          }
        }
        at = body + length
      }
      rest = at === buffer.length ? Buffer.alloc(0) : Buffer.from(buffer.subarray(at))
    })
    const peer: Peer = {
      socket,
      run: ({ total, inFlight, expected }) =>
        new Promise((resolve, reject) => {
          const asked = new Map<string, number>()
          const first: Array<number> = []
          let sent = 0
          let ended = 0
          let frames = 0
          let seen = ""
          const began = process.hrtime.bigint()
          const ask = () => {
            const n = sent++
            const messageId = `m${n}`
            const data = JSON.stringify({
              messageId,
              sessionId: `s${n % inFlight}`,
              input: [{ type: "input_text", text: "请合并三份纪要 please" }]
            })
            asked.set(messageId, performance.now())
            socket.write(
              frame(JSON.stringify({ type: "MESSAGE", headers: { messageId, topic: "/v1.0/im/user/messages" }, data }))
            )
          }
          onFrame = (id, type, whole) => {
            frames++
            if (id === "m0") {
              if (type === "output_text.delta")
                seen += (JSON.parse(JSON.parse(whole()).data) as { delta: string }).delta
            }
            if (type === "output_text.delta") {
              const at = asked.get(id)
              if (at !== undefined && at > 0) {
                first.push(performance.now() - at)
                asked.set(id, 0)
              }
              return
            }
            if (type === "completed" || type === "failed") {
              if (type === "failed") reject(new Error(`the peer failed on ${id}: ${whole()}`))
              asked.delete(id)
              ended++
              if (sent < total) ask()
              else if (ended === total) {
                const seconds = Number(process.hrtime.bigint() - began) / 1e9
                if (seen !== expected) return reject(new Error("the peer sent another text than it was given"))
                first.sort((a, b) => a - b)
                resolve({
                  requestsPerSecond: total / seconds,
                  firstDeltaP50: first[first.length >> 1] ?? Number.NaN,
                  frames
                })
              }
            }
          }
          for (let i = 0; i < Math.min(inFlight, total); i++) ask()
        })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 }
}

export const expectedText = text
