/**
 * Loaded before `clawfiber work`: ends the process with SIGKILL at one of its steps, right before or right after that
 * state of its job is on disk. `DIE_AT=submitting:before`: what the state before it names has been done, and nobody
 * knows; `:after`: it is written down, and nothing of it is done.
 */
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

const [wanted, when] = (process.env["DIE_AT"] ?? "").split(":")
const { rename } = fs

const die = (): never => {
  process.kill(process.pid, "SIGKILL")
  throw new Error("still alive")
}

const dying = (from: fs.PathLike, to: fs.PathLike, done: (error: NodeJS.ErrnoException | null) => void): void => {
  const isHere =
    String(to).endsWith("/job.json") && JSON.parse(fs.readFileSync(String(from), "utf8"))["state"] === wanted
  if (isHere && when === "before") die()
  rename(from, to, (error) => {
    if (isHere && when === "after") die()
    done(error)
  })
}

fs.rename = Object.assign(dying, { __promisify__: rename.__promisify__ })
syncBuiltinESMExports()
