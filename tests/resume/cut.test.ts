/**
 * Law stream across broken links: whatever the network cuts, a reader gets each delta once and in order, and the deltas
 * joined are the text. The agent's link goes through a proxy that cuts it in the middle of frames, of the handshake,
 * of what the platform says.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, type Dialect, openSession, person, register, signIn, start } from "../layers/platform/edge/harness.ts"
import * as CuttingProxy from "./CuttingProxy.ts"
import { agent, ended, shown, spoken } from "./stage.ts"

const pieces = Array.from({ length: 90 }, (_, index) => `${index}: 界 "quoted" 👩‍👩‍👧 words and \n lines. `)
const text = pieces.join("")

/** One reply over a link that is cut by the plan. What the person was shown. */
const reply = (dialect: Dialect, features: boolean, plan: CuttingProxy.Plan) =>
  Effect.gen(function* () {
    const platform = yield* start({ grace: features ? "20 seconds" : "500 millis" })
    const keys = yield* register(platform)
    const { token } = yield* signIn(platform)
    const sessionId = yield* openSession(platform, token, keys.claw_id)
    const line = yield* person(platform, token)
    const proxy = yield* CuttingProxy.make(platform.port, plan)
    let runs = 0
    yield* agent({
      port: proxy.port,
      keys,
      dialect,
      features,
      reply: () => {
        runs++
        return spoken(pieces)
      }
    })
    yield* line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === true)
    ask(line, sessionId, "m1")
    const last = yield* ended(line)
    return { last, ...shown(line.frames), runs, cuts: proxy.cuts() }
  }).pipe(Effect.scoped)

const dialects: ReadonlyArray<Dialect> = ["gateway", "envelope", "legacy"]

/** The first connections are cut after so many bytes; then the link holds. */
const firstCut =
  (count: number, after: number, up: boolean): CuttingProxy.Plan =>
  (connection) =>
    connection < count ? { after: after + connection * 37, up } : undefined

describe("an agent that can resume", () => {
  for (const dialect of dialects) {
    it.live(
      `${dialect}: cut at every place of what it says, the reader misses and repeats nothing`,
      () =>
        Effect.gen(function* () {
          let cuts = 0
          // From the middle of the handshake on, over frames of all kinds, to the terminal.
          for (const after of [150, 420, 610, 777, 901, 1_303, 2_111, 4_099, 7_001, 12_007, 17_011, 21_001, 23_003]) {
            const seen = yield* reply(dialect, true, firstCut(4, after, true))
            cuts += seen.cuts
            assert.strictEqual(seen.last["type"], "response.completed", `cut after ${after}`)
            assert.strictEqual(seen.last["response"]["output_text"], text)
            assert.strictEqual(seen.text, text)
            assert.strictEqual(seen.ends.length, 1)
            assert.strictEqual(seen.runs, 1)
          }
          assert.isAbove(cuts, 30)
        }),
      60_000
    )

    it.live(
      `${dialect}: cut at every place of what it hears`,
      () =>
        Effect.gen(function* () {
          for (const after of [60, 200, 333, 480, 640, 700, 911]) {
            const seen = yield* reply(dialect, true, firstCut(3, after, false))
            assert.strictEqual(seen.last["type"], "response.completed", `cut after ${after}`)
            assert.strictEqual(seen.text, text)
            assert.strictEqual(seen.ends.length, 1)
            assert.strictEqual(seen.runs, 1)
          }
        }),
      60_000
    )
  }
})

/** Numbers that look drawn and are the same in each run. */
const drawn = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

describe("any pattern of cuts", () => {
  for (const dialect of ["gateway", "envelope"] as const) {
    it.live(
      dialect,
      () =>
        Effect.gen(function* () {
          for (let seed = 1; seed <= 12; seed++) {
            const draw = drawn(seed * 7_919)
            const cuts = Array.from({ length: 6 }, () => {
              const up = draw() < 0.7
              return { after: Math.floor(50 + draw() ** 2 * (up ? 24_000 : 2_500)), up }
            })
            const seen = yield* reply(dialect, true, (connection) => cuts[connection])
            assert.strictEqual(seen.last["type"], "response.completed", `seed ${seed}`)
            assert.strictEqual(seen.text, text, `seed ${seed}`)
            assert.strictEqual(seen.ends.length, 1, `seed ${seed}`)
            assert.strictEqual(seen.runs, 1, `seed ${seed}`)
          }
        }),
      60_000
    )
  }
})

describe("an agent that knows of no features", () => {
  for (const dialect of dialects) {
    it.live(
      `${dialect}: nothing twice, one end, and no text that is not the agent's`,
      () =>
        Effect.gen(function* () {
          for (const after of [777, 2_111, 7_001, 12_007, 21_001]) {
            const seen = yield* reply(dialect, false, firstCut(3, after, true))
            assert.strictEqual(seen.ends.length, 1, `cut after ${after}`)
            assert.isTrue(text.startsWith(seen.text))
            if (seen.last["type"] === "response.completed") assert.strictEqual(seen.text, text)
            else assert.strictEqual(seen.last["response"]["error"]["code"], "INTERRUPTED")
            assert.isAtMost(seen.runs, 2)
          }
        }),
      60_000
    )
  }
})
