import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as ControlDesk from "../../../../src/layers/channel/ControlDesk.ts"
import * as ControlStream from "../../../../src/layers/channel/ControlStream.ts"
import { Snapshot } from "../../../../src/services/channel/Control.ts"
import * as scripted from "./scripted.ts"

const desk = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const all = yield* Effect.forEach(ids, (id) => scripted.account(id))
  const made = yield* ControlDesk.make({ version: "1", settings: [] })
  const accounts = yield* scripted.accounts(all)
  made.attach(
    accounts,
    scripted.methods(all, () => 0)
  )
  return { all, accounts, desk: made }
})

const utf8 = new TextDecoder()

/** Events as they are taken one by one. */
const reader = Effect.fnUntraced(function* (from: ControlDesk.ControlDesk, account?: string) {
  const pull = yield* Stream.toPull(ControlStream.make(from, account))
  const next = Effect.map(pull, (chunks) => {
    const text = chunks.map((chunk) => utf8.decode(chunk)).join("")
    const data = /^data: (.*)$/m.exec(text)?.[1]
    return { name: /^event: (.*)$/m.exec(text)?.[1], text, data: data === undefined ? undefined : JSON.parse(data) }
  }).pipe(Pull.catchDone(() => Effect.die("the stream ended")))
  return { next }
})

describe("the stream of the control page", () => {
  it.effect("begins with the whole and goes on with what changed, field by field", () =>
    Effect.gen(function* () {
      const { all, desk: made } = yield* desk(["default"])
      const { next } = yield* reader(made)
      const first = yield* next
      assert.strictEqual(first.name, "snapshot")
      yield* Schema.decodeUnknownEffect(Snapshot)(first.data)
      const waiting = yield* Effect.forkChild(next)
      yield* TestClock.adjust("1 second")
      yield* SubscriptionRef.set(all[0]?.registration ?? assert.fail(), {
        _tag: "proposing",
        since: 1_000,
        setback: undefined
      })
      yield* TestClock.adjust("200 millis")
      const second = yield* Fiber.join(waiting)
      assert.strictEqual(second.name, "changes")
      assert.deepStrictEqual(Object.keys(second.data.accounts[0]).sort(), ["id", "registration"])
      assert.strictEqual(second.data.accounts[0].registration.phase, "proposing")
    })
  )

  it.effect("says at most five things a second, whatever happens (law bounded)", () =>
    Effect.gen(function* () {
      const { all, desk: made } = yield* desk(["default"])
      const one = all[0] ?? assert.fail()
      const { next } = yield* reader(made)
      yield* next
      let events = 0
      const reading = yield* Effect.forkChild(
        Effect.forever(Effect.tap(next, () => Effect.sync(() => void (events += 1))))
      )
      for (let step = 0; step < 200; step++) {
        yield* SubscriptionRef.set(one.fault, `fault ${step}`)
        yield* TestClock.adjust("10 millis")
      }
      yield* Fiber.interrupt(reading)
      assert.isAtMost(events, 10)
      assert.isAtLeast(events, 9)
    })
  )

  it.effect("gives a slow reader what is, not what was: nothing is kept for it (law bounded)", () =>
    Effect.gen(function* () {
      const { all, desk: made } = yield* desk(["default"])
      const one = all[0] ?? assert.fail()
      const { next } = yield* reader(made)
      yield* next
      for (let step = 0; step < 50; step++) {
        yield* SubscriptionRef.set(one.fault, `fault ${step}`)
        yield* TestClock.adjust("1 second")
      }
      const waiting = yield* Effect.forkChild(next)
      yield* TestClock.adjust("200 millis")
      const late = yield* Fiber.join(waiting)
      assert.deepStrictEqual(late.data.accounts, [{ id: "default", fault: "fault 49" }])
    })
  )

  it.effect("says that it is still there when nothing happens", () =>
    Effect.gen(function* () {
      const { desk: made } = yield* desk(["default"])
      const { next } = yield* reader(made)
      yield* next
      const waiting = yield* Effect.forkChild(next)
      yield* TestClock.adjust(ControlStream.quiet)
      const said = yield* Fiber.join(waiting)
      assert.match(said.text, /^: /)
    })
  )

  it.effect("tells the whole anew when accounts come, and details of the chosen account alone", () =>
    Effect.gen(function* () {
      const { accounts, all, desk: made } = yield* desk(["default", "second"])
      const avatar = "data:image/png;base64,AAAA"
      for (const one of all) yield* one.goOnLine(scripted.profileOf({ ...scripted.proposal, avatar }), 0)
      for (const one of all) {
        one.replies.inFlight = [
          {
            responseId: "r",
            sessionId: undefined,
            messageId: undefined,
            acceptedAt: 0,
            startedAt: 0,
            firstDeltaAt: undefined,
            characters: 0
          }
        ]
      }
      const { next } = yield* reader(made, "second")
      const first = yield* next
      assert.deepStrictEqual(
        first.data.accounts.map((account: { in_flight: ReadonlyArray<unknown> }) => account.in_flight.length),
        [0, 1]
      )
      assert.deepStrictEqual(
        first.data.accounts.map((account: { profile: { avatar: string } }) => account.profile.avatar),
        ["", avatar]
      )
      const third = yield* scripted.account("third")
      const waiting = yield* Effect.forkChild(next)
      yield* SubscriptionRef.update(accounts.all, (before) => [...before, third.account])
      yield* TestClock.adjust("200 millis")
      const again = yield* Fiber.join(waiting)
      assert.strictEqual(again.name, "snapshot")
      assert.strictEqual(again.data.accounts.length, 3)
    })
  )
})
