/** What the platform counts, as Prometheus reads it (text format 0.0.4). */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Broker from "../../services/platform/Broker.ts"
import { Edge } from "./Edge.ts"

type Sample = readonly [name: string, kind: "gauge" | "counter", help: string, value: number]

export const write = (samples: ReadonlyArray<Sample>): string =>
  samples
    .map(([name, kind, help, value]) => {
      const full = `clawfiber_${name}`
      return `# HELP ${full} ${help}\n# TYPE ${full} ${kind}\n${full} ${value}\n`
    })
    .join("")

export const make = Effect.gen(function* () {
  const broker = yield* Broker.Broker
  const edge = yield* Edge
  return Effect.fnUntraced(function* () {
    const now = yield* Clock.currentTimeMillis
    const counts = yield* broker.counts
    const sockets = edge.chat.counts()
    const memory = process.memoryUsage()
    return write([
      ["uptime_seconds", "gauge", "Seconds since the platform started.", Math.floor((now - edge.startedAt) / 1000)],
      ["agents_online", "gauge", "Agents on the line.", counts.agentsOnLine],
      ["agent_sockets", "gauge", "Open sockets of agents, those being replaced included.", sockets.agents],
      ["person_sockets", "gauge", "Open sockets of people.", sockets.people],
      ["readers", "gauge", "Readers of replies and presence.", counts.readers],
      [
        "replies_under_way",
        "gauge",
        "Messages delivered to an agent whose reply has not ended.",
        counts.repliesUnderWay
      ],
      ["messages_accepted_total", "counter", "Messages stored.", counts.messagesAccepted],
      ["messages_delivered_total", "counter", "Messages written to an agent.", counts.messagesDelivered],
      ["replies_completed_total", "counter", "Replies that ended well.", counts.repliesCompleted],
      ["replies_failed_total", "counter", "Replies that ended as failed.", counts.repliesFailed],
      ["deltas_total", "counter", "Pieces of text passed on.", counts.deltas],
      ["frames_in_total", "counter", "Text frames received on sockets.", sockets.framesIn],
      ["resident_memory_bytes", "gauge", "Memory of the process.", memory.rss]
    ])
  })
})
