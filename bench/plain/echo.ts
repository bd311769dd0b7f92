// The peer of talks: a bare `ws` that sends back what it gets.
import "../meter.ts"
import type { AddressInfo } from "node:net"
import { WebSocketServer } from "ws"

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false })
server.on("connection", (socket) => {
  socket.on("error", () => {})
  socket.on("message", (data) => socket.send(String(data)))
})
server.on("listening", () => {
  console.log(JSON.stringify({ event: "ready", url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }))
})
