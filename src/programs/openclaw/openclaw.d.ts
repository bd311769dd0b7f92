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
