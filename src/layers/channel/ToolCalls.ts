/**
 * One tool call of a model, from the text of its arguments to the text that the model reads. Law bounded: arguments and
 * results have a size; what is past it is said to be.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { failure, type Toolbox, type ToolResult } from "../../services/channel/Toolbox.ts"

/** Characters of the arguments of one call, and of its result. */
export const maxArguments = 256 * 1024
export const maxResult = 64 * 1024
/** Calls in one answer of a model. */
export const maxCalls = 32
/** Answers of a model in one turn; the last one is asked for without tools. */
export const maxRounds = 16

export interface ToolCall {
  /** The model's name for this call: its result goes back under it. */
  readonly id: string
  readonly name: string
  /** JSON, as the model wrote it; perhaps cut or malformed. */
  readonly arguments: string
}

const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const textOf = ({ value }: ToolResult): string => {
  const text = JSON.stringify(value) ?? "null"
  const rest = text.length - maxResult
  return rest <= 0
    ? text
    : `${text.slice(0, maxResult).toWellFormed()}\n[${rest} more characters were left out. Ask for less at a time.]`
}

const malformed = (name: string, message: string): ToolResult =>
  failure({ error: "invalid_input", message, fields: [], next: `Call ${name} again with one JSON object.` })

/** The result as the model reads it. Never fails; a call that cannot be made is told in the same form. */
export const answer = (toolbox: Toolbox, call: ToolCall): Effect.Effect<string> => {
  if (call.arguments.length > maxArguments) {
    return Effect.succeed(textOf(malformed(call.name, `The arguments are longer than ${maxArguments} characters.`)))
  }
  // Where a tool has no parameters, many models write nothing at all.
  const input = call.arguments.trim() === "" ? Option.some({}) : parse(call.arguments)
  return Option.isNone(input)
    ? Effect.succeed(textOf(malformed(call.name, "The arguments are not JSON. Perhaps they were cut.")))
    : Effect.map(toolbox.call(call.name, input.value), textOf)
}

export const tooMany: string = textOf(
  failure({
    error: "invalid_input",
    message: `This call was not made: more than ${maxCalls} were asked for at once.`,
    fields: [],
    next: "Make it again, with fewer others beside it."
  })
)
