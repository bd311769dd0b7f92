/**
 * One agent gets its identity while its process dies at any operation on its files and the platform's answer is late,
 * lost or no: what was proposed survives, one confirmation makes at most one identity, and who is registered never
 * registers again.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as LoopRegistrar from "../../layers/channel/LoopRegistrar.ts"
import * as ProfileCodec from "../../layers/channel/ProfileCodec.ts"
import type { Chance } from "../../layers/simulation/Chance.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import { SimFiles } from "../../layers/simulation/Files.ts"
import {
  ProfileApi,
  ProfileApiError,
  RegistrationFailed,
  RegistrationRefused
} from "../../services/channel/ProfileApi.ts"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Registrar } from "../../services/channel/Registrar.ts"
import type { RegistrationState } from "../../services/channel/Registration.ts"
import type { Proposal } from "../../services/protocol/ProfileFields.ts"
import type { Stage } from "./Stage.ts"

const root = "/agent/.insta"
const profilePath = `${root}/config/profile.json`
const pendingPath = `${root}/pending.json`
const mostDeaths = 3

const proposal = (name: string): Proposal => ({
  name,
  description: "",
  avatar: "",
  scene_tags: [],
  custom_tags: [],
  hourly_rate: 0,
  instance_type: 0
})

/** Knows an attempt again, as ours does. What it answers, and when, is chance until it is calm. */
class Platform {
  readonly identities = new Map<string, Profile>()
  calls = 0
  isCalm = false
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  #identity(attempt: string, wanted: Proposal): Profile {
    const known = this.identities.get(attempt)
    if (known !== undefined) return known
    const number = this.identities.size + 1
    const made: Profile = {
      ...wanted,
      app_key: `key-${number}`,
      app_secret: Redacted.make(`secret-${number}`),
      claw_id: `claw-${number}`,
      origin: "https://claw.example",
      extra: {}
    }
    this.identities.set(attempt, made)
    return made
  }

  readonly api = ProfileApi.of({
    create: ({ attempt, proposal: wanted }) =>
      Effect.gen({ self: this }, function* () {
        this.calls++
        const mood = this.isCalm ? "well" : this.#chance.pick(["well", "well", "lost", "no", "away"])
        yield* Effect.sleep(this.isCalm ? 50 : this.#chance.int(1, 4_000))
        if (mood === "no" && !this.identities.has(attempt)) {
          const reason = new RegistrationRefused({ status: 400, detail: "no", fields: [], token: false })
          return yield* new ProfileApiError({ reason })
        }
        if (mood === "well" || mood === "lost") {
          const made = this.#identity(attempt, wanted)
          // Late is as good as lost to one who dies meanwhile.
          yield* Effect.sleep(this.isCalm ? 50 : this.#chance.int(1, 4_000))
          if (mood === "well") return made
        }
        return yield* new ProfileApiError({ reason: new RegistrationFailed({ detail: "nobody answers" }) })
      })
  })
}

type Service = Registrar["Service"]

class Story {
  readonly #stage: Stage
  readonly #chance: Chance
  readonly #files = new SimFiles()
  readonly #platform: Platform
  #life = 0
  /** Proposals that the person wanted gone: whether they are, a death on the way leaves open. */
  readonly #cancelled = new Set<string>()
  /** What the person saw last. */
  #seen: RegistrationState | undefined
  #registered: string | undefined

  constructor(stage: Stage) {
    this.#stage = stage
    this.#chance = stage.chance("registrar")
    this.#platform = new Platform(this.#chance)
  }

  /** A process, until it is killed. */
  #start(): { readonly machine: Machine; readonly service: () => Service | undefined } {
    const life = ++this.#life
    const machine = this.#stage.engine.machine(`registrar/${life}`)
    let service: Service | undefined
    const propose = Effect.delay(
      Effect.sync(() => proposal(`agent ${life}`)),
      this.#chance.int(1, 3_000)
    )
    const program = Effect.gen({ self: this }, function* () {
      const store = yield* FileProfileStore.make({ root, lockWait: 0 })
      service = yield* LoopRegistrar.make({ propose, cooldown: 20_000 }).pipe(
        Effect.provideService(ProfileStore, store),
        Effect.provideService(ProfileApi, this.#platform.api)
      )
      return yield* Effect.never
    })
    const { service: fs } = this.#files
    machine.fork(Effect.scoped(program).pipe(Effect.provideService(FileSystem.FileSystem, fs))).addObserver((exit) => {
      if (exit._tag === "Failure") this.#stage.laws.report("stop", `the registrar died: ${Cause.pretty(exit.cause)}`)
    })
    return { machine, service: () => service }
  }

  /** What a person does who looks at the page now and then. */
  #person(machine: Machine, service: Service): void {
    const state = SubscriptionRef.getUnsafe(service.state)
    this.#saw(state)
    if (state._tag === "registered") this.#registered = state.clawId
    if (state._tag !== "pending" || this.#files.left < 0) return
    const { proposalId } = state
    const what = this.#platform.isCalm
      ? "confirm"
      : this.#chance.pick(["wait", "confirm", "confirm", "confirm", "cancel"])
    if (what === "wait") return
    if (what === "cancel") this.#cancelled.add(proposalId)
    machine.fork(Effect.ignore(what === "cancel" ? service.cancel({ proposalId }) : service.submit({ proposalId })))
  }

  #saw(state: RegistrationState): void {
    if (this.#seen?._tag !== state._tag) this.#stage.trace("registrar", state._tag)
    this.#seen = state
  }

  /** After a crash: nothing is half written, and what was shown is still there. */
  #inspect(): void {
    const { laws } = this.#stage
    const profile = this.#files.read(profilePath)
    const pending = this.#files.read(pendingPath)
    const decoded = profile === undefined ? undefined : ProfileCodec.decode(profile)
    laws.check(
      "whole-file",
      decoded === undefined || Result.isSuccess(decoded),
      () => `profile.json is cut: ${profile}`
    )
    laws.check(
      "whole-file",
      profile === undefined || this.#files.mode(profilePath) === 0o600,
      () => "profile.json is open"
    )
    const waiting = pending === undefined ? undefined : ProfileCodec.decodePending(pending)
    laws.check(
      "whole-file",
      waiting === undefined || Result.isSuccess(waiting),
      () => `pending.json is cut: ${pending}`
    )
    const there = decoded !== undefined && Result.isSuccess(decoded) ? decoded.success.claw_id : undefined
    laws.check(
      "whole-file",
      this.#registered === undefined || there === this.#registered,
      () => `${this.#registered} was registered, and now the profile is ${there ?? "gone"}`
    )
    const shown = this.#seen
    if (shown?._tag !== "pending" || this.#cancelled.has(shown.proposalId)) return
    const kept = waiting !== undefined && Result.isSuccess(waiting) ? waiting.success.proposalId : undefined
    laws.check("whole-file", kept === shown.proposalId, () => `a proposal was shown, and after the crash it is gone`)
  }

  async #live(millis: number, done: () => boolean): Promise<void> {
    const { engine } = this.#stage
    const { machine, service } = this.#start()
    const calls = this.#platform.calls
    const was = this.#registered
    const end = engine.now + millis
    while (engine.now < end && !done()) {
      await engine.run(engine.now + 2_000)
      const running = service()
      if (running !== undefined) this.#person(machine, running)
      if (this.#files.left < 0) break
    }
    machine.kill()
    this.#stage.laws.check(
      "once",
      was === undefined || this.#platform.calls === calls,
      () => `${was} is registered, and the platform was asked again`
    )
  }

  async run(): Promise<void> {
    const { laws, plan } = this.#stage
    const deaths = this.#chance.int(1, mostDeaths)
    for (let death = 0; death < deaths && this.#registered === undefined; death++) {
      this.#files.left = this.#chance.int(10, 160)
      await this.#live(40_000, () => this.#registered !== undefined)
      this.#stage.trace("registrar", this.#files.left < 0 ? "dies at a file" : "dies")
      if (plan.profile.death === "power") this.#files.powerCut()
      else this.#files.crash()
      this.#files.forget(".lock")
      this.#inspect()
    }
    this.#files.left = Number.POSITIVE_INFINITY
    this.#platform.isCalm = true
    await this.#live(120_000, () => this.#registered !== undefined)
    laws.check("drain", this.#registered !== undefined, () => `the registration hangs in ${this.#seen?._tag}`)
    // One more life, with nothing to do.
    await this.#live(12_000, () => false)
    this.#files.forget(".lock")
    this.#inspect()
    const { identities } = this.#platform
    laws.check(
      "once",
      identities.size <= 1 + this.#cancelled.size,
      () => `${identities.size} identities were made, and ${this.#cancelled.size} proposals cancelled`
    )
    const known = [...identities.values()].some(({ claw_id }) => claw_id === this.#registered)
    laws.check("once", known, () => `the platform does not know ${this.#registered}`)
    laws.check("drain", this.#files.read(pendingPath) === undefined, () => "what was registered still waits")
  }
}

/** Takes a few virtual minutes, most of them empty. */
export const run = (stage: Stage): Promise<void> => new Story(stage).run()
