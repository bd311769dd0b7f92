/**
 * The state of a connection as others see it, and its one line in the log for every change of phase. All transitions
 * are here, so that what is shown and what is logged cannot differ.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { ConnectionError, ConnectionState, Phase } from "../../services/channel/Connection.ts"
import { QuietRef } from "./QuietRef.ts"

const words: Record<Phase, string> = {
  disconnected: "Disconnected.",
  connecting: "Connecting.",
  connected: "Connected.",
  reconnecting: "Connecting again.",
  suspect: "No answer from the platform for too long: the link may be dead, asking once more.",
  blocked: "Not connecting until a person helps."
}

type Fields = Omit<ConnectionState, "outboxBytes">

/** The bytes are read when asked for: publishing a state for every frame sent would cost more than the frame. */
class State implements ConnectionState {
  readonly phase: Phase
  readonly attempt: number
  readonly generation: number
  readonly connectedAt: number | undefined
  readonly lastPongAt: number | undefined
  readonly lastFailure: ConnectionError | undefined
  readonly retryAt: number | undefined
  readonly #outbox: { readonly bytes: number }

  constructor(fields: Fields, outbox: { readonly bytes: number }) {
    this.phase = fields.phase
    this.attempt = fields.attempt
    this.generation = fields.generation
    this.connectedAt = fields.connectedAt
    this.lastPongAt = fields.lastPongAt
    this.lastFailure = fields.lastFailure
    this.retryAt = fields.retryAt
    this.#outbox = outbox
  }

  get outboxBytes(): number {
    return this.#outbox.bytes
  }
}

const initial: ConnectionState = {
  phase: "disconnected",
  attempt: 0,
  generation: 0,
  connectedAt: undefined,
  lastPongAt: undefined,
  lastFailure: undefined,
  retryAt: undefined,
  outboxBytes: 0
}

export interface Options {
  readonly name: string
  readonly outbox: { readonly bytes: number }
  /** Runs at once what is synchronous: transitions come from socket callbacks too. */
  readonly runFork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

export class ConnectionStatus {
  readonly ref: QuietRef<ConnectionState>
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
    this.ref = new QuietRef<ConnectionState>(new State(initial, options.outbox))
  }

  get attempt(): number {
    return this.ref.value.attempt
  }

  dialing(generation: number): void {
    const { phase } = this.ref.value
    const first = phase === "disconnected" || phase === "connecting"
    this.#set({ phase: first ? "connecting" : "reconnecting", generation, retryAt: undefined })
  }

  /** `suspect`: it opened, but nothing has answered yet. */
  connected(link: { generation: number; suspect: boolean; now: number; pongAt: number | undefined }): void {
    this.#set(
      {
        phase: link.suspect ? "suspect" : "connected",
        generation: link.generation,
        connectedAt: link.now,
        lastPongAt: link.pongAt ?? this.ref.value.lastPongAt,
        retryAt: undefined
      },
      link.suspect
        ? "The socket is open, but the platform has not answered yet."
        : `Connected (socket ${link.generation}).`
    )
  }

  pong(now: number): void {
    const suspect = this.ref.value.phase === "suspect"
    this.#set({ lastPongAt: now, ...(suspect ? { phase: "connected" as const } : {}) })
  }

  suspect(): void {
    this.#set({ phase: "suspect" })
  }

  /** The link has lived long enough: the next loss starts the backoff from its beginning. */
  stable(): void {
    this.#set({ attempt: 0 })
  }

  /** The serving link ended. `renewing`: its successor is already on the way, whatever ended this one. */
  lost(error: ConnectionError, renewing: boolean): void {
    this.#set(
      {
        phase: error.transient || renewing ? "reconnecting" : "blocked",
        connectedAt: undefined,
        lastFailure: error
      },
      error.message
    )
  }

  waiting(error: ConnectionError, now: number, delay: number): void {
    const { attempt, lastFailure } = this.ref.value
    this.#set(
      { phase: "reconnecting", attempt: attempt + 1, lastFailure: error, retryAt: now + delay },
      `${lastFailure === error ? "" : `${error.message} `}Next attempt in ${(delay / 1000).toFixed(1)} s.`
    )
  }

  blocked(error: ConnectionError): void {
    this.#set(
      { phase: "blocked", lastFailure: error, retryAt: undefined },
      this.ref.value.phase === "blocked" ? undefined : error.message
    )
  }

  /** A renewal failed while the present link still serves. */
  renewalFailed(error: ConnectionError): void {
    this.#set({ lastFailure: error }, `The renewal failed, the present socket stays. ${error.message}`)
  }

  unblocked(): void {
    this.#set({ phase: "connecting", attempt: 0, lastFailure: undefined })
  }

  closed(): void {
    this.#set({ phase: "disconnected", connectedAt: undefined, retryAt: undefined })
  }

  #set(patch: Partial<Fields>, text?: string): void {
    const { ref } = this
    const before = ref.value
    const after = new State({ ...before, ...patch }, this.#options.outbox)
    const line = text ?? (after.phase === before.phase ? undefined : words[after.phase])
    if (line !== undefined) this.#options.runFork(this.#log(after, line))
    // Last, and not through the ref's semaphore: a reader who is woken runs on at once, and a transition that it causes
    // must not wait for this one to be over.
    ref.put(after)
  }

  #log({ attempt, generation, phase }: ConnectionState, text: string): Effect.Effect<void> {
    const annotations = { connection: this.#options.name, phase, attempt, generation }
    return (phase === "blocked" || phase === "suspect" ? Effect.logWarning(text) : Effect.logInfo(text)).pipe(
      Effect.annotateLogs(annotations)
    )
  }
}
