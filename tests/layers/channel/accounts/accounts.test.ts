import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as SimAgent from "../../../../src/layers/channel/SimAgent.ts"
import { Accounts, ForeignHost, InUse, LineFault } from "../../../../src/services/channel/Accounts.ts"
import type { Profile } from "../../../../src/services/channel/ProfileStore.ts"
import { encodeRequest } from "../../../../src/services/protocol/PlatformFrame.ts"
import { request } from "../dispatcher/harness.ts"
import { profile } from "../profile/profiles.ts"
import { accountOf, lineOf, make, phase, type Stage, until } from "./harness.ts"

const ada = (over: Partial<Profile> = {}) => profile({ app_key: "key-a", claw_id: "claw-a", ...over })
const bob = (over: Partial<Profile> = {}) => profile({ app_key: "key-b", claw_id: "claw-b", name: "Bob", ...over })

const within = <A, E>(ids: ReadonlyArray<string>, test: (stage: Stage) => Effect.Effect<A, E, Accounts>) =>
  Effect.gen(function* () {
    const { layer, stage } = yield* make
    stage.ids.push(...ids)
    return yield* Effect.provide(test(stage), layer)
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const write = (stage: Stage, id: string, value: Profile | undefined) =>
  SubscriptionRef.set(stage.desk(id).profile, Option.fromUndefinedOr(value))

const ask = (text: string, messageId: string): string => {
  const inbound = request({ messageId, parts: [{ type: "input_text", text }] })
  if (inbound._tag !== "Request") throw new Error("a request is meant")
  return encodeRequest(inbound.request)
}

const settle = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, { discard: true })

describe("an account", () => {
  it.effect("has no line without credentials, and dials at once when they appear", () =>
    within(["default"], (stage) =>
      Effect.gen(function* () {
        const account = yield* accountOf("default")
        yield* settle
        assert.strictEqual(stage.peer.links.length, 0)
        yield* write(stage, "default", ada())
        const link = yield* stage.peer.accept
        assert.strictEqual(link.request.headers["x-app-key"], "key-a")
        yield* phase(account, "connected")
        assert.strictEqual((yield* lineOf(account)).profile.name, "Ada")
      })
    )
  )

  it.effect("connects anew with a changed key, after the old socket was closed in order", () =>
    within(["default"], (stage) =>
      Effect.gen(function* () {
        yield* write(stage, "default", ada())
        const old = yield* stage.peer.accept
        const account = yield* accountOf("default")
        yield* phase(account, "connected")
        yield* write(stage, "default", ada({ app_key: "key-new" }))
        const link = yield* stage.peer.accept
        assert.strictEqual(old.endedByAgent(), 1000)
        assert.strictEqual(link.request.headers["x-app-key"], "key-new")
        yield* phase(account, "connected")
      })
    )
  )

  it.effect("keeps its socket when only its words about itself change, and speaks by the new ones", () =>
    within(["default"], (stage) =>
      Effect.gen(function* () {
        yield* write(stage, "default", ada())
        const link = yield* stage.peer.accept
        const account = yield* accountOf("default")
        yield* phase(account, "connected")
        yield* write(stage, "default", ada({ description: "divides" }))
        yield* until(account.line, (line) => Option.isSome(line) && line.value.profile.description === "divides")
        yield* link.push(ask("hi", "m1"))
        yield* settle
        assert.strictEqual(stage.desk("default").prompt, "divides")
        assert.strictEqual(stage.peer.links.length, 1)
        assert.strictEqual(link.phase(), "open")
      })
    )
  )

  it.effect("is off the line when its file is gone: a reply under way ends in words first", () =>
    within(["default"], (stage) =>
      Effect.gen(function* () {
        stage.script = [SimAgent.say("I begin"), SimAgent.stall]
        yield* write(stage, "default", ada())
        const link = yield* stage.peer.accept
        const account = yield* accountOf("default")
        yield* phase(account, "connected")
        yield* link.push(ask("hi", "m1"))
        yield* settle
        yield* write(stage, "default", undefined)
        yield* settle
        assert.strictEqual(link.phase(), "open", "it has its grace period")
        yield* TestClock.adjust("6 seconds")
        yield* until(account.line, Option.isNone)
        assert.match(link.received.at(-1) ?? "", /INTERRUPTED/)
        assert.strictEqual(link.endedByAgent(), 1000)
      })
    )
  )

  it.effect("with a key of another host has a fault in words and no line, until the file is mended", () =>
    within(["default"], (stage) =>
      Effect.gen(function* () {
        const reason = new ForeignHost({ root: ".insta", issuer: "https://a.example", platform: "https://b.example" })
        stage.faults.open.set("default", new LineFault({ reason }))
        yield* write(stage, "default", ada())
        const account = yield* accountOf("default")
        const fault = yield* until(account.fault, (text) => text !== undefined)
        assert.match(fault ?? "", /was issued by https:\/\/a\.example, and https:\/\/b\.example is another host/)
        assert.isTrue(Option.isNone(yield* SubscriptionRef.get(account.line)))
        stage.faults.open.clear()
        yield* write(stage, "default", ada({ app_key: "key-right" }))
        yield* stage.peer.accept
        yield* phase(account, "connected")
        assert.isUndefined(yield* SubscriptionRef.get(account.fault))
      })
    )
  )

  it.effect("held by another process waits in words and goes on when that one has gone", () =>
    within([], (stage) =>
      Effect.gen(function* () {
        stage.ids.push("second")
        stage.faults.claim.set("second", new LineFault({ reason: new InUse({ owner: "process 8 on here" }) }))
        yield* write(stage, "second", bob())
        yield* TestClock.adjust("10 seconds")
        const second = yield* accountOf("second")
        assert.strictEqual(
          yield* until(second.fault, (text) => text !== undefined),
          "process 8 on here is on the line with this profile already. Stop it first."
        )
        stage.faults.claim.clear()
        yield* TestClock.adjust("10 seconds")
        yield* stage.peer.nextDial
        assert.include(stage.claims, "second")
      })
    )
  )
})

describe("several accounts", () => {
  it.effect("that one is refused does not end the other, and it comes back when it is told to try again", () =>
    within(["a", "b"], (stage) =>
      Effect.gen(function* () {
        yield* write(stage, "a", ada())
        const refused = yield* stage.peer.nextDial
        yield* refused.refuse(401)
        const a = yield* accountOf("a")
        yield* phase(a, "blocked")
        yield* write(stage, "b", bob())
        const link = yield* stage.peer.accept
        const b = yield* accountOf("b")
        yield* phase(b, "connected")
        yield* a.retry
        yield* (yield* lineOf(a)).connection.unblock
        assert.strictEqual(stage.desk("a").looks, 1)
        yield* stage.peer.accept
        yield* phase(a, "connected")
        assert.strictEqual(link.phase(), "open")
      })
    )
  )

  it.effect("with one key do not take the line from each other", () =>
    within(["a", "b"], (stage) =>
      Effect.gen(function* () {
        yield* write(stage, "a", ada())
        yield* stage.peer.accept
        yield* phase(yield* accountOf("a"), "connected")
        yield* write(stage, "b", ada())
        const b = yield* accountOf("b")
        const fault = yield* until(b.fault, (text) => text !== undefined)
        assert.match(fault ?? "", /^The account a has the same key/)
        assert.strictEqual(stage.peer.links.length, 1)
        yield* write(stage, "a", undefined)
        yield* TestClock.adjust("11 seconds")
        yield* stage.peer.accept
        yield* phase(b, "connected")
      })
    )
  )

  it.effect("come and go while the process runs", () =>
    within(["a"], (stage) =>
      Effect.gen(function* () {
        const accounts = yield* Accounts
        yield* write(stage, "a", ada())
        const link = yield* stage.peer.accept
        yield* phase(yield* accountOf("a"), "connected")
        stage.ids.splice(0, 1, "b")
        const fiber = yield* Effect.forkChild(until(accounts.all, (all) => all.length === 1 && all[0]?.id === "b"))
        yield* TestClock.adjust("11 seconds")
        yield* Fiber.join(fiber)
        assert.strictEqual(link.endedByAgent(), 1000)
        assert.isTrue(Option.isNone(yield* accounts.get("a")))
      })
    )
  )

  it.effect("all leave the line in order when the process stops (law stop)", () =>
    Effect.gen(function* () {
      const stage = yield* within(["a", "b"], (stage) =>
        Effect.gen(function* () {
          yield* write(stage, "a", ada())
          yield* stage.peer.accept
          yield* write(stage, "b", bob())
          yield* stage.peer.accept
          yield* phase(yield* accountOf("a"), "connected")
          yield* phase(yield* accountOf("b"), "connected")
          assert.deepStrictEqual(stage.claims.toSorted(), ["a", "b"])
          return stage
        })
      )
      assert.deepStrictEqual(
        stage.peer.links.map((link) => link.endedByAgent()),
        [1000, 1000]
      )
      assert.deepStrictEqual(stage.claims, [])
    })
  )
})
