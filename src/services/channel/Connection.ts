/**
 * The socket of one account, and nothing else: dial, greeting, heartbeat, backoff, generation, outbox. Its state is
 * data that anyone may read or watch; what arrives is a stream of frames; what is sent finds the socket at send time.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"

/** The platform cannot be reached or ended the link: the next attempt may go through. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  /** Close code of the socket, HTTP status of a refused upgrade, or undefined where the network itself failed. */
  code: Schema.UndefinedOr(Schema.Finite),
  detail: Schema.String
}) {}

/** Three pings without a pong: the link is dead although nobody closed it. */
export class HeartbeatLost extends Schema.TaggedError<HeartbeatLost>()("HeartbeatLost", {
  missed: Schema.Finite
}) {}

/** What an account shows at the door: an app_key with its secret, where nothing is said; in Claworld an app token. */
const Credential = Schema.optionalKey(Schema.Literals(["key", "token"]))

/** The credentials were refused (upgrade 401 or 403, close 1008). Needs a person. */
export class CredentialsRefused extends Schema.TaggedError<CredentialsRefused>()("CredentialsRefused", {
  code: Schema.Finite,
  credential: Credential
}) {}

/** The key is right, but the platform does not let this agent on the line just now (upgrade 403). Needs a person. */
export class NotAdmitted extends Schema.TaggedError<NotAdmitted>()("NotAdmitted", {
  why: Schema.Literals(["inactive", "pending"])
}) {}

/** Another connection of the same account took over (close 4001). Needs a person. */
export class Replaced extends Schema.TaggedError<Replaced>()("Replaced", { credential: Credential }) {}

/** The address is not one that keys may be sent to. Needs a person. */
export class InsecureAddress extends Schema.TaggedError<InsecureAddress>()("InsecureAddress", {
  url: Schema.String,
  credential: Credential
}) {}

/** One frame is larger than the platform takes. */
export class FrameTooLarge extends Schema.TaggedError<FrameTooLarge>()("FrameTooLarge", {
  bytes: Schema.Finite,
  limit: Schema.Finite
}) {}

/** This side closed the connection. */
export class Closed extends Schema.TaggedError<Closed>()("Closed", {}) {}

export type ConnectionReason =
  | Unreachable
  | HeartbeatLost
  | CredentialsRefused
  | NotAdmitted
  | Replaced
  | InsecureAddress
  | FrameTooLarge
  | Closed

/** Everything that can go wrong with a connection. Retry policy reads `transient` and nothing else. */
export class ConnectionError extends Schema.TaggedError<ConnectionError>()("ConnectionError", {
  reason: Schema.Union([
    Unreachable,
    HeartbeatLost,
    CredentialsRefused,
    NotAdmitted,
    Replaced,
    InsecureAddress,
    FrameTooLarge,
    Closed
  ])
}) {
  /** `true`: retried by Schedule. `false`: needs a person (or concerns this one frame only). */
  get transient(): boolean {
    return this.reason._tag === "Unreachable" || this.reason._tag === "HeartbeatLost"
  }

  /** What happened, what it means, what to do. */
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "Unreachable":
        return `The platform cannot be reached: ${reason.detail}. Trying again by itself.`
      case "HeartbeatLost":
        return `The link is dead: ${reason.missed} pings in a row had no answer. Connecting anew.`
      case "CredentialsRefused":
        return reason.credential === "token"
          ? `Claworld does not take the app token (${reason.code}). Renew it there (Worlds, My agents) and write the new one into claworld.json of this account; or move that file away and run clawfiber worlds activate. Then start again.`
          : `The platform refused the key (${reason.code}). Check app_key and app_secret in .insta/config/profile.json, or register again.`
      case "NotAdmitted":
        return reason.why === "pending"
          ? "The platform knows this agent but has not approved it yet, so it cannot connect. Whoever runs the platform approves it (there: clawfiber agent approve); then try again."
          : "This agent is switched off on the platform, so it cannot connect. Its owner switches it on under My agents on the platform's page, or whoever runs the platform does (there: clawfiber agent activate); then try again."
      case "Replaced":
        return reason.credential === "token"
          ? "Another connection of the same agent of Claworld took over, so this one stays away. Stop the other program, or give this one an identity of its own, then start again."
          : "Another connection with the same key took over, so this one stays away. Stop the other program, or give this one a key of its own, then start again."
      case "InsecureAddress":
        return `${reason.url} is not encrypted and not on this machine: no ${reason.credential ?? "key"} is sent there. Use a wss:// address.`
      case "FrameTooLarge":
        return `A message of ${reason.bytes} bytes is larger than the platform takes (${reason.limit}).`
      case "Closed":
        return "The connection was closed on this side."
    }
  }
}

/**
 * - `suspect`: connected, but no pong for longer than INSTACLAW_TIMEOUT_THRESHOLD: nobody may call it connected.
 * - `blocked`: needs a person; no attempt is under way.
 */
export type Phase = "disconnected" | "connecting" | "connected" | "reconnecting" | "suspect" | "blocked"

/** Times are milliseconds since the epoch. */
export interface ConnectionState {
  readonly phase: Phase
  /** Failed attempts since the link was last stable. */
  readonly attempt: number
  /** Counts sockets. A frame of an older generation is never written to a newer socket before its greeting. */
  readonly generation: number
  readonly connectedAt: number | undefined
  readonly lastPongAt: number | undefined
  readonly lastFailure: ConnectionError | undefined
  readonly retryAt: number | undefined
  /** Bytes that wait to be sent. */
  readonly outboxBytes: number
}

export class Connection extends Context.Service<
  Connection,
  {
    readonly state: SubscriptionRef.SubscriptionRef<ConnectionState>
    /** Text frames in order of arrival, across reconnects. One consumer. Ends when the connection is closed. */
    readonly inbound: Stream.Stream<string>
    /**
     * Instead of `inbound`: frames as they come, as many at once as there are, in order; until the scope is closed.
     * Only where there may be a thousand connections, of which each would keep a fiber that waits.
     */
    readonly consume?:
      | ((handle: (frames: ReadonlyArray<string>) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>)
      | undefined
    /**
     * Sends frames in order, on whatever socket there is when it is their turn; without one they wait in an outbox.
     * Suspends while the outbox is full (law bounded). Fails only with FrameTooLarge, Closed, or a blocked reason.
     */
    readonly send: (frames: ReadonlyArray<string>) => Effect.Effect<void, ConnectionError>
    /** Dials anew and lets the present socket drain: the platform announced that it will close. */
    readonly renew: Effect.Effect<void>
    /** Leaves `blocked`: a person mended what was wrong. */
    readonly unblock: Effect.Effect<void>
  }
>()("clawfiber/channel/Connection") {}
