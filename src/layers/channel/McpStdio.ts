/**
 * An MCP server over standard input and output: one JSON-RPC message to a line. A line that is none is answered as
 * JSON-RPC has it and goes no further: the server of effect/ai (4.1) stops reading at the first one.
 */
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Stdio } from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { Toolbox } from "../../services/channel/Toolbox.ts"
import * as McpTools from "./McpTools.ts"

export interface Options {
  readonly box: Toolbox
  readonly name: string
  readonly version: string
  readonly instructions: string
}

const Id = Schema.Union([Schema.String, Schema.Finite])
const Params = Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
const Message = Schema.Union([
  Schema.Struct({
    jsonrpc: Schema.Literal("2.0"),
    id: Schema.optionalKey(Id),
    method: Schema.String,
    params: Params
  }),
  Schema.Struct({ jsonrpc: Schema.Literal("2.0"), id: Id, result: Schema.Record(Schema.String, Schema.Unknown) }),
  Schema.Struct({ jsonrpc: Schema.Literal("2.0"), id: Id, error: Schema.Record(Schema.String, Schema.Unknown) })
])
const isMessage = Schema.is(Message)
const idOf = Schema.decodeUnknownOption(Schema.Struct({ id: Id }))

/** What is answered to a line that cannot be a message; undefined for one that can. */
const refusalOf = (line: string): string | undefined => {
  const refuse = (code: number, message: string, id: string | number | null) =>
    `${JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })}\n`
  const parsed = Option.liftThrowable((): unknown => JSON.parse(line))()
  if (Option.isNone(parsed)) return refuse(-32_700, "This line is not JSON.", null)
  const value = parsed.value
  // Whether several may come at once is a matter of the version that was agreed on.
  if (Array.isArray(value) ? value.every(isMessage) : isMessage(value)) return undefined
  const id = Option.match(idOf(value), { onNone: () => null, onSome: ({ id }) => id })
  return refuse(-32_600, "This is no JSON-RPC 2.0 message.", id)
}

/** Only lines that are messages come in; the others are answered at once. */
const careful = Layer.effect(
  Stdio,
  Effect.map(Stdio, (stdio) =>
    Stdio.of({
      ...stdio,
      stdin: stdio.stdin.pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.filter((line) => line.trim() !== ""),
        Stream.filterEffect((line) => {
          const refusal = refusalOf(line)
          return refusal === undefined
            ? Effect.succeed(true)
            : Effect.as(Stream.run(Stream.succeed(refusal), stdio.stdout()), false)
        }),
        Stream.map((line) => `${line}\n`),
        Stream.encodeText
      )
    })
  )
)

/** As long as its input lasts: when that ends, whoever built this layer is interrupted. */
export const layer = ({ box, ...identity }: Options): Layer.Layer<never, Cause.IllegalArgumentError, Stdio> =>
  McpServer.layerStdio({
    ...identity,
    protocols: [McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2025_03_26, McpProtocol.v2024_11_05],
    registrations: McpTools.layer(box)
  }).pipe(Layer.provide(careful))
