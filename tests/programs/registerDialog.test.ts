/** The form in the terminal, its keys pressed one by one. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Terminal from "effect/Terminal"
import * as dialog from "../../src/programs/run/registerDialog.ts"
import type { Profile } from "../../src/services/channel/ProfileStore.ts"
import { AlreadyRegistered, InvalidProposal, RegistrarError } from "../../src/services/channel/Registrar.ts"
import { profile } from "../layers/channel/profile/profiles.ts"

const key = (name: string, input = "", ctrl = false): Terminal.UserInput => ({
  input: input === "" ? Option.none() : Option.some(input),
  key: { name, ctrl, meta: false, shift: false }
})
const enter = key("return", "\r")
const down = (times: number) => Array.from({ length: times }, () => key("down"))
/** Over what stands there. */
const type = (text: string) => [key("u", "", true), ...Array.from(text, (letter) => key(letter, letter))]

const start = {
  name: "Weather bot",
  description: "Tells the weather.",
  avatar: "",
  scene_tags: [],
  custom_tags: ["rain"],
  hourly_rate: 0,
  instance_type: 0
}

const play = Effect.fnUntraced(function* (
  keys: ReadonlyArray<Terminal.UserInput>,
  submit: (proposal: unknown) => Effect.Effect<Profile, RegistrarError> = () => Effect.succeed(profile())
) {
  const pressed = yield* Queue.unbounded<Terminal.UserInput, Cause.Done>()
  Queue.offerAllUnsafe(pressed, keys)
  // Ctrl-C ends the input.
  yield* Queue.end(pressed)
  let screen = ""
  const submitted: Array<unknown> = []
  let cancelled = 0
  const terminal = Terminal.make({
    columns: Effect.succeed(100),
    rows: Effect.succeed(40),
    size: Effect.die(new Error("not asked for")),
    readInput: Effect.succeed(pressed),
    readLine: Effect.die(new Error("not asked for")),
    display: (text) => Effect.sync(() => void (screen += text))
  })
  const result = yield* dialog
    .run({
      registrar: {
        submit: ({ proposal }) => {
          submitted.push(proposal)
          return submit(proposal)
        },
        cancel: () => Effect.sync(() => void cancelled++)
      },
      start,
      proposalId: "p-1"
    })
    .pipe(Effect.provideService(Terminal.Terminal, terminal), Effect.provide([NodeFileSystem.layer, NodePath.layer]))
  return { result, submitted, cancelled, screen }
})

describe("the form in the terminal", () => {
  it.effect("shows what was proposed, and registers it as it is", () =>
    Effect.gen(function* () {
      const { result, screen, submitted } = yield* play([enter])
      assert.strictEqual(result?.claw_id, "claw-1")
      assert.deepStrictEqual(submitted, [start])
      assert.include(screen, "Change Name: Weather bot")
      assert.include(screen, "Change Your tags: rain")
    })
  )

  it.effect("takes other values, lists too, and - for none", () =>
    Effect.gen(function* () {
      const { submitted } = yield* play([
        ...down(1),
        enter,
        ...type("Ada"),
        enter,
        ...down(2),
        enter,
        ...type("-"),
        enter,
        ...down(5),
        enter,
        ...type("sun, wind"),
        enter,
        enter
      ])
      assert.deepStrictEqual(submitted, [{ ...start, name: "Ada", description: "", custom_tags: ["sun", "wind"] }])
    })
  )

  it.effect("says at the field what cannot be taken, and lets it be mended", () =>
    Effect.gen(function* () {
      const { screen, submitted } = yield* play([
        ...down(4),
        enter,
        ...type("7"),
        enter,
        ...type("07001"),
        enter,
        enter
      ])
      assert.include(screen, "A scene tag is a code of five digits")
      assert.deepStrictEqual(submitted, [{ ...start, scene_tags: ["07001"] }])
    })
  )

  it.effect(
    "comes back with what was typed when the platform refuses, and ends when there is an identity already",
    () =>
      Effect.gen(function* () {
        let count = 0
        const { result, submitted } = yield* play([enter, enter], () =>
          Effect.fail(
            new RegistrarError({
              reason:
                count++ === 0
                  ? new InvalidProposal({ faults: [{ field: "name", message: "It is taken." }] })
                  : new AlreadyRegistered({ clawId: "c-1" })
            })
          )
        )
        assert.isUndefined(result)
        assert.strictEqual(submitted.length, 2)
      })
  )

  it.effect("registers nothing when it is left, dropped, or broken off with Ctrl-C", () =>
    Effect.gen(function* () {
      for (const [keys, cancels] of [
        [[key("up"), enter], 0],
        [[key("up"), key("up"), enter], 1],
        [[], 0]
      ] as const) {
        const { cancelled, result, submitted } = yield* play(keys)
        assert.isUndefined(result)
        assert.deepStrictEqual(submitted, [])
        assert.strictEqual(cancelled, cancels)
      }
    })
  )
})
