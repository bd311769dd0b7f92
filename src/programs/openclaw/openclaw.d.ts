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
