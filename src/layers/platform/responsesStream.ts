/** A reply as clients of `/v1` read it: the response object, or server-sent events of the canonical stream. */
import * as Stream from "effect/Stream"
import type { Broker, Followed, UnderWay } from "../../services/platform/Broker.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import { sse, sseDone } from "../../services/protocol/dialects/OpenResponses.ts"
import { events, wholeResponse } from "../../services/protocol/ReplyLog.ts"
import type { ResponseObject } from "../../services/protocol/ResponseEvent.ts"
import * as canonicalFrames from "./canonicalFrames.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
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

const bytesOf = (frames: ReadonlyArray<string>): Uint8Array => utf8.encode(frames.map(sse).join(""))

const isEnd = (followed: Followed): boolean =>
  followed._tag === "Step" && (followed.step._tag === "Completed" || followed.step._tag === "Failed")

/**
 * The canonical events that a reader lacks who has those up to `after`, as they come. `ended` is called with the last one, and where this reader is told to come back
 * because it is too slow: then nobody has hung up.
 */
export const live = (
  broker: Broker["Service"],
  exchange: Exchange,
  after: number,
  ended: () => void
): Stream.Stream<Uint8Array> => {
  const encode = canonicalFrames.encoder(LiveReply.routeOf(exchange), after)
  return broker.follow(exchange.responseId, after).pipe(
    Stream.mapArray((followed): [Uint8Array] => {
      if (followed.some(isEnd)) ended()
      return [bytesOf(encode(followed))]
    }),
    Stream.filter((bytes) => bytes.length > 0),
    Stream.catch((error) => {
      const slow = error._tag === "LimitReached"
      if (slow) ended()
      const code = slow ? "reader_too_slow" : "server_error"
      return Stream.make(bytesOf([JSON.stringify({ type: "error", code, message: error.message, param: null })]))
    }),
    Stream.concat(Stream.make(utf8.encode(sseDone))),
    Stream.merge(stillHere, { haltStrategy: "left" })
  )
}
