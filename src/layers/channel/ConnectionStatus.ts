/**
 * The state of a connection as others see it, and its one line in the log for every change of phase. All transitions
 * are here, so that what is shown and what is logged cannot differ.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ConnectionError, ConnectionState, Phase } from "../../services/channel/Connection.ts"

const words: Record<Phase, string> = {
  disconnected: "Disconnected.",
  connecting: "Connecting.",
  connected: "Connected.",
  reconnecting: "Connecting again.",
  suspect: "No answer from the platform for too long: the link may be dead, asking once more.",
  blocked: "Not connecting until a person helps."
}

export const make = Effect.fnUntraced(function* (options: {
  readonly name: string
  readonly outbox: { readonly bytes: number }
  /** Runs at once what is synchronous: transitions come from socket callbacks too. */
  readonly runFork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}) {
  type Fields = Omit<ConnectionState, "outboxBytes">

  // Read when asked for: publishing a state for every frame sent would cost more than the frame.
  const stateOf = (fields: Fields): ConnectionState => ({
    ...fields,
    get outboxBytes() {
      return options.outbox.bytes
    }
  })

  let fields: Fields = {
    phase: "disconnected",
    attempt: 0,
    generation: 0,
    connectedAt: undefined,
    lastPongAt: undefined,
    lastFailure: undefined,
    retryAt: undefined
  }
  const ref = yield* SubscriptionRef.make(stateOf(fields))

  const log = (text: string): Effect.Effect<void> => {
    const { phase, attempt, generation } = fields
    const annotations = { connection: options.name, phase, attempt, generation }
    return (phase === "blocked" || phase === "suspect" ? Effect.logWarning(text) : Effect.logInfo(text)).pipe(
      Effect.annotateLogs(annotations)
    )
  }

  const set = (patch: Partial<Fields>, text?: string): void => {
    const before = fields.phase
    fields = { ...fields, ...patch }
    const line = text ?? (fields.phase === before ? undefined : words[fields.phase])
    if (line !== undefined) options.runFork(log(line))
    // Not through the ref's semaphore: a reader who is woken runs on at once, and a transition that it causes must not
    // wait for this one to be over.
    ref.value = stateOf(fields)
    PubSub.publishUnsafe(ref.pubsub, ref.value)
  }

  return {
    ref,
    attempt: (): number => fields.attempt,
    dialing: (generation: number): void => {
      const first = fields.phase === "disconnected" || fields.phase === "connecting"
      set({ phase: first ? "connecting" : "reconnecting", generation, retryAt: undefined })
    },
    /** `suspect`: it opened, but nothing has answered yet. */
    connected: (link: { generation: number; suspect: boolean; now: number; pongAt: number | undefined }): void =>
      set(
        {
          phase: link.suspect ? "suspect" : "connected",
          generation: link.generation,
          connectedAt: link.now,
          lastPongAt: link.pongAt ?? fields.lastPongAt,
          retryAt: undefined
        },
        link.suspect
          ? "The socket is open, but the platform has not answered yet."
          : `Connected (socket ${link.generation}).`
      ),
    pong: (now: number): void =>
      set({ lastPongAt: now, ...(fields.phase === "suspect" ? { phase: "connected" as const } : {}) }),
    suspect: (): void => set({ phase: "suspect" }),
    /** The link has lived long enough: the next loss starts the backoff from its beginning. */
    stable: (): void => set({ attempt: 0 }),
    /** The serving link ended. `renewing`: its successor is already on the way, whatever ended this one. */
    lost: (error: ConnectionError, renewing: boolean): void =>
      set(
        {
          phase: error.transient || renewing ? "reconnecting" : "blocked",
          connectedAt: undefined,
          lastFailure: error
        },
        error.message
      ),
    waiting: (error: ConnectionError, now: number, delay: number): void =>
      set(
        { phase: "reconnecting", attempt: fields.attempt + 1, lastFailure: error, retryAt: now + delay },
        `${fields.lastFailure === error ? "" : `${error.message} `}Next attempt in ${(delay / 1000).toFixed(1)} s.`
      ),
    blocked: (error: ConnectionError): void =>
      set(
        { phase: "blocked", lastFailure: error, retryAt: undefined },
        fields.phase === "blocked" ? undefined : error.message
      ),
    /** A renewal failed while the present link still serves. */
    renewalFailed: (error: ConnectionError): void =>
      set({ lastFailure: error }, `The renewal failed, the present socket stays. ${error.message}`),
    unblocked: (): void => set({ phase: "connecting", attempt: 0, lastFailure: undefined }),
    closed: (): void => set({ phase: "disconnected", connectedAt: undefined, retryAt: undefined })
  }
})

export type ConnectionStatus = Effect.Success<ReturnType<typeof make>>
