// Pages of a market of a hundred thousand tasks, beside the statement that finds them.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Stores from "../../src/layers/platform/Stores.ts"
import { TaskPool } from "../../src/services/platform/TaskPool.ts"
import { fill } from "./tasks.ts"

const tasks = 100_000
const pageSize = 20
/** Until the compiler knows both sides. */
const warmUp = 100

const outside = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto)

const bare = `SELECT task_id, title, category, bounty, deadline, created_at FROM tasks
  WHERE task_id IN (SELECT task_id FROM tasks WHERE status = 'available' AND (deadline IS NULL OR deadline > ?)
    ORDER BY created_at DESC, task_id DESC LIMIT ? OFFSET ?)
  ORDER BY created_at DESC, task_id DESC`

/** Microseconds to a page, of some calls in a row. */
export interface Look {
  readonly ours: number
  readonly bare: number
}

const each = (count: number, begun: number): number => ((performance.now() - begun) * 1_000) / count

/** One market for all pages. The sides take turns after a few calls each, so that whatever else runs hits both. */
export const pages = async (
  numbers: ReadonlyArray<number>,
  looks: number,
  calls: number
): Promise<ReadonlyMap<number, ReadonlyArray<Look>>> => {
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-pages-"))
  try {
    return await Effect.gen(function* () {
      yield* fill(tasks, (index) => `task_${String((index * 7_919) % tasks).padStart(24, "0")}`)
      const pool = yield* TaskPool
      const database = new DatabaseSync(join(folder, "platform.sqlite"), { readOnly: true })
      const statement = database.prepare(bare)
      const seen = new Map<number, Array<Look>>(numbers.map((page) => [page, []]))
      for (let look = -warmUp; look < looks; look++) {
        for (const page of numbers) {
          let begun = performance.now()
          for (let i = 0; i < calls; i++) {
            const rows = statement.all(Date.now(), pageSize, (page - 1) * pageSize)
            if (rows.length !== pageSize) throw new Error(`the statement found ${rows.length} tasks`)
          }
          const ofBare = each(calls, begun)
          begun = performance.now()
          for (let i = 0; i < calls; i++) {
            const { items, total } = yield* pool.available({ page, pageSize })
            if (items.length !== pageSize || total !== tasks) throw new Error(`a page of ${items.length} of ${total}`)
          }
          if (look >= 0) seen.get(page)?.push({ ours: each(calls, begun), bare: ofBare })
        }
      }
      database.close()
      return seen
    }).pipe(Effect.provide(Stores.layerSqlite({ folder }).pipe(Layer.provide(outside))), Effect.runPromise)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
