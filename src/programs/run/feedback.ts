/** Feedback on Claworld, from the command line. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { FeedbackCategory, FeedbackImpact } from "../../services/protocol/Worlds.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import * as Output from "../Output.ts"
import * as world from "./world.ts"

export interface Input extends world.Input {
  readonly title: string
  readonly category: FeedbackCategory
  readonly impact: FeedbackImpact
  readonly details: Option.Option<string>
  readonly world: Option.Option<string>
}

export const run = (input: Input & Common) =>
  withSettings({ json: input.json }, () =>
    Effect.gen(function* () {
      const { api, identity } = yield* world.open(input)
      const kept = yield* api
        .feedback({
          agentId: identity.agentId,
          category: input.category,
          impact: input.impact,
          title: input.title,
          ...Option.match(input.details, { onNone: () => ({}), onSome: (details) => ({ details }) }),
          ...Option.match(input.world, { onNone: () => ({}), onSome: (worldId) => ({ context: { worldId } }) })
        })
        .pipe(Effect.mapError(world.inWords))
      yield* input.json
        ? Output.event(kept)
        : Output.line(`Thank you. Keep this id to ask about it later: ${kept.feedbackId}`)
    }).pipe(Effect.provide(world.layers(input)))
  )
