/**
 * What a turn may do, as a value that the turn carries: a runtime can call what is in the box and nothing else (law
 * confined). The definitions come from the one toolkit in protocol/Tools; who fills the box decides.
 */
import * as Effect from "effect/Effect"
import type * as JsonSchema from "effect/JsonSchema"
import type { ToolFailure } from "../protocol/Tools.ts"

/** What a host shows a person, and asks them about, before it calls a tool. */
export interface ToolHints {
  readonly title: string
  readonly readOnly: boolean
  readonly destructive: boolean
  readonly idempotent: boolean
  /** It reaches beyond this machine. */
  readonly openWorld: boolean
}

/** As a model, an MCP host or OpenClaw is told of it. `parameters` is a closed JSON Schema object. */
export interface ToolDescription {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema.JsonSchema
  readonly hints?: ToolHints | undefined
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

/** All of several in one. Where two have a tool of the same name, the first one's is called. */
export const join = (boxes: ReadonlyArray<Toolbox>): Toolbox => {
  const byName = new Map<string, Toolbox>()
  const tools = boxes.flatMap((box) =>
    box.tools.filter(({ name }) => {
      if (byName.has(name)) return false
      byName.set(name, box)
      return true
    })
  )
  return {
    tools,
    call: (name, input) => byName.get(name)?.call(name, input) ?? Effect.succeed(unknownTool(name, tools))
  }
}

/** Only the named ones. */
export const only = (box: Toolbox, names: ReadonlyArray<string>): Toolbox => {
  const tools = box.tools.filter(({ name }) => names.includes(name))
  return {
    tools,
    call: (name, input) =>
      tools.some((tool) => tool.name === name) ? box.call(name, input) : Effect.succeed(unknownTool(name, tools))
  }
}
