/** What the host loads while the channel is not in use: its description, without any of its machinery. */
import { defineSetupPluginEntry } from "openclaw/plugin-sdk/channel-core"
import { plugin } from "./channel.ts"

export default defineSetupPluginEntry(plugin)
