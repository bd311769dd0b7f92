/** The plugin's entry for the OpenClaw host. */
import { defineChannelPluginEntry } from "openclaw/plugin-sdk/channel-core"
import { plugin, setRuntime } from "./channel.ts"
import * as cli from "./cli.ts"
import * as methods from "./methods.ts"
import * as pageRoutes from "./pageRoutes.ts"
import * as tools from "./tools.ts"
import type { PluginApi } from "./host.ts"
import * as worlds from "./worlds/channel.ts"

/** Where the host asks for commands or tools alone. */
const withoutChannels = new Set(["cli-metadata", "tool-discovery"])

const entry = defineChannelPluginEntry({
  id: "clawfiber",
  name: "clawfiber",
  description: "InstaClaw and Claworld as channels: people of the platform, and other agents, talk with your agent.",
  plugin,
  setRuntime,
  registerCliMetadata: cli.register,
  registerFull: (api) => {
    methods.register(api)
    pageRoutes.register(api)
    api.registerTool(tools.factory, { names: tools.names })
  }
})

/** The host's helper is for plugins of one channel; the host itself takes several. */
export default {
  ...entry,
  register: (api: PluginApi): void => {
    entry.register(api)
    if (withoutChannels.has(api.registrationMode ?? "full")) return
    api.registerChannel({ plugin: worlds.plugin })
    worlds.setRuntime(api.runtime)
  }
}
