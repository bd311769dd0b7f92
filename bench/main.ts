// npm run bench [-- --json FILE] [--only NAME] [--rounds N]
// Ratios measured side by side in one run: every round runs each peer once, in turn; medians over the rounds.
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { accounts, type Each } from "./accounts.ts"
import { type Case, type Row, row } from "./cases.ts"
import { claworld } from "./claworld.ts"
import { connections } from "./connections.ts"
import { idle } from "./idle.ts"
import { median, paced, type PeerName, type Round, saturated } from "./mainJob.ts"
import { market } from "./market.ts"
import { throughput } from "./slowReader.ts"
import { openclaw } from "./openclaw.ts"
import { talks } from "./talks.ts"
import { type Shape, shapes } from "./workload.ts"

interface Bars {
  readonly title: string
  /** Requests/s as it ships, its journal on disk, against plain. */
  readonly ships: number
  /** With the journal in memory: requests/s against plain and against corked, CPU per request against plain. */
  readonly plain: number
  readonly corked: number
  readonly cpu: number
}

const bars: Record<Shape, Bars> = {
  burst: { title: "all pieces at once", ships: 1.3, plain: 1.5, corked: 1, cpu: 0.8 },
  iterator: { title: "async iterator", ships: 1.05, plain: 1.2, corked: 0.8, cpu: 0.9 },
  turns: { title: "one turn per piece", ships: 0.85, plain: 0.95, corked: 0.75, cpu: 1.05 }
}

const rounds = async (count: number, names: ReadonlyArray<PeerName>, once: (name: PeerName) => Promise<Round>) => {
  const seen: Record<PeerName, Array<Round>> = { ours: [], memory: [], plain: [], corked: [] }
  for (let i = 0; i < count; i++) {
    // The order turns, so that a drift of the machine hits every peer alike.
    for (const name of i % 2 === 0 ? names : names.toReversed()) seen[name].push(await once(name))
  }
  return (name: PeerName, figure: "requestsPerSecond" | "firstDeltaP50" | "cpuPerRequest") =>
    median(seen[name].map((round) => round[figure]))
}

const mainJob = (shape: Shape): Case => ({
  name: `main/${shape}`,
  title: `2,000 characters in 100 pieces, 10 in flight, ${bars[shape].title}`,
  run: async (count, say) => {
    const of = await rounds(count, ["plain", "corked", "memory", "ours"], async (name) => {
      const round = await saturated(name, shape, 6_000)
      say(`${name} ${Math.round(round.requestsPerSecond)} requests/s, ${Math.round(round.cpuPerRequest)} µs CPU each`)
      return round
    })
    const speed = (ours: PeerName, peer: PeerName, least: number, text: string) =>
      row(`main/${shape}: ${text}`, of(ours, "requestsPerSecond"), of(peer, "requestsPerSecond"), { least })
    const { corked, cpu, plain, ships } = bars[shape]
    return [
      speed("ours", "plain", ships, "requests/s against plain"),
      speed("memory", "plain", plain, "requests/s against plain, journal in memory"),
      speed("memory", "corked", corked, "requests/s against corked plain, journal in memory"),
      row(
        `main/${shape}: CPU µs per request against plain, journal in memory`,
        of("memory", "cpuPerRequest"),
        of("plain", "cpuPerRequest"),
        { most: cpu }
      )
    ]
  }
})

const firstWords: Case = {
  name: "first-words",
  title: "first delta when a model writes 10 pieces 2 ms apart, p50 in ms",
  run: async (count, say) => {
    const rows: Array<Row> = []
    for (const [label, inFlight, total, most] of [
      ["saturated", 10, 600, 1.1],
      ["low load", 1, 80, 1.2]
    ] as const) {
      const of = await rounds(count, ["plain", "ours"], async (name) => {
        const round = await paced(name, inFlight, total)
        say(`${name}, ${label}: ${round.firstDeltaP50.toFixed(3)} ms`)
        return round
      })
      rows.push(
        row(`first-words: p50 ms, ${label}`, of("ours", "firstDeltaP50"), of("plain", "firstDeltaP50"), { most })
      )
    }
    return rows
  }
}

const idleSockets: Case = {
  name: "idle",
  title: "10,000 idle agent sockets on the platform, KiB each",
  run: async (_, say) => {
    const kib = await idle(10_000, say)
    return [row("idle: KiB per idle agent socket against 16", kib, 16, { most: 1 })]
  }
}

const slowReader: Case = {
  name: "slow-reader",
  title: "1,000 readers of one reply, one of them stalled: deltas/s that reach each of the others",
  run: async (count, say) => {
    const seen: Array<{ readonly without: number; readonly stalled: number }> = []
    for (let i = 0; i < count; i++) {
      const pair = await throughput(1_000, 60)
      say(`none stalled ${Math.round(pair.without)}, one stalled ${Math.round(pair.stalled)} deltas/s to each`)
      seen.push(pair)
    }
    const of = (name: "without" | "stalled") => median(seen.map((pair) => pair[name]))
    return [
      row("slow-reader: deltas/s to each, one stalled against none", of("stalled"), of("without"), {
        least: 0.8
      })
    ]
  }
}

/** Both figures, with what they are of. */
const memory = ({ overFirst, slope }: { readonly overFirst: Each; readonly slope: Each }): string =>
  `${overFirst.heap.toFixed(1)} KiB of heap and ${overFirst.rss.toFixed(1)} KiB resident each over the first 100; in the second half alone ${slope.heap.toFixed(1)} and ${slope.rss.toFixed(1)}`

const idleConnections: Case = {
  name: "connections",
  title: "1,000 idle lines of the agent's side in one process, KiB each after a forced collection",
  run: async (_, say) => {
    say(`bare ws: ${memory(await connections("bare", 1_000))}`)
    const ours = await connections("ours", 1_000)
    say(`ours: ${memory(ours)}`)
    return [
      row("connections: KiB resident per idle line over the first 100 against 40", ours.overFirst.rss, 40, { most: 1 }),
      row("connections: the same in the second half alone against 40", ours.slope.rss, 40, { most: 1 })
    ]
  }
}

const manyAccounts: Case = {
  name: "accounts",
  title: "1,000 accounts with profiles on disk in one process: KiB each, dials per second, from file to dial",
  run: async (_, say) => {
    const rate = 50
    const figures = await accounts(1_000, rate)
    const { burst, changed } = figures
    say(memory(figures))
    say(`${burst} dials in the fullest second, ${changed.toFixed(0)} ms from a changed profile to its dial`)
    return [
      row("accounts: KiB resident per account over the first 100 against 40", figures.overFirst.rss, 40, { most: 1 }),
      row("accounts: the same in the second half alone against 40", figures.slope.rss, 40, { most: 1 }),
      row("accounts: dials in the fullest second against the connect rate", burst, rate, { most: 1.02 }),
      row("accounts: ms from a changed profile to its dial against 1,000", changed, 1_000, { most: 1 })
    ]
  }
}

const cases: ReadonlyArray<Case> = [
  ...shapes.map(mainJob),
  firstWords,
  slowReader,
  idleSockets,
  idleConnections,
  manyAccounts,
  ...market,
  ...claworld,
  talks,
  openclaw
]

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    help: { type: "boolean", default: false }
  }
})
if (values.help) {
  console.log(
    `npm run bench -- [--only NAME] [--rounds N] [--json FILE]\n\nCases:\n${cases.map((c) => `  ${c.name.padEnd(16)}${c.title}`).join("\n")}`
  )
  process.exit(0)
}
const chosen = cases.filter(
  (c) => values.only === undefined || c.name === values.only || c.name.startsWith(`${values.only}/`)
)
const count = Number(values.rounds)
if (chosen.length === 0 || !Number.isInteger(count) || count < 1) {
  console.error(
    chosen.length === 0
      ? `There is no case "${values.only}". Cases: ${cases.map((c) => c.name).join(", ")}`
      : "--rounds takes a whole number from 1."
  )
  process.exit(1)
}
const rows: Array<Row> = []
for (const c of chosen) {
  console.error(`${c.name}: ${c.title}`)
  rows.push(...(await c.run(count, (line) => console.error(`  ${line}`))))
}
console.log("| case | ours | peer | ratio | bar | holds |\n|---|---:|---:|---:|---|---|")
for (const r of rows)
  console.log(`| ${r.case} | ${r.ours} | ${r.peer} | ${r.ratio} | ${r.bar} | ${r.holds ? "yes" : "no"} |`)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
process.exit(0)
