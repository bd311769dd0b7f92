/**
 * A toolbox out of tools and their handlers: described by the toolkit, decoded by the tool's Schema, and every fault of
 * a call told in a result that a model can mend it by.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Tool from "effect/ai/Tool"
import * as Toolbox from "../../services/channel/Toolbox.ts"
import type { FieldFault } from "../../services/protocol/ProfileFields.ts"
import { parametersOf, type ToolFailure } from "../../services/protocol/Tools.ts"
import { isRecord } from "../../services/protocol/Wire.ts"

/** A tool that can be called. */
export interface Offered {
  readonly description: Toolbox.ToolDescription
  readonly call: (input: unknown) => Effect.Effect<Toolbox.ToolResult>
}

type Plain<A> = Schema.Codec<A, unknown>

const faultsOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** Law bounded: a model may write any number of wrong fields. */
const maxFaults = 20

/** `tags.1` for the second of the tags. Issues speak of kinds only, never of the value. */
const fieldFaults = (error: Schema.SchemaError): ReadonlyArray<FieldFault> =>
  faultsOf(error.issue)
    .issues.slice(0, maxFaults)
    .map(({ path, message }) => ({
      field: (path ?? []).map((step) => String(typeof step === "object" ? step.key : step).slice(0, 100)).join("."),
      message: message.startsWith("Expected no excess") ? "There is no such parameter. Leave it out." : `${message}.`
    }))

/** Models write null for what they leave out. */
const withoutNulls = (input: unknown): unknown =>
  isRecord(input) ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) : (input ?? {})

/** How a family of tools tells what went wrong: each in the shape that its protocol gives it. */
export interface Manner<Failure> {
  readonly invalid: (name: string, fields: ReadonlyArray<FieldFault>) => Failure
  readonly internal: (name: string) => Failure
}

const instaclaw: Manner<ToolFailure> = {
  invalid: (name, fields) => ({
    error: "invalid_input",
    message: `This is no input for ${name}.`,
    fields,
    next: `Mend these fields and call ${name} again.`
  }),
  internal: (name) => ({
    error: "internal_error",
    message: `${name} failed by a fault of its own. Its operator can find the reason in the log.`,
    fields: [],
    next: "Do not call it again with the same input. Go on without it, and say that it failed."
  })
}

const hintsOf = ({ annotations, name }: Tool.Any): Toolbox.ToolHints => ({
  title: Option.getOrElse(Context.getOption(annotations, Tool.Title), () => name),
  readOnly: Context.get(annotations, Tool.Readonly),
  destructive: Context.get(annotations, Tool.Destructive),
  idempotent: Context.get(annotations, Tool.Idempotent),
  openWorld: Context.get(annotations, Tool.OpenWorld)
})

const failed = (value: unknown): Toolbox.ToolResult => ({ isError: true, value })

export const offerAs =
  <Failure>(manner: Manner<Failure>) =>
  <Parameters, Success>(
    tool: Tool.Tool<
      string,
      {
        readonly parameters: Plain<Parameters>
        readonly success: Plain<Success>
        readonly failure: Plain<Failure>
        readonly failureMode: "return"
      }
    > &
      Tool.Any,
    handler: (parameters: Parameters) => Effect.Effect<Success, Failure>
  ): Offered => {
    const { name } = tool
    const decode = Schema.decodeUnknownResult(tool.parametersSchema, { errors: "all", onExcessProperty: "error" })
    const encode = Schema.encodeEffect(tool.successSchema)
    return {
      description: {
        name,
        description: tool.description ?? "",
        parameters: parametersOf(tool),
        hints: hintsOf(tool)
      },
      call: Effect.fnUntraced(
        function* (input) {
          const decoded = decode(withoutNulls(input))
          if (Result.isFailure(decoded)) return failed(manner.invalid(name, fieldFaults(decoded.failure)))
          return yield* handler(decoded.success).pipe(
            // What a handler adds beyond the schema goes nowhere.
            Effect.flatMap((success) => Effect.orDie(encode(success))),
            Effect.map((value): Toolbox.ToolResult => ({ isError: false, value })),
            Effect.catch((failure) => Effect.succeed(failed(failure)))
          )
        },
        Effect.catchDefect((defect) =>
          Effect.as(
            Effect.logError(`The tool ${name} failed by a fault of its own.`, defect),
            failed(manner.internal(name))
          )
        )
      )
    }
  }

export const offer = offerAs(instaclaw)

export const toolbox = (offered: ReadonlyArray<Offered>): Toolbox.Toolbox => {
  if (offered.length === 0) return Toolbox.empty
  const byName = new Map(offered.map((one) => [one.description.name, one]))
  const tools = offered.map((one) => one.description)
  return {
    tools,
    call: (name, input) => byName.get(name)?.call(input) ?? Effect.succeed(Toolbox.unknownTool(name, tools))
  }
}
