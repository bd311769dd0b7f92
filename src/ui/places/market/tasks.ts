/** The list of a person's tasks: of one state or all, as far as it was opened, kept up to date. */
import { useCallback, useState } from "react"
import type { TaskStatus } from "../../../services/protocol/MarketWords.ts"
import { useApp } from "../../app.ts"
import { useLive } from "./live.ts"
import { readItems, readNext, readTask, type TaskRow } from "./state/model.ts"

const step = 30
/** The largest page; what lies behind it is loaded once and stays as it is. */
const most = 200

const often = () => 4_000

export type Filter = TaskStatus | "all"

const pathOf = (filter: Filter, limit: number, before?: string): string => {
  const query = new URLSearchParams({ limit: String(limit) })
  if (filter !== "all") query.set("status", filter)
  if (before !== undefined) query.set("before", before)
  return `/api/tasks?${query}`
}

const readPage = (data: unknown) => ({ items: readItems(data).map(readTask), next: readNext(data) })
type Page = ReturnType<typeof readPage>

export const useTasks = () => {
  const { http } = useApp()
  const [filter, setFilter] = useState<Filter>("all")
  const [limit, setLimit] = useState(step)
  const [older, setOlder] = useState<Page>()
  const [moreFault, setMoreFault] = useState<unknown>()
  const live = useLive(
    useCallback(async () => readPage(await http.json("GET", pathOf(filter, limit))), [http, filter, limit]),
    often
  )
  // A longer page is another question: what is there stays on the screen until its answer.
  const [last, setLast] = useState<{ readonly filter: Filter; readonly page: Page }>()
  if (live.value !== undefined && last?.page !== live.value) setLast({ filter, page: live.value })
  const page = live.value ?? (last?.filter === filter ? last.page : undefined)
  const next = older === undefined ? page?.next : older.next
  const known = new Set(page?.items.map(({ id }) => id))
  const items: ReadonlyArray<TaskRow> | undefined =
    page === undefined ? undefined : [...page.items, ...(older?.items ?? []).filter(({ id }) => !known.has(id))]

  return {
    filter,
    choose: (wanted: Filter) => {
      setFilter(wanted)
      setLimit(step)
      setOlder(undefined)
      setMoreFault(undefined)
    },
    items,
    fault: live.fault ?? moreFault,
    refresh: live.refresh,
    more:
      next === undefined
        ? undefined
        : async () => {
            if (limit < most) return setLimit(Math.min(most, limit + step))
            try {
              const data = readPage(await http.json("GET", pathOf(filter, most, next)))
              setOlder((before) => ({ items: [...(before?.items ?? []), ...data.items], next: data.next }))
              return setMoreFault(undefined)
            } catch (cause) {
              return setMoreFault(cause)
            }
          }
  }
}

export type Tasks = ReturnType<typeof useTasks>
