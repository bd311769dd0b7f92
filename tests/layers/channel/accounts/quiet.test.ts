/** A registrar that is quiet while nothing moves, over real files, says what a whole one would say. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import * as LoopRegistrar from "../../../../src/layers/channel/LoopRegistrar.ts"
import * as MemoryProfileApi from "../../../../src/layers/channel/MemoryProfileApi.ts"
import * as QuietRegistrar from "../../../../src/layers/channel/QuietRegistrar.ts"
import * as Rounds from "../../../../src/layers/files/Rounds.ts"
import { Registrar } from "../../../../src/services/channel/Registrar.ts"
import { until } from "./harness.ts"

const text = (key: string, description = "") =>
  JSON.stringify({ app_key: key, app_secret: "hush", claw_id: "c-1", name: "Ada", description })

interface World {
  readonly registrar: Registrar["Service"]
  /** How often a whole one was made. */
  readonly made: () => number
  readonly file: string
  readonly put: (content: string) => void
}

const within = (test: (world: World) => Effect.Effect<unknown, unknown>, initial: string | null = text("k-1")) =>
  Effect.gen(function* () {
    const root = join(mkdtempSync(join(tmpdir(), "clawfiber-quiet-")), ".insta")
    const file = join(root, "config/profile.json")
    mkdirSync(join(root, "config"), { recursive: true, mode: 0o700 })
    const put = (content: string) => {
      writeFileSync(join(root, "new"), content, { mode: 0o600 })
      renameSync(join(root, "new"), file)
    }
    if (initial !== null) put(initial)
    let made = 0
    const layer = Layer.unwrap(
      Effect.map(Rounds.make("1 hour"), (rounds) =>
        QuietRegistrar.layer({
          root,
          rounds,
          quietAfter: "20 millis",
          store: (root) => FileProfileStore.layer({ root }),
          whole: () => {
            made++
            return LoopRegistrar.layer({ interval: "1 hour" })
          }
        })
      )
    ).pipe(
      Layer.provide([
        MemoryProfileApi.layer({ origin: "https://claw.example" }),
        SecureRandom.layerWebCrypto,
        NodeFileSystem.layer
      ])
    )
    yield* Effect.flatMap(Registrar, (registrar) => test({ registrar, made: () => made, file, put })).pipe(
      Effect.provide(layer),
      Effect.ensuring(Effect.sync(() => rmSync(join(root, ".."), { recursive: true, force: true })))
    )
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"), Effect.timeout("20 seconds"))

const keyOf = (registrar: Registrar["Service"], key: string | undefined) =>
  registrar.profile.pipe(
    Stream.filter((profile) => Option.getOrUndefined(profile)?.app_key === key),
    Stream.runHead
  )

describe("a quiet registrar", () => {
  it.live("makes nothing while the identity is there and nothing moves", () =>
    within(({ made, registrar }) =>
      Effect.gen(function* () {
        yield* keyOf(registrar, "k-1")
        yield* until(registrar.state, (state) => state._tag === "registered" && state.clawId === "c-1")
        assert.strictEqual(made(), 0)
      })
    )
  )

  it.live("says at once what another file says, each time, and goes back to being quiet", () =>
    within(({ made, put, registrar }) =>
      Effect.gen(function* () {
        yield* keyOf(registrar, "k-1")
        put(text("k-2"))
        yield* keyOf(registrar, "k-2")
        assert.strictEqual(made(), 1)
        // Long past its rest: only a new one can tell of the next change.
        yield* Effect.sleep("200 millis")
        put(text("k-3"))
        yield* keyOf(registrar, "k-3")
        assert.strictEqual(made(), 2)
      })
    )
  )

  it.live("says that the file is gone, and that there is one again", () =>
    within(({ file, put, registrar }) =>
      Effect.gen(function* () {
        yield* keyOf(registrar, "k-1")
        rmSync(file)
        yield* keyOf(registrar, undefined)
        yield* until(registrar.state, (state) => state._tag === "absent")
        put(text("k-4"))
        yield* keyOf(registrar, "k-4")
      })
    )
  )

  it.live("keeps what is on the line while the file is spoiled, says so, and takes the mended one", () =>
    within(({ put, registrar }) =>
      Effect.gen(function* () {
        yield* keyOf(registrar, "k-1")
        put("{ cut")
        const state = yield* until(
          registrar.state,
          (state) => state._tag === "registered" && state.setback?.about === "profile"
        )
        assert.strictEqual(state._tag, "registered")
        const now = yield* Stream.runHead(registrar.profile)
        assert.isTrue(Option.isSome(Option.flatten(now)))
        put(text("k-5"))
        yield* keyOf(registrar, "k-5")
        yield* until(registrar.state, (state) => state._tag === "registered" && state.setback === undefined)
      })
    )
  )

  it.live("registers like a whole one where there is no identity yet", () =>
    within(
      ({ file, registrar }) =>
        Effect.gen(function* () {
          const profile = yield* registrar.submit({ proposal: { name: "Bob" } })
          yield* until(registrar.state, (state) => state._tag === "registered" && state.clawId === profile.claw_id)
          yield* keyOf(registrar, profile.app_key)
          assert.isTrue(existsSync(file))
          assert.include(readFileSync(file, "utf8"), "Bob")
          const again = yield* Effect.flip(registrar.submit({ proposal: { name: "Eve" } }))
          assert.strictEqual(again.reason._tag, "AlreadyRegistered")
        }),
      null
    )
  )
})
