import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import * as MemoryProfileStore from "../../../../src/layers/channel/MemoryProfileStore.ts"
import { type Pending, ProfileStore } from "../../../../src/services/channel/ProfileStore.ts"
import { plain, profile } from "./profiles.ts"

const inTemporaryFolder = Layer.unwrap(
  Effect.map(
    Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()),
    (folder) => FileProfileStore.layer({ root: `${folder}/.insta` })
  )
).pipe(Layer.provide(NodeFileSystem.layer))

const layers = [
  { name: "file", layer: inTemporaryFolder },
  { name: "memory", layer: MemoryProfileStore.layer() }
]

type Store = ProfileStore["Service"]

const waiting: Pending = {
  proposalId: "p1",
  proposal: {
    name: "Ada",
    description: "counts",
    avatar: "",
    scene_tags: ["02001"],
    custom_tags: ["maths"],
    hourly_rate: 1.5,
    instance_type: 0
  },
  proposedAt: 17,
  attempt: undefined,
  confirmed: false
}

for (const { name, layer } of layers) {
  describe(`ProfileStore, ${name}`, () => {
    it.live("knows nothing at first, and removing nothing is no error", () =>
      Effect.gen(function* () {
        const store = yield* ProfileStore
        assert.isTrue(Option.isNone(yield* store.load))
        assert.isTrue(Option.isNone(yield* store.activationToken))
        yield* store.remove
        yield* store.clearActivationToken
      }).pipe(Effect.provide(layer))
    )

    it.live("gives back what was saved, and the last one counts", () =>
      Effect.gen(function* () {
        const store = yield* ProfileStore
        const second = profile({
          app_secret: Redacted.make("new"),
          extra: { plan: { seats: 3 } },
          instance_type: "bot"
        })
        yield* store.save(profile())
        assert.deepStrictEqual(plain(Option.getOrThrow(yield* store.load)), plain(profile()))
        yield* store.save(second)
        assert.deepStrictEqual(plain(Option.getOrThrow(yield* store.load)), plain(second))
      }).pipe(Effect.provide(layer))
    )

    it.live("forgets what was removed", () =>
      Effect.gen(function* () {
        const store = yield* ProfileStore
        yield* store.save(profile())
        yield* store.remove
        assert.isTrue(Option.isNone(yield* store.load))
      }).pipe(Effect.provide(layer))
    )

    it.live("keeps a token and what is proposed, and drops them", () =>
      Effect.gen(function* () {
        const store = yield* ProfileStore
        yield* store.saveActivationToken(Redacted.make("act-token"))
        assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.activationToken)), "act-token")
        for (const pending of [waiting, { ...waiting, attempt: "attempt-1", confirmed: true }]) {
          yield* store.savePending(pending)
          assert.deepStrictEqual(Option.getOrThrow(yield* store.pending), pending)
        }
        yield* store.clearPending
        yield* store.clearActivationToken
        yield* store.clearPending
        assert.isTrue(Option.isNone(yield* store.pending))
        assert.isTrue(Option.isNone(yield* store.activationToken))
      }).pipe(Effect.provide(layer))
    )

    it.live("lets one at a time do what is exclusive, and the next one when it is through", () =>
      Effect.gen(function* () {
        const store = yield* ProfileStore
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { check } = yield* store.exclusive("registration")
            yield* store.exclusive("proposing")
            yield* check
            const error = yield* Effect.flip(store.exclusive("registration"))
            assert.strictEqual(error.reason._tag, "Locked")
            assert.isTrue(error.transient)
          })
        )
        yield* Effect.scoped(store.exclusive("registration"))
      }).pipe(Effect.provide(layer))
    )

    for (const [what, change] of [
      ["a proposal", (store: Store) => store.savePending(waiting)],
      ["a token", (store: Store) => store.saveActivationToken(Redacted.make("t"))],
      ["a profile", (store: Store) => store.save(profile())],
      ["a profile that goes", (store: Store) => Effect.andThen(store.save(profile()), store.remove)]
    ] as const) {
      it.live(`tells of ${what}`, () =>
        Effect.gen(function* () {
          const store = yield* ProfileStore
          const told = yield* Queue.unbounded<void>()
          const ready = yield* Deferred.make<void>()
          const watch = store.watch("all", { onReady: () => void Deferred.doneUnsafe(ready, Effect.void) })
          yield* Effect.forkScoped(Stream.runForEach(watch, () => Queue.offer(told, undefined)))
          yield* Deferred.await(ready)
          yield* change(store)
          yield* Queue.take(told)
        }).pipe(Effect.scoped, Effect.provide(layer), Effect.timeout("10 seconds"))
      )
    }

    it.live("two writers at once leave one of the two", () =>
      Effect.gen(function* () {
        const store = yield* ProfileStore
        const names = ["a", "b", "c", "d"]
        yield* Effect.forEach(names, (name) => store.save(profile({ name })), { concurrency: "unbounded" })
        assert.include(names, Option.getOrThrow(yield* store.load).name)
      }).pipe(Effect.provide(layer))
    )
  })
}

const Saved = Schema.Struct({
  app_key: Schema.NonEmptyString,
  app_secret: Schema.NonEmptyString,
  claw_id: Schema.NonEmptyString,
  name: Schema.String,
  description: Schema.String,
  hourly_rate: Schema.Finite.check(Schema.isGreaterThan(0)),
  scene_tags: Schema.Array(Schema.String),
  custom_tags: Schema.Array(Schema.String),
  // JSON has no -0.
  instance_type: Schema.Union([Schema.Finite.check(Schema.makeFilter((value) => !Object.is(value, -0))), Schema.String])
})

it.live.prop(
  "whatever a profile holds, the file gives it back",
  [Saved],
  ([value]) =>
    Effect.gen(function* () {
      const store = yield* ProfileStore
      const given = profile({ ...value, app_secret: Redacted.make(value.app_secret) })
      yield* store.save(given)
      assert.deepStrictEqual(plain(Option.getOrThrow(yield* store.load)), plain(given))
    }).pipe(Effect.provide(inTemporaryFolder)),
  { arbitrary: { runs: 25 } }
)
