/** Numbers of a connection, with the defaults of the protocol. */
import * as Duration from "effect/Duration"

export interface ConnectionSettings {
  /** INSTACLAW_HEARTBEAT_INTERVAL: 30 s. */
  readonly heartbeatInterval?: Duration.Input | undefined
  /** INSTACLAW_TIMEOUT_THRESHOLD: 60 s without a pong or a frame = suspect. Keep it above the interval. */
  readonly timeoutThreshold?: Duration.Input | undefined
  /** 3 pings in a row without a pong = dead. */
  readonly missedLimit?: number | undefined
  /** 10 s. */
  readonly openTimeout?: Duration.Input | undefined
  /** 2 s. */
  readonly greetingTimeout?: Duration.Input | undefined
  /** Backoff: 1 s, doubled up to 30 s, plus 0..1 s. */
  readonly backoffBase?: Duration.Input | undefined
  readonly backoffCap?: Duration.Input | undefined
  readonly backoffJitter?: Duration.Input | undefined
  /** A link that lived so long resets the backoff: 30 s. */
  readonly stableAfter?: Duration.Input | undefined
  /** How long a replaced socket may still receive: 10 s. */
  readonly drainTimeout?: Duration.Input | undefined
  /** How long a closing handshake may take: 2 s. */
  readonly closeTimeout?: Duration.Input | undefined
  /** Largest frame in either direction: 1 MiB. */
  readonly maxFrameBytes?: number | undefined
  /** Bound of the outbox: 8 MiB, and never less than one frame. */
  readonly outboxBytes?: number | undefined
  /** The socket gets no more frames while so many bytes wait in it: 1 MiB. */
  readonly socketBytes?: number | undefined
  /** Characters that may wait to be consumed before reading pauses: 8 Mi. */
  readonly inboundCharacters?: number | undefined
}

/** The same in milliseconds and bytes, nothing left open. */
export interface ResolvedSettings {
  readonly heartbeatInterval: number
  readonly timeoutThreshold: number
  readonly missedLimit: number
  readonly openTimeout: number
  readonly greetingTimeout: number
  readonly backoffBase: number
  readonly backoffCap: number
  readonly backoffJitter: number
  readonly stableAfter: number
  readonly drainTimeout: number
  readonly closeTimeout: number
  readonly maxFrameBytes: number
  readonly outboxBytes: number
  readonly socketBytes: number
  readonly inboundCharacters: number
}

const mebibyte = 1024 * 1024

const millis = (value: Duration.Input | undefined, fallback: Duration.Input): number =>
  Duration.toMillis(Duration.fromInputUnsafe(value ?? fallback))

export const resolve = (settings: ConnectionSettings): ResolvedSettings => {
  const maxFrameBytes = settings.maxFrameBytes ?? mebibyte
  return {
    heartbeatInterval: millis(settings.heartbeatInterval, "30 seconds"),
    timeoutThreshold: millis(settings.timeoutThreshold, "60 seconds"),
    missedLimit: settings.missedLimit ?? 3,
    openTimeout: millis(settings.openTimeout, "10 seconds"),
    greetingTimeout: millis(settings.greetingTimeout, "2 seconds"),
    backoffBase: millis(settings.backoffBase, "1 second"),
    backoffCap: millis(settings.backoffCap, "30 seconds"),
    backoffJitter: millis(settings.backoffJitter, "1 second"),
    stableAfter: millis(settings.stableAfter, "30 seconds"),
    drainTimeout: millis(settings.drainTimeout, "10 seconds"),
    closeTimeout: millis(settings.closeTimeout, "2 seconds"),
    maxFrameBytes,
    outboxBytes: Math.max(settings.outboxBytes ?? 8 * mebibyte, maxFrameBytes),
    socketBytes: settings.socketBytes ?? mebibyte,
    inboundCharacters: settings.inboundCharacters ?? 8 * mebibyte
  }
}
