/** The plugin's entry for the OpenClaw host. */
import { defineChannelPluginEntry } from "openclaw/plugin-sdk/channel-core"
import { plugin, setRuntime } from "./channel.ts"
import * as cli from "./cli.ts"
import * as methods from "./methods.ts"
import * as pageRoutes from "./pageRoutes.ts"
import * as tools from "./tools.ts"

export default defineChannelPluginEntry({
  id: "clawfiber",
  name: "clawfiber",
  description: "InstaClaw as a channel: people of the platform chat with your agent.",
  plugin,
  setRuntime,
  registerCliMetadata: cli.register,
  registerFull: (api) => {
    methods.register(api)
    pageRoutes.register(api)
    api.registerTool(tools.factory, { names: tools.names })
  }
})
