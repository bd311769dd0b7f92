/** The methods of an operator, over accounts in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as MemoryRegistrar from "../../../../src/layers/channel/MemoryRegistrar.ts"
import * as Methods from "../../../../src/layers/channel/Methods.ts"
import { type Account, Accounts, type Line } from "../../../../src/services/channel/Accounts.ts"
import { Connection, type ConnectionState } from "../../../../src/services/channel/Connection.ts"
import { MethodError, methods, type MethodName } from "../../../../src/services/channel/Control.ts"
import { Dispatcher } from "../../../../src/services/channel/Dispatcher.ts"
import { Registrar } from "../../../../src/services/channel/Registrar.ts"
import { profile } from "../profile/profiles.ts"
import { awaitPhase, proposal } from "./harness.ts"

const idle: ConnectionState = {
  phase: "blocked",
  attempt: 1,
  generation: 1,
  connectedAt: undefined,
  lastPongAt: undefined,
  lastFailure: undefined,
  retryAt: undefined,
  outboxBytes: 0
}

const never = Effect.die(new Error("not asked for here"))

const lineOf = Effect.fnUntraced(function* (phase: ConnectionState["phase"], heard: Array<string>) {
  const line: Line = {
    profile: profile(),
    url: new URL("wss://claw.example/ws/chat"),
    connection: Connection.of({
      state: yield* SubscriptionRef.make<ConnectionState>({ ...idle, phase }),
      inbound: Stream.never,
      send: () => never,
      renew: Effect.sync(() => void heard.push("renew")),
      unblock: never
    }),
    dispatcher: Dispatcher.of({
      handle: () => never,
      cancel: ({ responseId }) => Effect.sync(() => heard.push(`cancel ${responseId}`) > 0 && responseId === "r1"),
      inFlight: never,
      recent: never,
      stats: never,
      recover: never,
      drain: never
    })
  }
  return line
})

const world = Effect.fnUntraced(function* (
  ids: ReadonlyArray<string>,
  phase: ConnectionState["phase"] | undefined = undefined,
  options: MemoryRegistrar.Options = { propose: Effect.succeed(proposal()) }
) {
  const heard: Array<string> = []
  const accounts: Array<Account> = []
  for (const id of ids) {
    const layer = Layer.fresh(MemoryRegistrar.layer(options)).pipe(Layer.provide(SecureRandom.layerWebCrypto))
    const registrar = yield* Effect.map(Layer.build(layer), (context) =>
      Registrar.of(context.mapUnsafe.get(Registrar.key))
    )
    const line = phase === undefined ? Option.none<Line>() : Option.some(yield* lineOf(phase, heard))
    accounts.push({
      id,
      registrar,
      line: yield* SubscriptionRef.make(line),
      fault: yield* SubscriptionRef.make<string | undefined>(undefined),
      agent: { description: "offline agent", model: "offline" },
      retry: Effect.andThen(
        Effect.sync(() => void heard.push("retry")),
        registrar.look
      )
    })
  }
  const service = Accounts.of({
    all: yield* SubscriptionRef.make<ReadonlyArray<Account>>(accounts),
    get: (id) => Effect.succeed(Option.fromUndefinedOr(accounts.find((account) => account.id === id)))
  })
  const { call } = Methods.make(service)
  /** As it arrives at the other end: fits the definition and is plain JSON. */
  const ask = Effect.fnUntraced(function* <Name extends MethodName>(name: Name, params: unknown = {}) {
    const value = yield* call(name, params)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(value)), value)
    return yield* Schema.decodeUnknownEffect(
      methods[name].result as Schema.Codec<(typeof methods)[Name]["result"]["Type"], unknown>
    )(value)
  })
  return { accounts, ask, call, heard }
})

describe("methods", () => {
  it.effect("a registration is read, confirmed with another name, and then there", () =>
    Effect.gen(function* () {
      const { accounts, ask, call } = yield* world(["default"])
      yield* awaitPhase(accounts[0]!.registrar, "pending")
      const before = yield* ask("instaclaw.registration.get")
      assert.deepInclude(before, { account_id: "default", phase: "pending", claw_id: null })
      assert.strictEqual(before.proposal?.name, "Ada")
      const after = yield* ask("instaclaw.registration.submit", {
        proposal_id: before.proposal_id,
        proposal: proposal({ name: "Grace" })
      })
      assert.deepInclude(after, { phase: "registered", claw_id: "claw-1" })
      assert.notInclude(JSON.stringify(after), "secret-1")
      const again = yield* Effect.flip(call("instaclaw.registration.submit", {}))
      assert.strictEqual(again.code, "conflict")
    })
  )

  it.effect("faults come at their fields, and nothing is changed", () =>
    Effect.gen(function* () {
      const { accounts, ask, call } = yield* world(["default"])
      yield* awaitPhase(accounts[0]!.registrar, "pending")
      const error = yield* Effect.flip(
        call("instaclaw.registration.submit", { proposal: { name: "", hourly_rate: -1, scene_tags: "x" } })
      )
      assert.strictEqual(error.code, "invalid_params")
      assert.sameMembers(
        error.fields.map(({ field }) => field),
        ["name", "hourly_rate", "scene_tags"]
      )
      assert.strictEqual((yield* ask("instaclaw.registration.get")).phase, "pending")
    })
  )

  it.effect("cancelled: cools down, and a confirmation that comes late is refused in words", () =>
    Effect.gen(function* () {
      const { accounts, ask, call } = yield* world(["default"])
      const { proposalId: proposal_id } = yield* awaitPhase(accounts[0]!.registrar, "pending")
      const view = yield* ask("instaclaw.registration.cancel", { proposal_id })
      assert.strictEqual(view.phase, "coolingDown")
      assert.strictEqual(view.until, 60_000)
      const late = yield* Effect.flip(call("instaclaw.registration.submit", { proposal_id }))
      assert.strictEqual(late.code, "not_found")
      assert.match(late.message, /cancelled/)
    })
  )

  for (const [phase, words] of [
    ["blocked", ["retry"]],
    ["connected", ["retry"]],
    ["reconnecting", ["retry", "renew"]]
  ] as const) {
    it.effect(`retry of a connection that is ${phase}: ${words.join(", ")}`, () =>
      Effect.gen(function* () {
        const { ask, heard } = yield* world(["default"], phase)
        assert.deepStrictEqual(yield* ask("instaclaw.connection.retry"), {})
        assert.deepStrictEqual(heard, [...words])
      })
    )
  }

  it.effect("retry without a line looks for credentials at once", () =>
    Effect.gen(function* () {
      const { accounts, ask } = yield* world(["default"])
      const { registrar } = accounts[0]!
      yield* awaitPhase(registrar, "pending")
      yield* registrar.cancel({})
      yield* ask("instaclaw.connection.retry")
      yield* awaitPhase(registrar, "pending")
    })
  )

  it.effect("stop ends one reply, and says whether there was one", () =>
    Effect.gen(function* () {
      const { ask, heard } = yield* world(["default"], "connected")
      assert.deepStrictEqual(yield* ask("instaclaw.reply.stop", { response_id: "r1" }), { stopped: true })
      assert.deepStrictEqual(yield* ask("instaclaw.reply.stop", { response_id: "r2" }), { stopped: false })
      assert.deepStrictEqual(heard, ["cancel r1", "cancel r2"])
      const offline = yield* world(["default"])
      assert.deepStrictEqual(yield* offline.ask("instaclaw.reply.stop", { response_id: "r1" }), { stopped: false })
    })
  )

  it.effect("of several accounts one is named; absent, it is the only one or default", () =>
    Effect.gen(function* () {
      const one = yield* world(["alpha"])
      assert.strictEqual((yield* one.ask("instaclaw.registration.get")).account_id, "alpha")
      const several = yield* world(["alpha", "beta"])
      assert.strictEqual((yield* several.ask("instaclaw.registration.get", { account_id: "beta" })).account_id, "beta")
      for (const params of [{}, { account_id: "gamma" }]) {
        const error = yield* Effect.flip(several.call("instaclaw.registration.get", params))
        assert.strictEqual(error.code, "unknown_account")
        assert.match(error.message, /alpha, beta/)
      }
    })
  )

  for (const [name, params, code] of [
    ["instaclaw.nothing", {}, "unknown_method"],
    ["constructor", {}, "unknown_method"],
    ["instaclaw.reply.stop", {}, "invalid_params"],
    ["instaclaw.reply.stop", { response_id: 7 }, "invalid_params"],
    ["instaclaw.registration.get", [], "invalid_params"],
    ["instaclaw.registration.get", "text", "invalid_params"],
    ["instaclaw.registration.cancel", { proposal_id: { secret: "sk-1" } }, "invalid_params"]
  ] as const) {
    it.effect(`${name} ${JSON.stringify(params)}: ${code}, in a sentence that repeats nothing`, () =>
      Effect.gen(function* () {
        const { call } = yield* world(["default"])
        const error = yield* Effect.flip(call(name, params))
        assert.instanceOf(error, MethodError)
        assert.strictEqual(error.code, code)
        assert.match(error.message, /^\w[\w .:,]+\.$/)
        assert.notInclude(error.message, "sk-1")
      })
    )
  }
})
