/** What we take from the host's SDK. The host brings it; it is not among our dependencies. */
declare module "openclaw/plugin-sdk/channel-core" {
  import type { ChannelPlugin, PluginApi, PluginEntry, PluginRuntime } from "./host.ts"
  export const defineChannelPluginEntry: (options: {
    readonly id: string
    readonly name: string
    readonly description: string
    readonly plugin: ChannelPlugin
    readonly setRuntime?: (runtime: PluginRuntime) => void
    readonly registerCliMetadata?: (api: PluginApi) => void
    readonly registerFull?: (api: PluginApi) => void
  }) => PluginEntry
  export const defineSetupPluginEntry: (plugin: ChannelPlugin) => PluginEntry
  export const createChatChannelPlugin: (options: {
    readonly base: object
    readonly [part: string]: unknown
  }) => ChannelPlugin
  /** The session of the host that a message to `peer` belongs to. */
  export const buildChannelOutboundSessionRoute: (params: {
    readonly cfg: object
    readonly agentId: string
    readonly channel: string
    readonly accountId: string
    readonly peer: { readonly kind: "direct"; readonly id: string }
    readonly chatType: "direct"
    readonly from: string
    readonly to: string
    readonly recipientSessionExact: boolean
  }) => { readonly sessionKey: string }
}

declare module "openclaw/plugin-sdk/error-runtime" {
  /** Nobody can have seen the message. `retryable: false`: nor would another try help. */
  export class PlatformMessageNotDispatchedError extends Error {
    constructor(message: string, options: { readonly cause: unknown; readonly retryable?: boolean })
  }
}

declare module "openclaw/plugin-sdk/outbound-media" {
  /** A file or address that the agent may send, by the host's policy. Rejects with what is wrong. */
  export const loadOutboundMediaFromUrl: (
    url: string,
    options: {
      readonly maxBytes: number
      readonly mediaAccess: unknown
      readonly mediaLocalRoots: ReadonlyArray<string> | undefined
      readonly mediaReadFile: unknown
      readonly optimizeImages: boolean
    }
  ) => Promise<{ readonly buffer: Uint8Array; readonly fileName?: string | undefined }>
}

declare module "openclaw/plugin-sdk/media-local-roots" {
  /** The folders whose files this agent may send. */
  export const getAgentScopedMediaLocalRoots: (cfg: object, agentId: string) => ReadonlyArray<string>
}

declare module "openclaw/plugin-sdk/channel-secret-basic-runtime" {
  /** Where a secret reference may stand, for the host's own commands about secrets. */
  export const createChannelSecretTargetRegistryEntries: (options: {
    readonly channelKey: string
    readonly account: ReadonlyArray<string>
    readonly channel: ReadonlyArray<string>
  }) => ReadonlyArray<unknown>
  /** Where `value` is a reference: the host reads it and calls `apply`. Anything else is passed over. */
  export const collectSecretInputAssignment: (assignment: {
    readonly value: unknown
    readonly path: string
    readonly expected: "string"
    readonly defaults: unknown
    readonly context: unknown
    readonly active: boolean
    readonly inactiveReason: string
    readonly owner: {
      readonly ownerKind: "account"
      readonly ownerId: string
      readonly requiredForGateway: boolean
      readonly disposition: "isolate"
      readonly contract: unknown
    }
    readonly apply: (value: unknown) => void
  }) => void
}

declare module "openclaw/plugin-sdk/channel-setup" {
  /** Flags of `openclaw channels add`, and what becomes of them. */
  export const defineChannelSetupContract: (contract: {
    readonly fields: Readonly<Record<string, object>>
    readonly adapter: object
  }) => object
}

declare module "openclaw/plugin-sdk/channel-outbound" {
  interface Verifying {
    readonly adapterName: string
    readonly adapter: object
    readonly proofs: Readonly<Record<string, () => unknown>>
  }
  type Verified = ReadonlyArray<{ readonly capability: string; readonly status: "verified" | "not_declared" }>
  /** Reject where something is declared without a proof, or a proof fails. */
  export const verifyChannelMessageAdapterCapabilityProofs: (params: Verifying) => Promise<Verified>
  export const verifyChannelMessageLiveCapabilityAdapterProofs: (params: Verifying) => Promise<Verified>
  export const verifyChannelMessageLiveFinalizerProofs: (params: Verifying) => Promise<Verified>
  export const verifyChannelMessageReceiveAckPolicyAdapterProofs: (params: Verifying) => Promise<Verified>
}
