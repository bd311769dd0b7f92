/**
 * What a turn may do, as a value that the turn carries: a runtime can call what is in the box and nothing else (law
 * confined). The definitions come from the one toolkit in protocol/Tools; who fills the box decides.
 */
import * as Effect from "effect/Effect"
import type * as JsonSchema from "effect/JsonSchema"
import type { ToolFailure } from "../protocol/Tools.ts"

/** As a model, an MCP host or OpenClaw is told of it. `parameters` is a closed JSON Schema object. */
export interface ToolDescription {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema.JsonSchema
}

/** A failing tool gives a result too: the model is to read it and mend its call. */
export interface ToolResult {
  readonly isError: boolean
  /** Plain JSON. Never a secret. */
  readonly value: unknown
}

export interface Toolbox {
  readonly tools: ReadonlyArray<ToolDescription>
  /** `input` is what the model wrote, parsed but not checked. An unknown name is an error result with the known ones. */
  readonly call: (name: string, input: unknown) => Effect.Effect<ToolResult>
}

export const failure = (value: ToolFailure): ToolResult => ({ isError: true, value })

/** A model may call anything by any name. */
export const unknownTool = (name: string, known: ReadonlyArray<ToolDescription>): ToolResult =>
  failure({
    error: "unknown_tool",
    message: `There is no tool ${JSON.stringify(name.slice(0, 100).toWellFormed())} here.`,
    fields: [],
    next:
      known.length === 0
        ? "Answer without tools: there are none here."
        : `Call one of these instead: ${known.map((tool) => tool.name).join(", ")}.`
  })

export const empty: Toolbox = {
  tools: [],
  call: (name) => Effect.succeed(unknownTool(name, []))
}
