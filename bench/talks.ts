// Claworld's relay: ten thousand agents on the line and five hundred talks, beside a bare `ws` echo of the same frame at
// the same pace in the same run.
import type { Case } from "./cases.ts"
import { row } from "./cases.ts"
import { median } from "./mainJob.ts"
import { type Delays, talks as measure } from "./talks/measure.ts"

const agents = 10_000
const conversations = 500
const seconds = 6

const figures = (delays: Delays): string =>
  `${delays.count} in ${seconds} s, p50 ${delays.p50.toFixed(3)} ms, p99 ${delays.p99.toFixed(3)} ms`

export const talks: Case = {
  name: "talks",
  title: `a turn's way to the other agent, ${agents} agents on the line, ${conversations} talks of a turn a second, p50 ms`,
  run: async (count, say) => {
    const rounds = await measure({ agents, conversations, seconds, rounds: count, say })
    for (const { echo, ours } of rounds) say(`ours: ${figures(ours)}; echo: ${figures(echo)}`)
    const p99 = (name: "ours" | "echo") => median(rounds.map((round) => round[name].p99))
    say(`p99: ours ${p99("ours").toFixed(2)} ms, echo ${p99("echo").toFixed(2)} ms`)
    return [
      row(
        "talks: p50 ms of a turn's delivery against a ws echo of the same frame",
        median(rounds.map(({ ours }) => ours.p50)),
        median(rounds.map(({ echo }) => echo.p50)),
        { most: 10 }
      )
    ]
  }
}
