/** What the tests of the Registrar share: a platform that does as it is told, and waiting on states, never on time. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import * as LoopRegistrar from "../../../../src/layers/channel/LoopRegistrar.ts"
import * as MemoryProfileStore from "../../../../src/layers/channel/MemoryProfileStore.ts"
import {
  ProfileApi,
  ProfileApiError,
  RegistrationFailed,
  RegistrationRefused
} from "../../../../src/services/channel/ProfileApi.ts"
import { type Profile, ProfileStore } from "../../../../src/services/channel/ProfileStore.ts"
import type { Registrar } from "../../../../src/services/channel/Registrar.ts"
import type { RegistrationPhase, RegistrationState } from "../../../../src/services/channel/Registration.ts"
import type { Proposal } from "../../../../src/services/protocol/ProfileFields.ts"

export const proposal = (over: Partial<Proposal> = {}): Proposal => ({
  name: "Ada",
  description: "counts",
  avatar: "",
  scene_tags: ["02001"],
  custom_tags: ["maths"],
  hourly_rate: 9,
  instance_type: 0,
  ...over
})

// -- the platform ------------------------------------------------------------------------------------------------------

export interface Call {
  readonly proposal: Proposal
  readonly attempt: string
  readonly token: string | undefined
}

/**
 * `lose`: an identity is made and its answer is lost. `hang`: nothing is made and nothing comes. `gate`: answers once
 * the test opens it.
 */
export type Mood = "answer" | "lose" | "hang" | "gate" | ProfileApiError

export class Platform extends Context.Service<
  Platform,
  {
    mood: Mood
    readonly calls: Array<Call>
    /** By attempt. */
    readonly identities: Map<string, Profile>
    readonly gate: Deferred.Deferred<void>
    /** Fails until the next call has come. */
    readonly called: Effect.Effect<void>
  }
>()("tests/registrar/Platform") {}

export const failed = new ProfileApiError({ reason: new RegistrationFailed({ detail: "nobody answers" }) })
export const refused = (over: Partial<RegistrationRefused> = {}) =>
  new ProfileApiError({
    reason: new RegistrationRefused({
      status: 400,
      detail: "name taken",
      fields: [{ field: "name", message: "It is taken." }],
      token: false,
      ...over
    })
  })

const platform = Layer.effectContext(
  Effect.gen(function* () {
    const calls = yield* SubscriptionRef.make(0)
    const world: Platform["Service"] = {
      mood: "answer",
      calls: [],
      identities: new Map(),
      gate: yield* Deferred.make<void>(),
      called: Effect.suspend(() => {
        const before = SubscriptionRef.getUnsafe(calls)
        return SubscriptionRef.changes(calls).pipe(
          Stream.filter((count) => count > before),
          Stream.runHead,
          Effect.asVoid
        )
      })
    }
    const make = (wanted: Proposal, attempt: string): Profile => {
      const known = world.identities.get(attempt)
      if (known !== undefined) return known
      const number = world.identities.size + 1
      const profile: Profile = {
        ...wanted,
        app_key: `key-${number}`,
        app_secret: Redacted.make(`secret-${number}`),
        claw_id: `claw-${number}`,
        origin: "https://claw.example",
        extra: {}
      }
      world.identities.set(attempt, profile)
      return profile
    }
    const api = ProfileApi.of({
      create: ({ attempt, proposal, token }) =>
        Effect.gen(function* () {
          world.calls.push({ proposal, attempt, token: Option.getOrUndefined(Option.map(token, Redacted.value)) })
          yield* SubscriptionRef.update(calls, (count) => count + 1)
          const { mood } = world
          if (mood === "hang") return yield* Effect.never
          if (mood === "gate") yield* Deferred.await(world.gate)
          if (typeof mood !== "string") return yield* mood
          const profile = make(proposal, attempt)
          return mood === "lose" ? yield* failed : profile
        })
    })
    return Context.make(Platform, world).pipe(Context.add(ProfileApi, api))
  })
)

// -- the world ---------------------------------------------------------------------------------------------------------

const fileStore = Layer.unwrap(
  Effect.map(
    Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()),
    (folder) => FileProfileStore.layer({ root: `${folder}/.insta` })
  )
).pipe(Layer.provide(NodeFileSystem.layer), Layer.orDie)

export const stores = [
  { name: "memory", store: MemoryProfileStore.layer() },
  { name: "file", store: fileStore }
] as const

/** Tests say what went wrong; the log would only repeat it. */
const quiet = Layer.succeed(References.MinimumLogLevel, "None")

/** A disk and a platform; registrars are made in it, as many as there are processes. */
export const world = (store: Layer.Layer<ProfileStore>) =>
  Layer.mergeAll(Layer.fresh(store), Layer.fresh(platform), SecureRandom.layerWebCrypto, quiet)

export const registrar = (options: LoopRegistrar.Options = {}) => LoopRegistrar.make(options)

type Service = Registrar["Service"]

export const awaitState = (service: Service, fits: (state: RegistrationState) => boolean) =>
  SubscriptionRef.changes(service.state).pipe(Stream.filter(fits), Stream.runHead, Effect.map(Option.getOrThrow))

export const awaitPhase = <Phase extends RegistrationPhase>(service: Service, phase: Phase) =>
  Effect.map(
    awaitState(service, (state) => state._tag === phase),
    (state) => state as Extract<RegistrationState, { readonly _tag: Phase }>
  )

export const awaitSetback = (service: Service) =>
  awaitState(service, (state) => "setback" in state && state.setback !== undefined)

/** Lets everything run that can run without time passing. */
export const settle = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, { discard: true })

/** Turns of the real event loop, for what disks and files take, with a step of the test's time at each. */
export const turnsUntil = (holds: () => boolean, step: Effect.Effect<void> = Effect.void): Effect.Effect<void> =>
  Effect.suspend(() =>
    holds()
      ? Effect.void
      : step.pipe(
          Effect.andThen(Effect.promise(() => new Promise(setImmediate))),
          Effect.andThen(turnsUntil(holds, step))
        )
  )
