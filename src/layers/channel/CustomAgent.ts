/** The user's own function as an agent: from a module (`--agent FILE`) or from `defineAgent` in a program. */
import { readFile } from "node:fs/promises"
import { stripTypeScriptTypes } from "node:module"
import * as path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  AgentError,
  AgentRuntime,
  Misconfigured,
  RuntimeFailed,
  type Turn
} from "../../services/channel/AgentRuntime.ts"
import { Attachments, type AttachedPart } from "../../services/channel/Attachments.ts"
import type { AgentDefinition, AgentFunction, AgentTurn } from "../../services/channel/defineAgent.ts"
import { Transcripts } from "../../services/channel/Transcripts.ts"
import * as Batches from "./Batches.ts"
import * as ownPackage from "./ownPackage.ts"
import { remember } from "./Remember.ts"

export interface Options {
  /** Path of the module; relative ones count from the working folder. */
  readonly file: string
}

const misconfigured = (detail: string): AgentError => new AgentError({ reason: new Misconfigured({ detail }) })

const failed = (cause: unknown): AgentError => {
  if (cause instanceof AgentError) return cause
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  return new AgentError({ reason: new RuntimeFailed({ detail: detail.slice(0, 4000) }) })
}

export const make = (
  definition: AgentDefinition
): Effect.Effect<AgentRuntime["Service"], never, Attachments | Transcripts> =>
  Effect.gen(function* () {
    const attachments = yield* Attachments
    const transcripts = yield* Transcripts
    const context = yield* Effect.context<never>()

    const open = (signal: AbortSignal) => async (part: AttachedPart) => {
      const attachment = await Effect.runPromiseWith(context)(attachments.fetch(part), { signal })
      if (attachment._tag === "Content") return attachment
      throw new Error("An address outside the platform is not opened. It is in the part, as `url`.")
    }

    const begin = Effect.fnUntraced(function* (turn: Turn) {
      const history = yield* transcripts.load(turn.sessionKey)
      return Batches.fromPieces((signal) => {
        const view: AgentTurn = {
          text: turn.parts.flatMap((part) => (part.type === "input_text" ? [part.text] : [])).join("\n"),
          parts: turn.parts,
          session: turn.sessionId ?? turn.sessionKey,
          messageId: turn.messageId,
          systemPrompt: turn.systemPrompt,
          context: turn.context,
          history,
          signal,
          open: open(signal)
        }
        return definition.reply(view)
      }, failed)
    })

    return AgentRuntime.of({
      description: `${definition.name} (own code)`,
      model: definition.name,
      wordsOnly: true,
      reply: (turn) => Stream.unwrap(begin(turn)).pipe(remember(transcripts, turn))
    })
  })

/** The line of a syntax error, where Node tells one: it puts `file:line` above the source in the stack. */
const lineOf = (error: Error): string | undefined => /^.*:(\d+)\n/.exec(error.stack ?? "")?.[1]

/** For plain JavaScript Node keeps the line to itself; its TypeScript parser reads the same text and tells. */
const findLine = async (url: URL): Promise<string | undefined> => {
  try {
    stripTypeScriptTypes(await readFile(url, "utf8"))
    return undefined
  } catch (error) {
    return error instanceof Error ? lineOf(error) : undefined
  }
}

const loadFailure = async (cause: unknown, url: URL, file: string): Promise<AgentError> => {
  if (!(cause instanceof Error)) return misconfigured(`${file} failed while it was loaded: ${String(cause)}`)
  const code = "code" in cause ? cause.code : undefined
  switch (code) {
    case "ERR_MODULE_NOT_FOUND":
      return "url" in cause && cause.url === url.href
        ? misconfigured(`There is no file ${file}. Give the path of a module whose default export is a function.`)
        : misconfigured(`${file} imports something that is not there: ${cause.message}`)
    case "ERR_UNSUPPORTED_DIR_IMPORT":
      return misconfigured(`${file} is a folder. Give the path of a module in it.`)
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return misconfigured(`${file} is no module that Node can run. Its name has to end in .ts, .mts, .js or .mjs.`)
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return misconfigured(
        `${file} lies inside node_modules, where Node runs no TypeScript. Move it out, or compile it to JavaScript.`
      )
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return misconfigured(
        `${file}, line ${lineOf(cause) ?? "?"}: ${cause.message}. Node runs TypeScript whose types can be left out: no enum, no namespace, no parameter properties.`
      )
  }
  if (cause instanceof SyntaxError) {
    const line = lineOf(cause) ?? (await findLine(url))
    return misconfigured(
      `${file}${line === undefined ? "" : `, line ${line}`}: ${cause.message}. Mend it and start again.`
    )
  }
  return misconfigured(`${file} failed while it was loaded: ${cause.stack ?? cause.message}`)
}

const isFunction = (value: unknown): value is AgentFunction => typeof value === "function"

const isDefinition = (value: unknown): value is AgentDefinition =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  typeof value.name === "string" &&
  "reply" in value &&
  isFunction(value.reply)

const definitionOf = (
  module: Readonly<Record<string, unknown>>,
  file: string,
  name: string
): Effect.Effect<AgentDefinition, AgentError> => {
  const exported = module["default"]
  if (isDefinition(exported)) return Effect.succeed(exported)
  if (isFunction(exported)) return Effect.succeed({ name, reply: exported })
  const found =
    exported === undefined
      ? `it exports ${Object.keys(module).join(", ") || "nothing"} and no default`
      : `its default export is ${exported === null ? "null" : `of type ${typeof exported}`}`
  return Effect.fail(
    misconfigured(
      `${file} is no agent: ${found}. It needs \`export default\` with a function, or with defineAgent({name, reply}).`
    )
  )
}

/** Imports the module. TypeScript runs as it is. Fails with Misconfigured and a sentence for the operator. */
export const load = Effect.fn("CustomAgent.load")(function* (
  options: Options
): Effect.fn.Return<AgentDefinition, AgentError> {
  const url = options.file.startsWith("file:") ? new URL(options.file) : pathToFileURL(path.resolve(options.file))
  ownPackage.register()
  const imported = yield* Effect.promise(() =>
    import(url.href).then(
      (module: Record<string, unknown>) => ({ module }),
      async (cause: unknown) => ({ error: await loadFailure(cause, url, options.file) })
    )
  )
  if ("error" in imported) return yield* imported.error
  return yield* definitionOf(imported.module, options.file, path.parse(fileURLToPath(url)).name)
})

/** From a definition that is at hand. */
export const layerOf = (definition: AgentDefinition): Layer.Layer<AgentRuntime, never, Attachments | Transcripts> =>
  Layer.effect(AgentRuntime, make(definition))

/** From a module. */
export const layer = (options: Options): Layer.Layer<AgentRuntime, AgentError, Attachments | Transcripts> =>
  Layer.effect(AgentRuntime, Effect.flatMap(load(options), make))
