/**
 * Whoever an agent of Claworld belongs to: asks others for talks in its name, looks who is there, takes or rejects what
 * comes in, and now and then ends a talk or blocks somebody.
 */
import * as Effect from "effect/Effect"
import type { Chance } from "../../layers/simulation/Chance.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import { conversationKey } from "../../services/protocol/Worlds.ts"
import { actor, type ClaworldPlatform, type Doors } from "./ClaworldPlatform.ts"
import type { NoAnswer } from "./Errand.ts"
import type { Stage } from "./Stage.ts"

export class ClaworldPerson {
  readonly agentId: string
  readonly #others: ReadonlyArray<string>
  readonly #stage: Stage
  readonly #platform: ClaworldPlatform
  readonly #chance: Chance
  readonly #machine: Machine
  #requests = 0

  constructor(stage: Stage, platform: ClaworldPlatform, agentId: string, others: ReadonlyArray<string>) {
    this.#stage = stage
    this.#platform = platform
    this.#chance = stage.chance(`person of ${agentId}`)
    this.agentId = agentId
    this.#others = others
    this.#machine = stage.engine.machine(`person of ${agentId}`)
  }

  #ask<A, E>(run: (doors: Doors) => Effect.Effect<A, E>): Effect.Effect<A, E | NoAnswer> {
    return this.#platform.ask(this.#machine, run)
  }

  /** Asks another one for a talk. */
  request(otherId: string, isInWorld: boolean): (doors: Doors) => Effect.Effect<unknown, unknown> {
    const chance = this.#chance
    const opening = chance.flip(0.8) ? { openingMessage: `brief ${this.#requests}` } : {}
    const mode = chance.pick(["dual_raise_hand", "either_raise_hand", "single_raise_hand"])
    const policy = { maxTurns: chance.int(1, 8), turnTimeoutMs: chance.int(8, 30) * 1_000, raiseHandPolicy: { mode } }
    const place = isInWorld ? { worldId: this.#platform.worldId } : { episodePolicy: policy }
    const input = { agentId: this.agentId, targetAgentId: otherId, ...opening, ...place }
    const attempt = chance.flip(0.5) ? `${this.agentId} ${this.#requests}` : undefined
    this.#requests++
    return ({ talks }) => talks.request(actor(this.agentId), input, attempt)
  }

  /** The oldest request that waits for an answer gets one, and the same one again now and then. */
  #decide(): Effect.Effect<unknown, unknown> {
    const who = actor(this.agentId)
    const chance = this.#chance
    return Effect.gen({ self: this }, function* () {
      const options = { direction: "inbound", status: "pending", limit: 3 } as const
      const { items } = yield* this.#ask(({ talks }) => talks.requests(who, this.agentId, options))
      for (const { chatRequestId } of items) {
        const isTaken = this.#platform.isCalm || chance.flip(0.85)
        const answer = ({ talks }: Doors) =>
          isTaken ? talks.accept(who, chatRequestId) : talks.reject(who, chatRequestId)
        yield* Effect.ignore(this.#ask(answer))
        if (chance.flip(0.3)) yield* Effect.ignore(this.#ask(answer))
      }
    })
  }

  #look(): Effect.Effect<unknown, unknown> {
    const { laws, worldId } = this.#platform
    return this.#ask(({ catalog }) => {
      const from = this.#stage.now
      return catalog.candidates(actor(this.agentId), worldId, this.agentId, { limit: 5 }).pipe(
        Effect.tap(({ candidates }) =>
          Effect.sync(() => {
            const shown = candidates.map(({ targetAgentId }) => targetAgentId)
            laws.shown(shown, from, this.#platform.machine?.wall ?? 0)
          })
        )
      )
    })
  }

  #end(otherId: string): Effect.Effect<unknown, unknown> {
    const key = conversationKey(this.agentId, otherId)
    this.#platform.laws.wanted.add(`end ${key}`)
    return this.#ask(({ talks }) => talks.end(actor(this.agentId), key))
  }

  /** For a while. */
  #block(otherId: string): Effect.Effect<unknown, unknown> {
    const who = actor(this.agentId)
    this.#platform.laws.wanted.add(`block ${[this.agentId, otherId].toSorted().join(" ")}`)
    return Effect.gen({ self: this }, function* () {
      yield* Effect.ignore(
        this.#ask(({ agents, talks }) =>
          Effect.andThen(
            agents.block(who, this.agentId, otherId),
            talks.stop(this.agentId, { reason: "blocked", otherId })
          )
        )
      )
      yield* Effect.sleep("20 seconds")
      yield* this.#ask(({ agents }) => agents.unblock(who, this.agentId, otherId))
    })
  }

  #something(): Effect.Effect<unknown, unknown> {
    if (this.#platform.isCalm) return this.#decide()
    const chance = this.#chance
    const otherId = this.#others[chance.int(0, this.#others.length - 1)] ?? this.agentId
    const mood = chance.int(0, 19)
    if (mood < 8) return this.#ask(this.request(otherId, chance.flip(0.3)))
    if (mood < 15) return this.#decide()
    if (mood < 18) return this.#look()
    return mood === 18 ? this.#end(otherId) : this.#block(otherId)
  }

  start(): void {
    const program = Effect.gen({ self: this }, function* () {
      for (;;) {
        yield* Effect.sleep(this.#platform.isCalm ? 10_000 : this.#chance.int(1_000, 12_000))
        yield* Effect.ignore(this.#something())
      }
    })
    this.#machine.fork(program).addObserver((exit) => {
      if (exit._tag === "Failure" && this.#machine.alive) {
        this.#stage.laws.report("stop", `the person of ${this.agentId} fell: ${exit.cause}`)
      }
    })
  }

  stop(): void {
    this.#machine.kill()
  }
}
