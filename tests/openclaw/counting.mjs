/**
 * Taken into the gateway's process before anything else (`--import`): counts what that process holds, when it is asked to
 * by a file. Timers and sockets are Node's own numbers; files are those of /proc (Linux); fibers are on the heap, after a
 * collection, of every copy of Effect that has run any (the host loads the plugin anew with its modules).
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import process from "node:process"
import { queryObjects } from "node:v8"

const file = process.env["CLAWFIBER_TEST_COUNTS"]
const key = "~effect/Fiber/currentFiber"

/** @type {Set<WeakRef<Function>>} */
const classes = new Set()
/** @type {WeakSet<Function>} */
const known = new WeakSet()

if (file !== undefined && process.argv.includes("gateway")) {
  let current
  Object.defineProperty(globalThis, key, {
    configurable: true,
    get: () => current,
    set: (fiber) => {
      current = fiber
      const found = fiber?.constructor
      if (found === undefined || known.has(found)) return
      known.add(found)
      classes.add(new WeakRef(found))
    }
  })
  setInterval(() => {
    if (!existsSync(`${file}.ask`)) return
    rmSync(`${file}.ask`)
    /** @type {Record<string, number>} */
    const counts = { files: 0, fibers: 0, listeners: 0 }
    for (const one of classes) {
      const found = one.deref()
      if (found !== undefined) counts.fibers += queryObjects(found, { format: "count" })
    }
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
    for (const name of process.eventNames()) counts.listeners += process.listenerCount(name)
    if (existsSync("/proc/self/fd")) counts.files = readdirSync("/proc/self/fd").length
    writeFileSync(`${file}.new`, JSON.stringify(counts))
    renameSync(`${file}.new`, file)
  }, 100).unref()
}
