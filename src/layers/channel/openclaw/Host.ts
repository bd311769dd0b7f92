/**
 * What we use of the OpenClaw host, as it is in version 2026.9.6: its own types are not among our dependencies (the
 * host is 800 MB). tests/openclaw checks these shapes against the real ones with the compiler.
 */

/** The host's whole configuration; only our part of it is looked at. */
export interface Config {
  readonly channels?: Readonly<Record<string, unknown>> | undefined
  readonly agents?: unknown
  readonly session?: unknown
}

/** Which agent of the host answers, and in which of its sessions. */
export interface Route {
  readonly agentId: string
  readonly accountId: string
  readonly sessionKey: string
  readonly dmScope?: DmScope | undefined
}

export type DmScope = "main" | "per-peer" | "per-channel-peer" | "per-account-channel-peer"

export interface Payload {
  readonly text?: string | undefined
  readonly mediaUrl?: string | undefined
  readonly mediaUrls?: ReadonlyArray<string> | undefined
  /** Of the same order as `mediaUrls`. */
  readonly attachments?: ReadonlyArray<{ readonly name?: string | undefined }> | undefined
  readonly isError?: boolean | undefined
  readonly isReasoning?: boolean | undefined
}

export type Kind = "tool" | "block" | "final"

/** `dispatch`: the sender may talk; `pairing-required`: the operator has to let this one in first. */
export type Admission = "dispatch" | "observe" | "skip" | "drop" | "pairing-required"

export interface Ingress {
  readonly ingress: { readonly admission: Admission; readonly reasonCode?: string | undefined }
}

/** Something the host's agent does; a `preamble` is what it says before a tool call. */
export interface Item {
  readonly kind?: string | undefined
  readonly phase?: string | undefined
  readonly progressText?: string | undefined
}

export interface Dispatched {
  readonly admission: { readonly kind: string }
  readonly dispatched: boolean
  readonly dispatchResult?:
    | {
        /** The words went into a run that was going on; what comes of them is said there. */
        readonly deferredToActiveRun?: string | undefined
        /** The agent chose to say nothing. */
        readonly deliberateSilentTerminalReply?: boolean | undefined
      }
    | undefined
}

/** `ctx.channelRuntime` of `startAccount`. */
export interface ChannelRuntime {
  readonly routing: {
    readonly resolveAgentRoute: (input: {
      readonly cfg: Config
      readonly channel: string
      readonly accountId: string
      readonly peer: { readonly kind: "direct"; readonly id: string }
      readonly dmScope: DmScope
    }) => Route
  }
  readonly inbound: {
    readonly ingress: { readonly resolveStable: (input: object) => Promise<Ingress> }
    readonly buildContext: (input: object) => unknown
    readonly dispatch: (input: object) => Promise<Dispatched>
  }
  /** Whom the operator has let in, and who waits for it. */
  readonly pairing: {
    readonly readAllowFromStore: (input: {
      readonly channel: string
      readonly accountId: string
    }) => Promise<ReadonlyArray<string>>
    readonly upsertPairingRequest: (input: {
      readonly channel: string
      readonly accountId: string
      readonly id: string
      readonly meta?: Readonly<Record<string, string>>
    }) => Promise<{ readonly code: string; readonly created: boolean }>
    readonly buildPairingReply: (input: {
      readonly channel: string
      readonly idLine: string
      readonly code: string
    }) => string
  }
}
