// The task market: grabs, pages and uploads, each beside what it cannot do without.
import type { Case } from "./cases.ts"
import { row } from "./cases.ts"
import { median } from "./mainJob.ts"
import { ours, plain } from "./market/grabs.ts"
import { pages } from "./market/pages.ts"
import { upload } from "./market/uploads.ts"

const grab: Case = {
  name: "market/grab",
  title: "1,000 agents at once after 10,000 tasks that two want each: grabs per second, beside one plain transaction",
  run: async (count, say) => {
    const seen: Array<{ readonly ours: number; readonly plain: number }> = []
    for (let i = 0; i < count; i++) {
      // The order turns, so that a drift of the machine hits both alike.
      const first = i % 2 === 0 ? await plain() : undefined
      const own = await ours()
      const bare = first ?? (await plain())
      say(`ours ${Math.round(own)}, plain ${Math.round(bare)} grabs/s`)
      seen.push({ ours: own, plain: bare })
    }
    const of = (name: "ours" | "plain") => median(seen.map((pair) => pair[name]))
    return [row("market/grab: grabs/s against one plain transaction", of("ours"), of("plain"), { least: 0.5 })]
  }
}

const numbers = [1, 500] as const

const page: Case = {
  name: "market/page",
  title: "pages of 20 among 100,000 tasks: µs to a page, beside its bare statement",
  run: async (count, say) => {
    const seen = await pages(numbers, count * 20, 25)
    return numbers.map((number) => {
      const looks = seen.get(number) ?? []
      const own = median(looks.map(({ ours }) => ours))
      const bare = median(looks.map((look) => look.bare))
      say(`page ${number}: ours ${own.toFixed(1)}, bare ${bare.toFixed(1)} µs`)
      return row(`market/page: µs to page ${number} against its bare statement`, own, bare, { most: 1.5 })
    })
  }
}

const mebibyte = 1024 * 1024

const uploads: Case = {
  name: "market/upload",
  title: "a file of 200 MB on its way to the platform: MB that either side holds more than for one of 1 MB",
  run: async (count, say) => {
    const more: Record<"agent" | "platform", Array<number>> = { agent: [], platform: [] }
    for (let i = 0; i < Math.min(count, 3); i++) {
      const [small, large] = [await upload(mebibyte), await upload(200 * mebibyte)]
      for (const side of ["agent", "platform"] as const) more[side].push((large[side] - small[side]) / mebibyte)
      say(`agent ${more.agent.at(-1)?.toFixed(1)}, platform ${more.platform.at(-1)?.toFixed(1)} MiB more`)
    }
    return (["agent", "platform"] as const).map((side) =>
      row(`market/upload: MiB more of the ${side} against 64`, median(more[side]), 64, { most: 1 })
    )
  }
}

export const market: ReadonlyArray<Case> = [grab, page, uploads]
