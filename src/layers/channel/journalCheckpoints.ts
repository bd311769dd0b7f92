/**
 * The worker that empties the journal's write-ahead log into its database, on a connection of its own. It waits for
 * the disk (that is where `synchronous = NORMAL` waits), so that no reply has to.
 */
import { DatabaseSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"

const { durability, filename } = workerData as { readonly filename: string; readonly durability: "NORMAL" | "FULL" }
const database = new DatabaseSync(filename, { timeout: 0 })
database.exec(`PRAGMA synchronous = ${durability}`)
// PASSIVE takes what it can without keeping a writer waiting.
const checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)")

parentPort?.on("message", () => {
  checkpoint.get()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(undefined)
})
