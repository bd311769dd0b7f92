/** Simulated histories on the command line: how many, how fast, and of one that failed all that is needed to see why. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Common } from "../Cli.ts"
import { Failure } from "../Failure.ts"
import { type Law, texts } from "../simulation/Laws.ts"
import * as Plan from "../simulation/Plan.ts"
import * as Profiles from "../simulation/Profiles.ts"
import * as Seeds from "../simulation/Seeds.ts"
import * as World from "../simulation/World.ts"

export interface Input {
  readonly seeds: number
  readonly from: number
  readonly profile: Option.Option<string>
  readonly keep: Option.Option<string>
  readonly trace: boolean
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** What to look at when a law broke. */
const explain = async (result: Seeds.Result, json: boolean): Promise<void> => {
  const [first] = result.broken
  if (first === undefined) return
  const profile = Seeds.profileOf(result.seed, result.profile)
  const plan = Plan.make(result.seed, profile)
  const kept = await Seeds.shrink(plan, first.law)
  const { broken, trace } = await World.run(plan, { only: new Set(kept), trace: true })
  const replay = `clawfiber simulate --from ${result.seed} --seeds 1 --profile ${result.profile} --keep ${kept.length === 0 ? "none" : kept.join(",")} --trace`
  const seen = broken.find(({ law }) => law === first.law) ?? first
  if (json) {
    say(JSON.stringify({ event: "broken", seed: result.seed, profile: result.profile, ...seen, kept, replay }))
    return
  }
  say(`\nLaw ${seen.law} broke: ${texts[seen.law]}`)
  say(`  seed ${result.seed}, profile ${result.profile}, at ${(seen.at / 1000).toFixed(3)} s: ${seen.message}`)
  say(`  the shortest history found, ${kept.length} of ${plan.ops.length} steps:`)
  for (const index of kept) say(`    ${JSON.stringify(plan.ops[index]).slice(0, 160)}`)
  const until = trace.findIndex((line) => Number.parseFloat(line) * 1000 > seen.at)
  const end = until === -1 ? trace.length : until
  say("  the last of what happened:")
  for (const line of trace.slice(Math.max(0, end - 20), end)) say(`    ${line.slice(0, 160)}`)
  say(`  again: ${replay}`)
}

const one = async (input: Input & Common, seed: number, name: string | undefined): Promise<Seeds.Result> => {
  const profile = Seeds.profileOf(seed, name)
  const keep = Option.getOrUndefined(input.keep)
  const only = keep === undefined ? undefined : new Set(keep.split(",").map(Number))
  const { broken, figures, trace } = await World.run(Plan.make(seed, profile), { trace: input.trace, only })
  for (const line of trace) say(input.json ? JSON.stringify({ event: "trace", line }) : line)
  return { seed, profile: profile.name, broken, figures }
}

const program = async (input: Input & Common): Promise<ReadonlyArray<Law>> => {
  const name = Option.getOrUndefined(input.profile)
  const begun = performance.now()
  const failed: Array<Seeds.Result> = []
  const sum = { virtual: 0, messages: 0, faults: 0, inFlight: 0, sockets: 0, count: 0 }
  let least: Seeds.Result["figures"] | undefined
  const each = (result: Seeds.Result): void => {
    sum.count++
    sum.virtual += result.figures.virtualMillis
    sum.messages += result.figures.messages
    sum.faults += result.figures.faults
    sum.inFlight += result.figures.faultsInFlight
    sum.sockets += result.figures.sockets
    if (least === undefined || result.figures.faultsInFlight < least.faultsInFlight) least = result.figures
    if (result.broken.length > 0) failed.push(result)
    if (input.json) say(JSON.stringify({ event: "seed", ...result }))
    else if (sum.count % 500 === 0) process.stderr.write(`${sum.count} of ${input.seeds} seeds\n`)
  }
  if (input.trace || Option.isSome(input.keep)) {
    for (let i = 0; i < input.seeds; i++) each(await one(input, input.from + i, name))
  } else {
    await Seeds.runMany({ from: input.from, seeds: input.seeds, profile: name }, each)
  }
  const seconds = (performance.now() - begun) / 1000
  failed.sort((a, b) => a.seed - b.seed)
  if (failed[0] !== undefined && !input.trace) await explain(failed[0], input.json)
  const speed = Math.round(sum.virtual / 1000 / seconds)
  const per = (value: number): number => Math.round(value / sum.count)
  if (input.json) {
    const laws = failed.map(({ broken, seed }) => ({ seed, laws: broken.map(({ law }) => law) }))
    say(JSON.stringify({ event: "summary", seeds: sum.count, failed: laws, seconds, virtualSecondsPerSecond: speed }))
  } else if (!input.trace) {
    say(
      `${sum.count} seeds in ${seconds.toFixed(1)} s (${(sum.count / seconds).toFixed(1)} per second), ${speed} virtual seconds per second`
    )
    say(
      `each on average: ${(sum.virtual / sum.count / 60_000).toFixed(1)} virtual minutes, ${per(sum.sockets)} sockets, ${per(sum.messages)} messages, ${per(sum.faults)} faults of which ${per(sum.inFlight)} struck replies under way (never fewer than ${least?.faultsInFlight ?? 0})`
    )
    say(
      failed.length === 0
        ? "every law held"
        : `${failed.length} seeds broke a law: ${failed
            .map(({ seed }) => seed)
            .slice(0, 20)
            .join(", ")}`
    )
  }
  return failed.flatMap(({ broken }) => broken.map(({ law }) => law))
}

export const run = (input: Input & Common): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const name = Option.getOrUndefined(input.profile)
    if (name !== undefined && Profiles.find(name) === undefined) {
      const names = Profiles.all.map((profile) => profile.name).join(", ")
      return yield* new Failure({ message: `There is no profile ${name}. There are: ${names}.` })
    }
    const broken = yield* Effect.promise(() => program(input))
    if (broken.length > 0) {
      return yield* new Failure({ message: `Laws broke: ${[...new Set(broken)].join(", ")}.` })
    }
  })
