/** A Registrar over a real folder: what people and other programs do to it, and how soon it is seen. */
import { spawn } from "node:child_process"
import { hostname } from "node:os"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import * as LoopRegistrar from "../../../../src/layers/channel/LoopRegistrar.ts"
import * as MemoryProfileApi from "../../../../src/layers/channel/MemoryProfileApi.ts"
import * as ProfileCodec from "../../../../src/layers/channel/ProfileCodec.ts"
import { ProfileStore } from "../../../../src/services/channel/ProfileStore.ts"
import { setbackOf } from "../../../../src/services/channel/Registration.ts"
import { profile } from "../profile/profiles.ts"
import { awaitPhase, awaitSetback, awaitState, proposal } from "./harness.ts"

const setup = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const root = `${yield* fs.makeTempDirectoryScoped()}/.insta`
  const file = `${root}/config/profile.json`
  const pending = `${root}/pending.json`
  const logged: Array<string> = []
  const store = yield* FileProfileStore.make({ root, lockWait: "100 millis" })
  /** The look is an hour away: whatever is seen was seen by an event. */
  const agent = (options: LoopRegistrar.Options = {}, over = store) =>
    LoopRegistrar.make({ interval: "1 hour", watchAgain: "50 millis", ...options }).pipe(
      Effect.provideService(ProfileStore, over),
      Effect.provide([MemoryProfileApi.layer({ origin: "https://claw.example" }), SecureRandom.layerWebCrypto])
    )
  const write = (path: string, text: string) =>
    Effect.andThen(
      fs.makeDirectory(`${root}/config`, { recursive: true, mode: 0o700 }),
      fs.writeFileString(path, text, { mode: 0o600 })
    )
  return { agent, file, fs, logged, pending, root, store, write }
})

type World = Effect.Success<typeof setup>

const live = (name: string, body: (world: World) => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.live(name, () =>
    Effect.flatMap(setup, (world) =>
      Effect.provide(body(world), Logger.layer([Logger.make(({ message }) => void world.logged.push(String(message)))]))
    ).pipe(Effect.provide(NodeFileSystem.layer), Effect.timeout("20 seconds"))
  )

const text = (over: Parameters<typeof profile>[0] = {}) => ProfileCodec.encode(profile(over))

describe("one file event", () => {
  live(
    "a profile that a person puts there, changes in place, replaces and removes is seen at once",
    ({ agent, file, fs, write }) =>
      Effect.gen(function* () {
        const registrar = yield* agent()
        const keys = yield* registrar.profile.pipe(
          Stream.map((now) => Option.getOrUndefined(now)?.app_key),
          Stream.toPull
        )
        const next = Effect.map(keys, (chunk) => [...chunk])
        assert.deepStrictEqual(yield* next, [undefined])
        yield* write(file, text({ app_key: "one" }))
        assert.deepStrictEqual(yield* next, ["one"])
        yield* fs.writeFileString(file, text({ app_key: "two" }))
        assert.deepStrictEqual(yield* next, ["two"])
        yield* fs.writeFileString(`${file}.mine`, text({ app_key: "three" }), { mode: 0o600 })
        yield* fs.rename(`${file}.mine`, file)
        assert.deepStrictEqual(yield* next, ["three"])
        yield* fs.remove(file)
        assert.deepStrictEqual(yield* next, [undefined])
      })
  )

  live("also after the whole folder was taken away and came back", ({ agent, file, fs, root, write }) =>
    Effect.gen(function* () {
      yield* write(file, text())
      const registrar = yield* agent()
      yield* awaitPhase(registrar, "registered")
      yield* fs.remove(root, { recursive: true })
      yield* awaitPhase(registrar, "absent")
      yield* write(file, text({ claw_id: "another" }))
      yield* awaitState(registrar, (state) => state._tag === "registered" && state.clawId === "another")
    })
  )

  live("a profile is seen within a tenth of a second, where the look comes in an hour", ({ agent, file, write }) =>
    Effect.gen(function* () {
      const registrar = yield* agent()
      // The watch is there once a first change was seen.
      yield* write(file, text({ claw_id: "claw-0" }))
      yield* awaitPhase(registrar, "registered")
      const took: Array<number> = []
      for (let round = 1; round <= 20; round++) {
        const begun = performance.now()
        yield* write(file, text({ claw_id: `claw-${round}` }))
        yield* awaitState(registrar, (state) => state._tag === "registered" && state.clawId === `claw-${round}`)
        took.push(performance.now() - begun)
      }
      took.sort((one, other) => one - other)
      assert.isBelow(took[10]!, 100, `median of ${took.map(Math.round).join(", ")} ms`)
    })
  )

  live("what another program proposes, confirms and cancels is followed", ({ agent, store }) =>
    Effect.gen(function* () {
      const one = yield* agent()
      const other = yield* agent({ cooldown: "1 hour" })
      const { proposalId } = yield* one.propose(proposal())
      assert.strictEqual((yield* awaitPhase(other, "pending")).proposalId, proposalId)
      yield* one.cancel({ proposalId })
      yield* awaitPhase(other, "coolingDown")
      yield* one.propose(proposal())
      yield* awaitPhase(other, "pending")
      yield* one.submit({})
      yield* awaitPhase(other, "registered")
      assert.isTrue(Option.isNone(yield* store.pending))
    })
  )
})

describe("a folder in disorder", () => {
  for (const [what, content, words] of [
    ["cut", '{"app_key":"hush-hush","app_se', /not whole JSON/],
    ["empty", "", /the file is empty/],
    ["of another shape", '["hush-hush"]', /holds no JSON object/]
  ] as const) {
    live(
      `a profile that is ${what}: nobody registers over it, a person is told, and mending it is enough`,
      ({ agent, file, fs, write }) =>
        Effect.gen(function* () {
          yield* write(file, content)
          const registrar = yield* agent({ propose: Effect.succeed(proposal()) })
          const state = yield* awaitSetback(registrar)
          assert.strictEqual(state._tag, "absent")
          assert.match(setbackOf(state)?.message ?? "", words)
          assert.notInclude(JSON.stringify(state), "hush")
          const error = yield* Effect.flip(registrar.submit({ proposal: proposal() }))
          assert.match(error.message, /Mend it, or move it away/)
          assert.strictEqual(yield* fs.readFileString(file), content)
          yield* fs.writeFileString(file, text())
          yield* awaitPhase(registrar, "registered")
        })
    )
  }

  live(
    "a profile spoiled while the agent is on the line: it stays there, and says what is wrong",
    ({ agent, file, fs, write }) =>
      Effect.gen(function* () {
        yield* write(file, text())
        const registrar = yield* agent()
        yield* fs.writeFileString(file, "{")
        const state = yield* awaitSetback(registrar)
        assert.strictEqual(state._tag, "registered")
        assert.strictEqual(
          (yield* Stream.runHead(registrar.profile)).pipe(Option.flatten, Option.getOrThrow).app_key,
          "key-1"
        )
        yield* fs.writeFileString(file, text())
        yield* awaitState(registrar, (now) => now._tag === "registered" && now.setback === undefined)
      })
  )

  live("a folder in the profile's place: a sentence, and nothing is registered over it", ({ agent, file, fs }) =>
    Effect.gen(function* () {
      yield* fs.makeDirectory(file, { recursive: true, mode: 0o700 })
      const registrar = yield* agent({ propose: Effect.succeed(proposal()) })
      assert.match(setbackOf(yield* awaitSetback(registrar))?.message ?? "", /it is not a file/)
    })
  )

  live(
    "files of another user: not trusted, not written over, and a person is told",
    ({ agent, file, fs, root, write }) =>
      Effect.gen(function* () {
        yield* write(file, text())
        const foreign = yield* FileProfileStore.make({ root, uid: (process.getuid?.() ?? 0) + 1 }).pipe(
          Effect.provideService(FileSystem.FileSystem, fs)
        )
        const registrar = yield* agent({ propose: Effect.succeed(proposal()) }, foreign)
        const state = yield* awaitSetback(registrar)
        assert.strictEqual(state._tag, "absent")
        assert.deepInclude(setbackOf(state), { needsPerson: true })
        assert.match(setbackOf(state)?.message ?? "", /belongs to another user/)
        assert.match((yield* Effect.flip(registrar.submit({ proposal: proposal() }))).message, /another user/)
        assert.strictEqual(yield* fs.readFileString(file), text())
      })
  )

  live("files of loose mode are tightened, and the log says so", ({ agent, file, fs, logged, pending, write }) =>
    Effect.gen(function* () {
      yield* write(file, text())
      yield* write(
        pending,
        ProfileCodec.encodePending({
          proposalId: "p",
          proposal: proposal(),
          proposedAt: 1,
          attempt: undefined,
          confirmed: false
        })
      )
      yield* fs.chmod(file, 0o644)
      yield* awaitPhase(yield* agent(), "registered")
      assert.strictEqual((yield* fs.stat(file)).mode & 0o777, 0o600)
      assert.isTrue(logged.some((line) => line.includes("profile.json was open to other users")))
    })
  )

  for (const [what, content] of [
    ["cut", '{"proposal_id":"p1","propo'],
    [
      "absurd",
      JSON.stringify({ proposal_id: "p1", proposed_at: 1, proposal: { name: "x".repeat(100_000), hourly_rate: "-7" } })
    ],
    ["a number", "7"]
  ] as const) {
    live(
      `a proposal on the disk that is ${what} is dropped with a word, and the agent is asked again`,
      ({ agent, logged, pending, write }) =>
        Effect.gen(function* () {
          yield* write(pending, content)
          const registrar = yield* agent({ propose: Effect.succeed(proposal()) })
          const state = yield* awaitPhase(registrar, "pending")
          assert.notStrictEqual(state.proposalId, "p1")
          assert.isTrue(logged.some((line) => line.includes("What was proposed is lost")))
        })
    )
  }

  live("an activation token that is damaged: told, and what was typed stays", ({ agent, root, store, write }) =>
    Effect.gen(function* () {
      yield* write(`${root}/.activate_session`, '{"session_token":7}')
      const registrar = yield* agent()
      const error = yield* Effect.flip(registrar.submit({ proposal: proposal({ name: "Typed" }) }))
      assert.match(error.message, /\.activate_session cannot be used/)
      const state = yield* awaitPhase(registrar, "pending")
      assert.strictEqual(state.proposal.name, "Typed")
      yield* store.saveActivationToken(Redacted.make("good"))
      yield* registrar.submit({ proposalId: state.proposalId })
      yield* awaitPhase(registrar, "registered")
    })
  )

  live(
    "a lock that a living program holds: Busy, and who; one that a dead one left is taken over",
    ({ agent, root, write }) =>
      Effect.gen(function* () {
        const registrar = yield* agent()
        const child = yield* Effect.acquireRelease(
          Effect.sync(() => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])),
          (running) => Effect.sync(() => running.kill("SIGKILL"))
        )
        const claim = { pid: child.pid, host: hostname(), token: "another", until: 8.64e15 }
        yield* write(`${root}/.registration.lock`, JSON.stringify(claim))
        const error = yield* Effect.flip(registrar.submit({ proposal: proposal() }))
        assert.strictEqual(error.reason._tag, "Busy")
        assert.include(error.message, `process ${child.pid} on`)
        const gone = Effect.callback<void>((resume) => void child.once("close", () => resume(Effect.void)))
        child.kill("SIGKILL")
        yield* gone
        yield* registrar.submit({ proposal: proposal() })
        yield* awaitPhase(registrar, "registered")
      })
  )

  live(
    "a disk that cannot be written: told, nothing is half there, and it works once it can",
    ({ agent, fs, root, write }) =>
      Effect.gen(function* () {
        const registrar = yield* agent()
        // A folder stands where the file is to be: the rename fails.
        yield* write(`${root}/pending.json/inside`, "").pipe(
          Effect.catch(() => fs.makeDirectory(`${root}/pending.json`, { recursive: true })),
          Effect.andThen(fs.writeFileString(`${root}/pending.json/inside`, ""))
        )
        const error = yield* Effect.flip(registrar.propose(proposal()))
        assert.match(error.message, /pending\.json/)
        assert.notStrictEqual((yield* SubscriptionRef.get(registrar.state))._tag, "pending")
        yield* fs.remove(`${root}/pending.json`, { recursive: true })
        yield* registrar.propose(proposal())
        yield* awaitPhase(registrar, "pending")
        const left = (yield* fs.readDirectory(root)).filter((name) => name.endsWith(".tmp"))
        assert.deepStrictEqual(left, [])
      })
  )
})
