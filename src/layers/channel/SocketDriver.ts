/**
 * The small port under the supervisor: what it needs from a socket, whoever makes it. `WsDriver` puts `ws` behind it,
 * `SimConnection` an in-memory pair. Plain callbacks, because they are called once per frame.
 */

/** Where to dial and with what. Headers may hold secrets: they are never logged. */
export interface DialRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Frames that go first on the new socket, before its greeting: an auth frame, where the protocol has one. */
  readonly hello: ReadonlyArray<string>
}

/** How a socket ended. `detail` is half a sentence for people. */
export type SocketEnd =
  | { readonly _tag: "Closed"; readonly code: number }
  /** The upgrade was answered with an HTTP status instead of a socket; `code` is the one in its body, if any. */
  | { readonly _tag: "Refused"; readonly status: number; readonly code?: number | undefined }
  /** The network failed before there was a socket. */
  | { readonly _tag: "Failed"; readonly detail: string }

/** Called by the driver, never from inside `dial`, and never again after `ended`. */
export interface SocketEvents {
  readonly opened: () => void
  readonly frame: (text: string) => void
  readonly pong: () => void
  /** The network has taken what was handed over; may come more often than needed. */
  readonly drained: () => void
  /** The last event, exactly once, also after `close` and `terminate`. */
  readonly ended: (end: SocketEnd) => void
}

/** No method throws, in whatever state the socket is; on a socket that has ended they do nothing. */
export interface Socket {
  /** Hands all frames over in one write to the network. */
  readonly send: (frames: ReadonlyArray<string>) => void
  readonly ping: () => void
  /** Bytes handed over that the network has not taken yet. */
  readonly bufferedBytes: () => number
  /** Stops and resumes reading, so that a slow consumer holds back the peer and not our memory. */
  readonly pause: () => void
  readonly resume: () => void
  /** Closing handshake. While still dialing: gives the dial up. */
  readonly close: (code: number) => void
  /** Ends it now. */
  readonly terminate: () => void
}

export interface SocketDriver {
  /** Begins to dial and returns at once; what becomes of it is told by the events. */
  readonly dial: (request: DialRequest, limits: { readonly maxFrameBytes: number }, events: SocketEvents) => Socket
  /** Runs `task` at the end of the present turn of the event loop, after what the network has for us was read. */
  readonly defer: (task: () => void) => void
}
