/** What holds of a Registrar over whatever store. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { ProfileStore } from "../../../../src/services/channel/ProfileStore.ts"
import { profile } from "../profile/profiles.ts"
import * as harness from "./harness.ts"
import { awaitPhase, awaitSetback, awaitState, Platform, proposal, refused, registrar } from "./harness.ts"

for (const { name, store } of harness.stores) {
  const test = <A>(
    title: string,
    body: () => Effect.Effect<A, unknown, Effect.Services<ReturnType<typeof registrar>> | ProfileStore | Platform>
  ) => it.effect(title, () => Effect.scoped(body()).pipe(Effect.provide(harness.world(store))))

  describe(`LoopRegistrar, ${name}`, () => {
    test("from nothing to registered: the agent proposes, a person confirms, the profile is written, the token is gone", () =>
      Effect.gen(function* () {
        const disk = yield* ProfileStore
        const platform = yield* Platform
        yield* disk.saveActivationToken(Redacted.make("act-token"))
        const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
        const { proposalId } = yield* awaitPhase(agent, "pending")
        const made = yield* agent.submit({ proposalId })
        assert.strictEqual(made.claw_id, "claw-1")
        assert.deepInclude(yield* SubscriptionRef.get(agent.state), {
          _tag: "registered",
          clawId: "claw-1",
          name: "Ada"
        })
        assert.strictEqual(Option.getOrThrow(yield* disk.load).app_key, "key-1")
        assert.isTrue(Option.isNone(yield* disk.pending))
        assert.isTrue(Option.isNone(yield* disk.activationToken))
        assert.deepStrictEqual(
          platform.calls.map(({ token }) => token),
          ["act-token"]
        )
      }))

    test("what a person edited is what is registered", () =>
      Effect.gen(function* () {
        const platform = yield* Platform
        const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
        const { proposalId } = yield* awaitPhase(agent, "pending")
        yield* agent.submit({ proposalId, proposal: proposal({ name: "Grace" }) })
        assert.strictEqual(platform.calls[0]?.proposal.name, "Grace")
      }))

    test("without an agent that proposes it waits, and a script may register at once", () =>
      Effect.gen(function* () {
        const agent = yield* registrar()
        assert.strictEqual((yield* SubscriptionRef.get(agent.state))._tag, "absent")
        assert.strictEqual((yield* Effect.flip(agent.submit({}))).reason._tag, "NothingPending")
        assert.strictEqual((yield* agent.submit({ proposal: proposal() })).claw_id, "claw-1")
      }))

    test("a proposal survives a restart", () =>
      Effect.gen(function* () {
        const first = yield* Scope.make()
        const before = yield* Scope.provide(registrar({ propose: Effect.succeed(proposal()) }), first)
        const { proposalId } = yield* awaitPhase(before, "pending")
        yield* Scope.close(first, Exit.void)
        const after = yield* registrar({ propose: Effect.die("asked again") })
        const state = yield* awaitPhase(after, "pending")
        assert.strictEqual(state.proposalId, proposalId)
        assert.deepStrictEqual(state.proposal, proposal())
      }))

    test("cancelled: a late confirmation is refused in words, and after a while the agent proposes again", () =>
      Effect.gen(function* () {
        const platform = yield* Platform
        const agent = yield* registrar({ propose: Effect.succeed(proposal()), cooldown: "60 seconds" })
        const { proposalId } = yield* awaitPhase(agent, "pending")
        yield* agent.cancel({ proposalId })
        yield* awaitPhase(agent, "coolingDown")
        const late = yield* Effect.flip(agent.submit({ proposalId, proposal: proposal() }))
        assert.strictEqual(late.reason._tag, "NothingPending")
        assert.match(late.message, /was cancelled, so nothing was registered/)
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual((yield* SubscriptionRef.get(agent.state))._tag, "coolingDown")
        yield* TestClock.adjust("1 second")
        const next = yield* awaitPhase(agent, "pending")
        assert.notStrictEqual(next.proposalId, proposalId)
        assert.match((yield* Effect.flip(agent.submit({ proposalId }))).message, /no longer there/)
        assert.lengthOf(platform.calls, 0)
      }))

    test("whoever does not want to wait looks at once", () =>
      Effect.gen(function* () {
        const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
        yield* awaitPhase(agent, "pending")
        yield* agent.cancel({})
        assert.strictEqual((yield* SubscriptionRef.get(agent.state))._tag, "coolingDown")
        yield* agent.look
        yield* awaitPhase(agent, "pending")
      }))

    test("two confirmations at once: one registers, the other is told that it is under way", () =>
      Effect.gen(function* () {
        const platform = yield* Platform
        const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
        const { proposalId } = yield* awaitPhase(agent, "pending")
        platform.mood = "gate"
        const called = yield* Effect.forkChild(platform.called)
        yield* harness.settle
        const one = yield* Effect.forkChild(agent.submit({ proposalId }))
        yield* Fiber.join(called)
        const other = yield* Effect.flip(agent.submit({ proposalId }))
        assert.strictEqual(other.reason._tag, "Busy")
        assert.isTrue(other.transient)
        assert.strictEqual((yield* Effect.flip(agent.cancel({ proposalId }))).reason._tag, "Busy")
        assert.strictEqual((yield* Effect.flip(agent.propose(proposal()))).reason._tag, "Busy")
        yield* Deferred.succeed(platform.gate, undefined)
        assert.strictEqual((yield* Fiber.join(one)).claw_id, "claw-1")
        assert.lengthOf(platform.calls, 1)
        const again = yield* Effect.flip(agent.submit({ proposal: proposal() }))
        assert.strictEqual(again.reason._tag, "AlreadyRegistered")
      }))

    test("two processes: one registers, the other is told who does, and follows", () =>
      Effect.gen(function* () {
        const platform = yield* Platform
        const one = yield* registrar({ propose: Effect.succeed(proposal()) })
        const other = yield* registrar()
        const { proposalId } = yield* awaitPhase(one, "pending")
        yield* other.look
        assert.strictEqual((yield* awaitPhase(other, "pending")).proposalId, proposalId)
        platform.mood = "gate"
        const called = yield* Effect.forkChild(platform.called)
        yield* harness.settle
        const submit = yield* Effect.forkChild(one.submit({ proposalId }))
        yield* Fiber.join(called)
        assert.strictEqual((yield* Effect.flip(other.submit({ proposalId }))).reason._tag, "Busy")
        yield* other.look
        yield* awaitPhase(other, "submitting")
        yield* Deferred.succeed(platform.gate, undefined)
        yield* Fiber.join(submit)
        yield* other.look
        assert.strictEqual((yield* awaitPhase(other, "registered")).clawId, "claw-1")
        assert.lengthOf(platform.calls, 1)
      }))

    test("two processes: only one asks its agent, and a dead one's turn is taken over", () =>
      Effect.gen(function* () {
        let asked = 0
        const propose = Effect.suspend(() => {
          asked++
          return asked === 1 ? Effect.never : Effect.succeed(proposal())
        })
        const first = yield* Scope.make()
        const one = yield* Scope.provide(registrar({ propose }), first)
        yield* awaitPhase(one, "proposing")
        yield* harness.turnsUntil(() => asked > 0)
        const other = yield* registrar({ propose })
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(asked, 1)
        yield* Scope.close(first, Exit.void)
        yield* harness.turnsUntil(
          () => SubscriptionRef.getUnsafe(other.state)._tag === "pending",
          TestClock.adjust("10 seconds")
        )
        assert.strictEqual(asked, 2)
      }))

    test("cancelled in another process: cools down here too", () =>
      Effect.gen(function* () {
        const one = yield* registrar({ propose: Effect.succeed(proposal()) })
        const other = yield* registrar()
        yield* awaitPhase(one, "pending")
        yield* other.look
        yield* other.cancel({})
        // A hurried look would propose again.
        yield* awaitPhase(one, "coolingDown")
      }).pipe(Effect.timeoutOption("30 seconds"), TestClock.withLive))

    describe("a platform that does not", () => {
      test("refuses a field: back to the form with what was typed and the reason at the field", () =>
        Effect.gen(function* () {
          const platform = yield* Platform
          const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
          const { proposalId } = yield* awaitPhase(agent, "pending")
          platform.mood = refused()
          const error = yield* Effect.flip(agent.submit({ proposalId, proposal: proposal({ name: "Grace" }) }))
          assert.match(error.message, /name taken/)
          const state = yield* awaitPhase(agent, "pending")
          assert.strictEqual(state.proposalId, proposalId)
          assert.strictEqual(state.proposal.name, "Grace")
          assert.deepInclude(state.setback, {
            about: "registration",
            needsPerson: true,
            fields: [{ field: "name", message: "It is taken." }]
          })
          platform.mood = "answer"
          yield* agent.submit({ proposalId, proposal: proposal({ name: "Grace Hopper" }) })
          // It was said that nothing was made, so this is another request.
          assert.strictEqual(new Set(platform.calls.map(({ attempt }) => attempt)).size, 2)
        }))

      test("loses its answer: the same confirmation again makes no second identity", () =>
        Effect.gen(function* () {
          const platform = yield* Platform
          const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
          const { proposalId } = yield* awaitPhase(agent, "pending")
          platform.mood = "lose"
          const error = yield* Effect.flip(agent.submit({ proposalId }))
          assert.isTrue(error.transient)
          assert.deepInclude((yield* awaitPhase(agent, "pending")).setback, { needsPerson: false })
          platform.mood = "answer"
          assert.strictEqual((yield* agent.submit({ proposalId })).claw_id, "claw-1")
          assert.strictEqual(platform.identities.size, 1)
        }))

      test("is still at it when the program dies: the next life asks under the same key, by itself", () =>
        Effect.gen(function* () {
          const platform = yield* Platform
          const first = yield* Scope.make()
          const before = yield* Scope.provide(registrar({ propose: Effect.succeed(proposal()) }), first)
          yield* awaitPhase(before, "pending")
          platform.mood = "hang"
          const called = yield* Effect.forkChild(platform.called)
          yield* harness.settle
          const submit = yield* Effect.forkChild(Effect.exit(before.submit({})))
          yield* Fiber.join(called)
          yield* Scope.close(first, Exit.void)
          assert.isTrue(Exit.isFailure(yield* Fiber.join(submit)))
          platform.mood = "answer"
          const after = yield* registrar({ propose: Effect.die("asked again") })
          yield* awaitPhase(after, "registered")
          assert.lengthOf(platform.calls, 2)
          assert.strictEqual(platform.calls[0]?.attempt, platform.calls[1]?.attempt)
        }))

      test("takes the activation token for used: it stays for the person to replace", () =>
        Effect.gen(function* () {
          const disk = yield* ProfileStore
          const platform = yield* Platform
          yield* disk.saveActivationToken(Redacted.make("act-token"))
          const agent = yield* registrar()
          platform.mood = refused({ status: 401, token: true, fields: [], detail: "this token was used" })
          const error = yield* Effect.flip(agent.submit({ proposal: proposal() }))
          assert.match(error.message, /this token was used.*clawfiber register --token/)
          assert.notInclude(error.message, "act-token")
          yield* disk.saveActivationToken(Redacted.make("another"))
          platform.mood = "answer"
          yield* agent.submit({})
          assert.strictEqual(platform.calls.at(-1)?.token, "another")
        }))
    })

    describe("an agent that does not", () => {
      test("proposes nonsense: the faults are shown and it is asked again, later and later", () =>
        Effect.gen(function* () {
          let asked = 0
          const propose = Effect.sync(() => {
            asked++
            return { name: "", hourly_rate: -1 }
          })
          const agent = yield* registrar({ propose })
          const state = yield* awaitSetback(agent)
          assert.strictEqual(state._tag, "absent")
          assert.sameMembers(
            ("setback" in state ? state.setback?.fields : undefined)?.map(({ field }) => field) ?? [],
            ["name", "hourly_rate"]
          )
          const waits: Array<number> = []
          for (let round = 0; round < 4; round++) {
            const absent = yield* awaitState(agent, (now) => now._tag === "absent" && now.retryAt !== undefined)
            const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
            const wait = (absent._tag === "absent" ? absent.retryAt! : 0) - now
            waits.push(wait)
            yield* harness.turnsUntil(() => asked > round + 1, TestClock.adjust(Math.ceil(wait / 4)))
            yield* awaitState(agent, (after) => after._tag === "absent")
          }
          assert.isTrue(
            waits.every((wait, index) => index === 0 || wait > waits[index - 1]! * 1.5),
            String(waits)
          )
        }))

      for (const [what, propose, words] of [
        ["fails", Effect.fail({ message: "The model cannot be reached.", transient: true }), /cannot be reached/],
        ["dies", Effect.die(new Error("sk-secret")), /failed in a way nobody thought of/],
        ["gives up", Effect.interrupt, /failed in a way nobody thought of/],
        ["never ends", Effect.never, /for too long/]
      ] as const) {
        test(`${what}: absent, with the reason`, () =>
          Effect.gen(function* () {
            const agent = yield* registrar({ propose })
            const shown = yield* Effect.forkChild(awaitSetback(agent))
            yield* harness.turnsUntil(() => shown.pollUnsafe() !== undefined, TestClock.adjust("10 seconds"))
            const state = yield* Fiber.join(shown)
            assert.strictEqual(state._tag, "absent")
            assert.match(state._tag === "absent" ? (state.setback?.message ?? "") : "", words)
            assert.notInclude(JSON.stringify(state), "sk-secret")
          }))
      }

      test("is overtaken by a person: the run is stopped", () =>
        Effect.gen(function* () {
          const stopped = yield* Deferred.make<void>()
          const propose = Effect.onInterrupt(Effect.never, () => Deferred.succeed(stopped, undefined))
          const agent = yield* registrar({ propose })
          yield* awaitPhase(agent, "proposing")
          yield* harness.settle
          yield* agent.submit({ proposal: proposal() })
          yield* Deferred.await(stopped)
          yield* awaitPhase(agent, "registered")
        }))
    })

    describe("the profile", () => {
      test("is told whenever it changes and when the file goes, and not when nothing did", () =>
        Effect.gen(function* () {
          const disk = yield* ProfileStore
          yield* disk.save(profile())
          const agent = yield* registrar()
          const seen: Array<string | undefined> = []
          yield* agent.profile.pipe(
            Stream.runForEach((now) =>
              Effect.sync(() =>
                seen.push(Option.getOrUndefined(Option.map(now, (one) => `${one.app_key} ${one.description}`)))
              )
            ),
            Effect.forkScoped
          )
          yield* harness.settle
          const saves = [
            profile(),
            profile({ description: "counts better" }),
            profile({ app_key: "key-2" }),
            profile({ app_key: "key-2", app_secret: Redacted.make("rotated") })
          ]
          for (const next of saves) {
            yield* disk.save(next)
            yield* agent.look
            yield* harness.settle
          }
          yield* disk.remove
          yield* agent.look
          yield* harness.settle
          assert.deepStrictEqual(seen, [
            "key-1 counts",
            "key-1 counts better",
            "key-2 counts",
            "key-2 counts",
            undefined
          ])
          assert.strictEqual((yield* SubscriptionRef.get(agent.state))._tag, "absent")
        }))

      test("that a person puts there ends what was pending", () =>
        Effect.gen(function* () {
          const disk = yield* ProfileStore
          const agent = yield* registrar({ propose: Effect.succeed(proposal()) })
          const { proposalId } = yield* awaitPhase(agent, "pending")
          yield* disk.save(profile())
          const error = yield* Effect.flip(agent.submit({ proposalId }))
          assert.strictEqual(error.reason._tag, "AlreadyRegistered")
          yield* agent.look
          assert.isTrue(Option.isNone(yield* disk.pending))
        }))

      test("that a person puts there while the platform answers is not written over", () =>
        Effect.gen(function* () {
          const disk = yield* ProfileStore
          const platform = yield* Platform
          const agent = yield* registrar()
          platform.mood = "gate"
          const called = yield* Effect.forkChild(platform.called)
          yield* harness.settle
          const submit = yield* Effect.forkChild(Effect.flip(agent.submit({ proposal: proposal() })))
          yield* Fiber.join(called)
          yield* disk.save(profile({ app_key: "by hand" }))
          yield* Deferred.succeed(platform.gate, undefined)
          assert.strictEqual((yield* Fiber.join(submit)).reason._tag, "AlreadyRegistered")
          assert.strictEqual(Option.getOrThrow(yield* disk.load).app_key, "by hand")
          yield* awaitPhase(agent, "registered")
        }))
    })
  })
}
