/**
 * Every tool of our toolkits as a tool of the host. The host makes them in another instance of this module than the one
 * that runs the accounts, so they find their account on the global object when they are called.
 */
import * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import { failure } from "../../layers/worlds/worldFailures.ts"
import type { ToolResult } from "../../services/channel/Toolbox.ts"
import * as Tools from "../../services/protocol/Tools.ts"
import * as WorldTools from "../../services/protocol/WorldTools.ts"
import { channel, isFields } from "./config.ts"
import type { AgentTool, ToolContext } from "./host.ts"
import * as registry from "./registry.ts"
import * as worlds from "./worlds/config.ts"
import * as seats from "./worlds/seats.ts"

/** Which account acts, and in which of its conversations, where it is one of ours. */
interface Acting {
  readonly account: string | undefined
  readonly session: string | undefined
}

/** A toolkit, and where its calls go. `call` never rejects. */
interface Kit {
  readonly tools: ReadonlyArray<Tool.Any>
  /** Whether the operator's own agent is told of them. */
  readonly offered: (context: ToolContext) => boolean
  readonly call: (name: string, input: unknown, acting: Acting) => Promise<ToolResult>
}

const noAccount = {
  isError: true,
  value: {
    error: "registration_failed",
    message: "No InstaClaw account runs in this host just now.",
    fields: [],
    next: "Tell the operator to look at: openclaw channels status"
  }
}

const instaclaw: Kit = {
  tools: Object.values(Tools.toolkit.tools),
  offered: () => true,
  call: async (name, input, { account, session }) => {
    const seat = registry.find(account)
    return seat === undefined ? noAccount : seat.tool(name, input, session)
  }
}

const noWorlds = (name: string): ToolResult => ({
  isError: true,
  value: failure(name, {
    code: "no_account",
    category: "config",
    recoverable: false,
    message: "No Claworld account runs in this host just now. Its operator sees why with: openclaw channels status",
    nextAction: "tell_operator_to_set_up_claworld"
  })
})

const claworld: Kit = {
  tools: Object.values(WorldTools.toolkit.tools),
  // Nine tools that can do nothing are only in the way.
  offered: ({ config }) => seats.seats.size > 0 || config?.channels?.[worlds.channel] !== undefined,
  call: async (name, input) => {
    const named = isFields(input) ? input["accountId"] : undefined
    const seat = seats.find(typeof named === "string" ? named : undefined)
    return seat === undefined ? noWorlds(name) : seat.tool(name, input)
  }
}

const kits = [instaclaw, claworld]

const all = kits.flatMap((kit) =>
  kit.tools.map((tool) => ({
    kit,
    name: tool.name,
    label: Option.getOrElse(Context.getOption(tool.annotations, Tool.Title), () => tool.name),
    description: tool.description ?? "",
    parameters: Tools.parametersOf(tool)
  }))
)

export const names: ReadonlyArray<string> = all.map(({ name }) => name)

/**
 * Law confined: in a conversation with somebody of the platform there are only the tools that its turn was given, and in
 * a talk of Claworld there are none.
 */
const allowed = (context: ToolContext): ((one: (typeof all)[number]) => boolean) => {
  if (context.messageChannel === worlds.channel) return () => false
  if (context.messageChannel !== channel) return ({ kit }) => kit.offered(context)
  for (const seat of registry.seats.values()) {
    const toolbox = context.sessionKey === undefined ? undefined : seat.has(context.sessionKey)
    if (toolbox !== undefined) return ({ name }) => toolbox.tools.some((tool) => tool.name === name)
  }
  return () => false
}

export const factory = (context: ToolContext): ReadonlyArray<AgentTool> => {
  const isOurs = context.messageChannel === channel
  const acting: Acting = {
    account: isOurs ? context.agentAccountId : undefined,
    session: isOurs ? (context.sessionKey ?? "") : undefined
  }
  return all.filter(allowed(context)).map(({ description, kit, label, name, parameters }) => ({
    name,
    label,
    description,
    parameters,
    execute: async (_callId, input) => {
      const { value } = await kit.call(name, input, acting)
      return { content: [{ type: "text", text: JSON.stringify(value) }], details: value }
    }
  }))
}
