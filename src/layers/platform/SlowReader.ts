/**
 * What goes to one person's socket, however slowly it is read. Up to `highWater` bytes in the socket everything is
 * written as it comes, and nothing is kept for that reader. Past it, deltas of a reply are joined into one that goes
 * out when the socket has emptied; past the bound of a socket the reader is closed with 1013 and may come back and
 * resume.
 *
 * No fiber, timer or listener: a reader that is behind is found again by the callback of its last write. Held text is
 * held by reference, the same strings for all readers.
 */
import type { WebSocket } from "ws"
import type { FeedItem } from "../../services/platform/Broker.ts"
import type { ReplyRoute } from "../../services/protocol/Dialect.ts"
import * as JoinedDelta from "../../services/protocol/JoinedDelta.ts"
import { isTerminal, type Step } from "../../services/protocol/ReplyLog.ts"
import * as PersonFrames from "./PersonFrames.ts"
import * as readerNumbers from "./readerNumbers.ts"
import * as SocketPeer from "./SocketPeer.ts"

/** Bytes in a socket above which its reader counts as behind. */
export const highWater = 256 * 1024

type Frames = ReadonlyArray<string | Buffer>
type Told = Extract<FeedItem, { readonly _tag: "Step" }>
type Deltas = Extract<Step, { readonly _tag: "Deltas" }>

/** The place of one reply's deltas among what waits: those that come later join those that are there. */
interface Joined {
  readonly route: ReplyRoute
  readonly steps: Array<Deltas>
}

interface Backlog {
  readonly waiting: Array<Frames | Joined>
  readonly replies: Map<ReplyRoute, Joined>
  /** Characters and bytes that wait here, beside what waits in the socket. */
  size: number
}

const isJoined = (entry: Frames | Joined): entry is Joined => "route" in entry

/** Of replies that a reader has in part, by other numbers than ours: response id → the last number it has. */
const endsOnly = new WeakMap<WebSocket, Map<string, number>>()

/** Readers that are behind. */
const backlogs = new WeakMap<WebSocket, Backlog>()

const sizeOf = (frames: Frames): number => frames.reduce((sum, frame) => sum + frame.length, 0)

const characters = (step: Deltas): number => step.deltas.reduce((sum, delta) => sum + delta.length, 0)

const framesOf = (entry: Frames | Joined): Frames =>
  isJoined(entry)
    ? JoinedDelta.join(entry.steps).map((joined) => JoinedDelta.gatewayFrame(entry.route.head.responseId, joined))
    : entry

/** Writes, and from now on holds what comes until this has left the process. */
const writeBehind = (ws: WebSocket, frames: Frames): void => {
  const backlog: Backlog = { waiting: [], replies: new Map(), size: 0 }
  backlogs.set(ws, backlog)
  const written = (error?: Error | null): void => {
    if (backlogs.get(ws) !== backlog) return
    backlogs.delete(ws)
    if (error === undefined || error === null) write(ws, backlog.waiting.flatMap(framesOf))
  }
  if (!SocketPeer.write(ws, frames, written)) backlogs.delete(ws)
}

const giveUp = (ws: WebSocket): void => {
  backlogs.delete(ws)
  ws.close(SocketPeer.tooSlow.code, SocketPeer.tooSlow.reason)
}

const held = (ws: WebSocket, backlog: Backlog, size: number): void => {
  backlog.size += size
  if (ws.bufferedAmount + backlog.size > SocketPeer.writeBound) giveUp(ws)
}

/** Frames for this reader alone, after all that went to it before. */
export const write = (ws: WebSocket, frames: Frames): void => {
  if (frames.length === 0) return
  const backlog = backlogs.get(ws)
  if (backlog !== undefined) {
    backlog.waiting.push(frames)
    // What comes after these frames must not overtake them.
    backlog.replies.clear()
    return held(ws, backlog, sizeOf(frames))
  }
  if (ws.bufferedAmount + sizeOf(frames) <= highWater) SocketPeer.write(ws, frames)
  else writeBehind(ws, frames)
}

const tellEnd = (ws: WebSocket, { route, step }: Told, after: number): void => {
  if (!isTerminal(step)) return
  endsOnly.get(ws)?.delete(route.head.responseId)
  write(ws, PersonFrames.encodeWhole({ ...route }, readerNumbers.endAfter(step, after)))
}

/** What concerns this reader's person. */
export const tell = (ws: WebSocket, item: FeedItem): void => {
  if (item._tag === "Step") {
    const after = endsOnly.get(ws)?.get(item.exchange.responseId)
    if (after !== undefined) return tellEnd(ws, item, after)
  }
  const backlog = backlogs.get(ws)
  if (backlog === undefined) {
    const frames = PersonFrames.framesOf(item)
    if (ws.bufferedAmount <= highWater) SocketPeer.write(ws, frames)
    else if (frames.length > 0) writeBehind(ws, frames)
    return
  }
  if (item._tag !== "Step" || item.step._tag !== "Deltas") {
    const frames = PersonFrames.framesOf(item)
    backlog.waiting.push(frames)
    return held(ws, backlog, sizeOf(frames))
  }
  if (!item.route.stream) return
  const { route, step } = item
  let joined = backlog.replies.get(route)
  if (joined === undefined) {
    joined = { route, steps: [] }
    backlog.replies.set(route, joined)
    backlog.waiting.push(joined)
  }
  joined.steps.push(step)
  held(ws, backlog, characters(step))
}

/** Of this reply, the reader has the events up to `after` by numbers that are not ours: it gets its end alone. */
export const endOnly = (ws: WebSocket, responseId: string, after: number): void => {
  const replies = endsOnly.get(ws)
  if (replies === undefined) endsOnly.set(ws, new Map([[responseId, after]]))
  else replies.set(responseId, after)
}

/** This reader goes on by our numbers, and is about to get what came so far: what waits of it is dropped. */
export const goOn = (ws: WebSocket, route: ReplyRoute): void => {
  endsOnly.get(ws)?.delete(route.head.responseId)
  const backlog = backlogs.get(ws)
  const joined = backlog?.replies.get(route)
  if (backlog === undefined || joined === undefined) return
  backlog.size -= joined.steps.reduce((sum, step) => sum + characters(step), 0)
  joined.steps.length = 0
}

/** How many characters and bytes wait for this reader, beside its socket. For tests. */
export const waiting = (ws: WebSocket): number => backlogs.get(ws)?.size ?? 0
