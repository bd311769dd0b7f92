/** Who answers, by the flags and the settings. Each kind is loaded only when it is wanted. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MemoryTranscripts from "../../layers/channel/MemoryTranscripts.ts"
import * as PlatformAttachments from "../../layers/channel/PlatformAttachments.ts"
import { type AgentError, AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import type { Attachments } from "../../services/channel/Attachments.ts"
import { modelOf, type Settings } from "../../services/channel/Settings.ts"
import type { Transcripts } from "../../services/channel/Transcripts.ts"
import { Failure } from "../Failure.ts"

export interface Choice {
  readonly agent: string | undefined
  readonly exec: string | undefined
  readonly settings: Settings
  readonly environment: Readonly<Record<string, string | undefined>>
}

export type Runtime = Layer.Layer<AgentRuntime, AgentError, Attachments | Transcripts>

export interface Chosen {
  readonly runtime: Runtime
  /** Worth saying beside the agent's description. */
  readonly note: string | undefined
}

const chosen = (runtime: Runtime, note?: string): Chosen => ({ runtime, note })

const offline = Effect.promise(() => import("../../layers/channel/OfflineAgent.ts"))

const openai = Effect.fnUntraced(function* (settings: Settings) {
  const model = modelOf(settings)
  if (model === undefined) {
    return yield* new Failure({ message: "Which model? Set OPENAI_MODEL to its name, or use --agent offline." })
  }
  if (settings.openaiApiKey === undefined && settings.openaiBaseUrl === undefined) {
    return yield* new Failure({
      message: `${model} needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server that wants none, or use --agent offline.`
    })
  }
  const { layer } = yield* Effect.promise(() => import("../../layers/channel/OpenAiAgent.ts"))
  return chosen(
    layer({
      model,
      baseUrl: settings.openaiBaseUrl,
      apiKey: settings.openaiApiKey,
      api: settings.openaiApi
    })
  )
})

/**
 * The agent beside every account: what it says of itself, and who studies the folder before there is an identity. It
 * has no conversations and opens no attachments.
 */
export const alone = (runtime: Runtime) =>
  Effect.map(
    Layer.build(
      Layer.fresh(runtime).pipe(Layer.provide([MemoryTranscripts.layer, PlatformAttachments.layerWithoutPlatform]))
    ),
    Context.get(AgentRuntime)
  )

/** An agent that cannot be made: its detail is a sentence for the operator already. */
export const inWords = (error: AgentError) =>
  Effect.fail(new Failure({ message: "detail" in error.reason ? error.reason.detail : error.message }))

export const choose = Effect.fnUntraced(function* ({ agent, environment, exec, settings }: Choice) {
  if (exec !== undefined) {
    if (agent !== undefined) return yield* new Failure({ message: "--agent and --exec both say who answers. Use one." })
    const { layer } = yield* Effect.promise(() => import("../../layers/channel/ExecAgent.ts"))
    return chosen(Layer.provide(layer({ command: exec, env: environment }), NodeServices.layer))
  }
  if (agent === "offline") return chosen((yield* offline).layer)
  if (agent === "openai") return yield* openai(settings)
  if (agent !== undefined) {
    const { layerOf, load } = yield* Effect.promise(() => import("../../layers/channel/CustomAgent.ts"))
    // Loaded before anything else is begun: most faults of one's own code show here.
    return chosen(layerOf(yield* load({ file: agent }).pipe(Effect.catch(inWords))))
  }
  if (modelOf(settings) !== undefined) return yield* openai(settings)
  return chosen(
    (yield* offline).layer,
    settings.openaiBaseUrl === undefined
      ? "Set OPENAI_API_KEY to let a model answer, or --agent FILE for your own code."
      : "OPENAI_MODEL is not set, so no model is used. Set it to the name of the one that should answer."
  )
})
