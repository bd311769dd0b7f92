/**
 * The simulated world as a library: put an agent of your own into it, and see whether every law holds around it.
 *
 * @example
 * import { simulate } from "clawfiber/simulation"
 * const { broken, figures, trace } = await simulate({ seed: 42, agent: myAgent, trace: true })
 */
import * as Effect from "effect/Effect"
import * as CustomAgent from "./layers/channel/CustomAgent.ts"
import * as MemoryTranscripts from "./layers/channel/MemoryTranscripts.ts"
import * as Plan from "./programs/simulation/Plan.ts"
import { profileOf } from "./programs/simulation/Seeds.ts"
import * as World from "./programs/simulation/World.ts"
import type { AgentRuntime } from "./services/channel/AgentRuntime.ts"
import { AttachmentError, Attachments, Missing } from "./services/channel/Attachments.ts"
import { Transcripts } from "./services/channel/Transcripts.ts"
import type { AgentDefinition } from "./services/channel/defineAgent.ts"

export type { Broken, Law } from "./programs/simulation/Laws.ts"
export type { Figures } from "./programs/simulation/Stage.ts"
export type { Outcome } from "./programs/simulation/World.ts"
export { profiles } from "./programs/simulation/Profiles.ts"

export interface SimulateOptions {
  readonly seed: number
  /** `safety`, `liveness`, `crash`, `power`. Unset: as `clawfiber simulate` chooses for this seed. */
  readonly profile?: string | undefined
  /** Who answers in every account: what `defineAgent` gives, or an `AgentRuntime`. Unset: agents that follow the seed. */
  readonly agent?: AgentDefinition | AgentRuntime["Service"] | undefined
  readonly trace?: boolean | undefined
}

const isRuntime = (agent: AgentDefinition | AgentRuntime["Service"]): agent is AgentRuntime["Service"] =>
  "description" in agent && "model" in agent

/** Nobody attaches files in there. */
const noFiles = Attachments.of({
  fetch: () => Effect.fail(new AttachmentError({ name: "The file", reason: new Missing() }))
})

/** What the agent remembers lives as long as the world. */
const defined = (agent: AgentDefinition): AgentRuntime["Service"] =>
  Effect.runSync(
    CustomAgent.make(agent).pipe(
      Effect.provideService(Attachments, noFiles),
      Effect.provideService(Transcripts, MemoryTranscripts.make())
    )
  )

/** One world from one seed. `broken` is empty where every law held. */
export const simulate = (options: SimulateOptions): Promise<World.Outcome> => {
  const plan = Plan.make(options.seed, profileOf(options.seed, options.profile))
  const { agent } = options
  const runtime = agent === undefined ? undefined : isRuntime(agent) ? agent : defined(agent)
  return World.run(plan, {
    trace: options.trace,
    ...(runtime === undefined ? {} : { agent: () => runtime, promises: true })
  })
}
