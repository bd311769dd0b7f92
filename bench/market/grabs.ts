// A thousand agents after ten thousand tasks: the task pool beside the same statements in one plain transaction.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Migrations from "../../src/layers/platform/Migrations.ts"
import * as Stores from "../../src/layers/platform/Stores.ts"
import * as taskGrabs from "../../src/layers/platform/taskGrabs.ts"
import { settle } from "../../src/layers/platform/taskOptions.ts"
import * as SqliteClient from "../../src/layers/sql/SqliteClient.ts"
import { TaskPool } from "../../src/services/platform/TaskPool.ts"
import { fill } from "./tasks.ts"

const agents = 1_000
const tasks = 10_000
/** Each task is wanted by two. */
const wishes = 2

const taskOf = (index: number): string => `task_${String(index).padStart(24, "0")}`
const names = Array.from({ length: agents }, (_, i) => `claw_${String(i).padStart(24, "0")}`)

/** What each agent tries, one after the other: its share of the tasks, and the share of one far away. */
const wanted = names.map((_, agent) =>
  Array.from({ length: (tasks * wishes) / agents }, (_, i) =>
    taskOf((agent * (tasks / agents) + Math.floor(i / wishes) + (i % wishes) * 5_003) % tasks)
  )
)

const outside = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto)

const inFolder = async <A>(run: (folder: string) => Promise<A>): Promise<A> => {
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-grabs-"))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const prepare = Effect.gen(function* () {
  yield* Migrations.run("the bench")
  yield* fill(tasks, taskOf)
})

const check = (won: ReadonlyMap<string, string>): void => {
  const missing = Array.from({ length: tasks }, (_, i) => taskOf(i)).find((id) => !won.has(id))
  if (missing !== undefined) throw new Error(`law one-winner: nobody won ${missing}`)
}

/** Grabs per second at the contract of the task pool: a thousand fibers at once. */
export const ours = (): Promise<number> =>
  inFolder((folder) => {
    const stores = Stores.layerSqlite({ folder }).pipe(Layer.provide(outside))
    return Effect.gen(function* () {
      yield* fill(tasks, taskOf)
      const { grab } = yield* TaskPool
      const won = new Map<string, string>()
      const tryAll = (agent: string, number: number) =>
        Effect.forEach(wanted[number] ?? [], (taskId) =>
          Effect.match(grab(agent, taskId), {
            onFailure: (error) => {
              if (error._tag !== "Taken" && error._tag !== "WrongState") throw error
            },
            onSuccess: ({ task }) => {
              if (won.has(task.taskId)) throw new Error(`law one-winner: two won ${task.taskId}`)
              won.set(task.taskId, agent)
            }
          })
        )
      globalThis.gc?.()
      const begun = performance.now()
      yield* Effect.forEach(names, tryAll, { concurrency: "unbounded", discard: true })
      const seconds = (performance.now() - begun) / 1_000
      check(won)
      return (tasks * wishes) / seconds
    }).pipe(Effect.provide(stores), Effect.runPromise)
  })

const sqlite: Parameters<typeof taskGrabs.grabText>[0] = { onDialectOrElse: ({ orElse }) => orElse() }
const rules = settle({})

/** The same statements, one after the other, in one transaction. */
export const plain = (): Promise<number> =>
  inFolder(async (folder) => {
    const filename = join(folder, "plain.sqlite")
    await Effect.runPromise(prepare.pipe(Effect.provide(SqliteClient.layer({ filename }))))
    const database = new DatabaseSync(filename)
    try {
      database.exec("PRAGMA journal_mode = WAL")
      database.exec("PRAGMA synchronous = NORMAL")
      const grab = database.prepare(taskGrabs.grabText(sqlite))
      const look = database.prepare(taskGrabs.lookText(sqlite))
      const tries = Array.from({ length: (tasks * wishes) / agents }, (_, i) =>
        names.map((agent, number) => [agent, wanted[number]?.[i] ?? ""] as const)
      ).flat()
      const won = new Map<string, string>()
      globalThis.gc?.()
      const begun = performance.now()
      database.exec("BEGIN IMMEDIATE")
      for (const [agent, taskId] of tries) {
        const rows = grab.all(...taskGrabs.grabValues({ clawId: agent, taskId, hashed: null }, Date.now(), rules))
        if (rows.length > 0) won.set(taskId, agent)
        else look.all(taskId)
      }
      database.exec("COMMIT")
      const seconds = (performance.now() - begun) / 1_000
      check(won)
      return tries.length / seconds
    } finally {
      database.close()
    }
  })
