/**
 * A toolbox as tools of an MCP server, with the schemas that every other host gets: closed objects, where effect/ai
 * would publish what it makes of an Effect Schema itself, which leaves them open. A call that fails is a result with
 * `isError`, for the model to read; only a name that does not exist is an error of the protocol.
 */
import * as McpSchema from "effect/ai/McpSchema"
import * as McpServer from "effect/ai/McpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Toolbox, ToolDescription, ToolResult } from "../../services/channel/Toolbox.ts"

const inputSchema = Schema.decodeUnknownSync(McpSchema.ToolJson)

const toolOf = ({ description, hints, name, parameters }: ToolDescription): McpSchema.Tool =>
  new McpSchema.Tool({
    name,
    description,
    inputSchema: inputSchema(parameters),
    ...(hints === undefined
      ? {}
      : {
          title: hints.title,
          annotations: {
            title: hints.title,
            readOnlyHint: hints.readOnly,
            destructiveHint: hints.destructive,
            idempotentHint: hints.idempotent,
            openWorldHint: hints.openWorld
          }
        })
  })

/** As text, which every host shows its model, and as what it is, for a host that reads it itself. */
const resultOf = ({ isError, value }: ToolResult): McpSchema.CallToolResult =>
  new McpSchema.CallToolResult({
    isError,
    content: [{ type: "text", text: JSON.stringify(value) }],
    structuredContent: value
  })

const register = (box: Toolbox): Effect.Effect<void, never, McpServer.McpServer> =>
  Effect.flatMap(McpServer.McpServer, (server) =>
    Effect.forEach(
      box.tools,
      (tool) =>
        server.addTool({
          tool: toolOf(tool),
          annotations: Context.empty(),
          handle: (input: unknown) => Effect.map(box.call(tool.name, input), resultOf)
        }),
      { discard: true }
    )
  )

export const layer = (box: Toolbox): Layer.Layer<never, never, McpServer.McpServer> =>
  Layer.effectDiscard(register(box))
