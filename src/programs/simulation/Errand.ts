/** A question from one machine to another one's process: it or its answer is lost, late, or comes twice. */
import * as Effect from "effect/Effect"
import type { Chance } from "../../layers/simulation/Chance.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Stage } from "./Stage.ts"

/** No answer: what was asked for may have been done. */
export class NoAnswer {
  readonly _tag = "NoAnswer"
}

/** When whoever asked has had enough of waiting. */
const patience = 10_000

export interface Errand<A, E> {
  readonly stage: Stage
  readonly chance: Chance
  readonly isCalm: () => boolean
  readonly from: Machine
  /** Something arrives. `done` is told where there is an answer. */
  readonly serve: (done: (answer: Effect.Effect<A, E>) => void) => void
}

export const ask = <A, E>({ chance, from, isCalm, serve, stage }: Errand<A, E>): Effect.Effect<A, E | NoAnswer> =>
  Effect.callback<A, E | NoAnswer>((resume) => {
    const mood = isCalm()
      ? "well"
      : chance.pick(["well", "well", "well", "well", "well", "well", "unheard", "unanswered", "late", "twice"])
    const way = () => (isCalm() ? 20 : chance.int(1, 800))
    const answer = (result: Effect.Effect<A, E>) => {
      if (mood === "unanswered" || mood === "late") return
      from.after(way(), () => {
        giveUp()
        resume(result)
      })
    }
    const giveUp = from.after(patience, () => resume(Effect.fail(new NoAnswer())))
    // What is on its way does not die with whoever sent it.
    if (mood !== "unheard" && mood !== "late") stage.outside.after(way(), () => serve(answer))
    if (mood === "late" || mood === "twice") {
      stage.outside.after(chance.int(2_000, 120_000), () => serve(() => undefined))
    }
    return Effect.sync(giveUp)
  })
