/**
 * An agent that does what a script says: for tests and for the simulation. Pure Effect, so that time and chance are
 * those of whoever runs it.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type AgentError, AgentRuntime, type ReplyPart, type Turn } from "../../services/channel/AgentRuntime.ts"

export type Step =
  /** One batch of text pieces. */
  | { readonly _tag: "Say"; readonly pieces: ReadonlyArray<string> }
  | { readonly _tag: "Emit"; readonly parts: ReadonlyArray<ReplyPart> }
  | { readonly _tag: "Wait"; readonly duration: Duration.Input }
  /** Nothing more comes, and no end. */
  | { readonly _tag: "Stall" }
  | { readonly _tag: "Fail"; readonly error: AgentError }
  /** A bug in the runtime: a defect, not a typed error. */
  | { readonly _tag: "Die"; readonly defect: unknown }
  /** Anything else: waits for the effect. */
  | { readonly _tag: "Do"; readonly effect: Effect.Effect<unknown> }

export type Script = ReadonlyArray<Step>

export const say = (...pieces: ReadonlyArray<string>): Step => ({ _tag: "Say", pieces })
export const emit = (...parts: ReadonlyArray<ReplyPart>): Step => ({ _tag: "Emit", parts })
export const wait = (duration: Duration.Input): Step => ({ _tag: "Wait", duration })
export const stall: Step = { _tag: "Stall" }
export const fail = (error: AgentError): Step => ({ _tag: "Fail", error })
export const die = (defect: unknown): Step => ({ _tag: "Die", defect })
export const run = (effect: Effect.Effect<unknown>): Step => ({ _tag: "Do", effect })

/** What a script's agent saw, for the test that wrote the script. */
export interface Observed {
  readonly turn: Turn
  /** Undefined while under way. */
  readonly end: "completed" | "failed" | "interrupted" | undefined
}

export interface Options {
  readonly description?: string | undefined
  readonly model?: string | undefined
  /** What to do with a turn. An effect where chance or state decides. */
  readonly script: (turn: Turn) => Script | Effect.Effect<Script, AgentError>
  /** Told when a turn begins, and when it ends. */
  readonly onTurn?: ((observed: Observed) => Effect.Effect<void>) | undefined
}

type Batch = [ReplyPart, ...Array<ReplyPart>]

/** A pull that walks the script: one step of the stream per step that says something. */
const play = (script: Script): Stream.Stream<ReplyPart, AgentError> =>
  Stream.fromPull(
    Effect.sync(() => {
      let at = 0
      const next: Effect.Effect<Batch, AgentError | Cause.Done> = Effect.suspend(() => {
        const step = script[at++]
        if (step === undefined) return Cause.done()
        switch (step._tag) {
          case "Say":
          case "Emit": {
            const parts =
              step._tag === "Emit" ? step.parts : step.pieces.map((text): ReplyPart => ({ _tag: "Text", text }))
            const [first, ...rest] = parts
            return first === undefined ? next : Effect.succeed<Batch>([first, ...rest])
          }
          case "Wait":
            return Effect.andThen(Effect.sleep(step.duration), next)
          case "Stall":
            return Effect.never
          case "Fail":
            return Effect.fail(step.error)
          case "Die":
            return Effect.die(step.defect)
          case "Do":
            return Effect.andThen(step.effect, next)
        }
      })
      return next
    })
  )

export const make = (options: Options): AgentRuntime["Service"] => {
  const onTurn = options.onTurn
  return AgentRuntime.of({
    description: options.description ?? "simulated agent",
    model: options.model ?? "sim-agent",
    reply: (turn) => {
      const stream = Stream.unwrap(
        Effect.suspend(() => {
          const script = options.script(turn)
          return Effect.isEffect(script) ? Effect.map(script, play) : Effect.succeed(play(script))
        })
      )
      if (onTurn === undefined) return stream
      return Stream.unwrap(Effect.as(onTurn({ turn, end: undefined }), stream)).pipe(
        Stream.onExit((exit) =>
          onTurn({
            turn,
            end: exit._tag === "Success" ? "completed" : Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"
          })
        )
      )
    }
  })
}

export const layer = (options: Options): Layer.Layer<AgentRuntime> => Layer.succeed(AgentRuntime, make(options))
