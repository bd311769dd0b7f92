/** A reply as clients of `/v1` read it: the response object, or server-sent events of the canonical stream. */
import * as Stream from "effect/Stream"
import type { Broker, UnderWay } from "../../services/platform/Broker.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import { sse, sseDone } from "../../services/protocol/dialects/OpenResponses.ts"
import { events, type ReplyHead, type Step, wholeResponse } from "../../services/protocol/ReplyLog.ts"
import type { ResponseObject } from "../../services/protocol/ResponseEvent.ts"
import * as HttpGuards from "./HttpGuards.ts"
import * as LiveReply from "./LiveReply.ts"

/** The response object as it stands: queued where nothing came yet. */
export const objectOf = (exchange: Exchange, live: UnderWay | undefined): ResponseObject | object => {
  const { head } = LiveReply.routeOf(exchange)
  if (exchange.status === "completed" || exchange.status === "failed") {
    const terminal = LiveReply.stored(exchange).at(-1)
    if (terminal !== undefined && (terminal._tag === "Completed" || terminal._tag === "Failed")) {
      return wholeResponse(head, terminal)
    }
  }
  const created = events(head, { _tag: "Opened", sequence: 0 })[0]
  const begun = created !== undefined && "response" in created ? created.response : {}
  return live?.status === "answering" ? begun : { ...begun, status: "queued" }
}

export const headers = { ...HttpGuards.dataHeaders, "cache-control": "no-cache", "x-accel-buffering": "no" } as const
const utf8 = new TextEncoder()
/**
 * A comment, at once and then every 20 seconds: Node sends the headers with the first bytes, and what stands between
 * (a proxy, the client's own patience: five minutes in Node's fetch) takes silence for death.
 */
const stillHere = Stream.map(Stream.tick("20 seconds"), () => utf8.encode(": still here\n\n"))

const frames = (head: ReplyHead, step: Step, after: number): Uint8Array =>
  utf8.encode(
    events(head, step)
      .filter((event) => event.sequence_number > after)
      .map((event) => sse(JSON.stringify(event)))
      .join("")
  )

const renumbered = (step: Step, sequence: number): Step => (step._tag === "Opened" ? step : { ...step, sequence })

/** The canonical events as they come; `ended` is called with the last one. */
export const live = (
  broker: Broker["Service"],
  responseId: string,
  after: number,
  ended: () => void
): Stream.Stream<Uint8Array> =>
  broker.follow(responseId).pipe(
    Stream.map(({ route, step }) => {
      if (step._tag === "Completed" || step._tag === "Failed") ended()
      return frames(route.head, step, after)
    }),
    Stream.filter((bytes) => bytes.length > 0),
    Stream.catch((error) =>
      Stream.make(
        utf8.encode(sse(JSON.stringify({ type: "error", code: "server_error", message: error.message, param: null })))
      )
    ),
    Stream.concat(Stream.make(utf8.encode(sseDone))),
    Stream.merge(stillHere, { haltStrategy: "left" })
  )

/**
 * The rest of a reply that has ended, for a reader who has the events up to `after`. What is stored has no
 * numbers of single deltas, so the reader gets the whole text with `output_text.done`, numbered on from its last.
 */
export const rest = (exchange: Exchange, after: number): Stream.Stream<Uint8Array> => {
  const { head } = LiveReply.routeOf(exchange)
  const steps = LiveReply.stored(exchange)
  const wanted = after < 0 ? steps : steps.slice(-1).map((step) => renumbered(step, Math.max(step.sequence, after + 1)))
  return Stream.fromIterable([...wanted.map((step) => frames(head, step, -1)), utf8.encode(sseDone)])
}
