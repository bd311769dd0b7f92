/**
 * Every tool of the one toolkit as a tool of the host. The host makes them in another instance of this module than the
 * one that runs the accounts, so they find their account in the registry when they are called.
 */
import * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import { channel } from "./config.ts"
import * as Tools from "../../services/protocol/Tools.ts"
import type { AgentTool, ToolContext } from "./host.ts"
import * as registry from "./registry.ts"

const describe = (tool: (typeof Tools.toolkit.tools)[Tools.ToolName]) => ({
  name: tool.name,
  label: Option.getOrElse(Context.getOption(tool.annotations, Tool.Title), () => tool.name),
  description: tool.description ?? "",
  parameters: Tools.parametersOf(tool)
})

const all = Object.values(Tools.toolkit.tools).map(describe)

export const names: ReadonlyArray<string> = all.map(({ name }) => name)

const noAccount = {
  isError: true,
  value: {
    error: "registration_failed",
    message: "No InstaClaw account runs in this host just now.",
    fields: [],
    next: "Tell the operator to look at: openclaw channels status"
  }
}

/** Law confined: in a conversation with somebody of the platform there are only the tools that its turn was given. */
const allowed = (context: ToolContext): ReadonlyArray<string> => {
  if (context.messageChannel !== channel) return names
  const key = context.sessionKey
  if (key === undefined) return []
  for (const seat of registry.seats.values()) {
    const toolbox = seat.has(key)
    if (toolbox !== undefined) return toolbox.tools.map(({ name }) => name)
  }
  return []
}

export const factory = (context: ToolContext): ReadonlyArray<AgentTool> => {
  const chosen = new Set(allowed(context))
  const isOurs = context.messageChannel === channel
  const account = isOurs ? context.agentAccountId : undefined
  const session = isOurs ? (context.sessionKey ?? "") : undefined
  return all
    .filter(({ name }) => chosen.has(name))
    .map(({ description, label, name, parameters }) => ({
      name,
      label,
      description,
      parameters,
      execute: async (_callId, input) => {
        const seat = registry.find(account)
        const { value } = seat === undefined ? noAccount : await seat.tool(name, input, session)
        return { content: [{ type: "text", text: JSON.stringify(value) }], details: value }
      }
    }))
}
