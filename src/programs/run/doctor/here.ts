/** What `doctor` sees of this machine: the programs' own parts, the settings, the data folder. None fails. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { SettingsError, table } from "../../../services/channel/Settings.ts"
import { bad, type Finding, good, unknown } from "./Finding.ts"

export const version = (own: string): Finding => good("version", `clawfiber ${own}.`)

export const node = (version: string): Finding =>
  Number(version.split(".")[0]) >= 24
    ? good("node", `Node ${version}.`)
    : bad("node", `Node ${version} is too old. Install Node 24 or later.`)

export const settings = (
  fault: SettingsError | undefined,
  environment: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> => {
  if (fault !== undefined)
    return fault.faults.map((one) => bad("settings", new SettingsError({ faults: [one] }).message))
  const set = Object.values(table).filter(({ name }) => (environment[name] ?? "") !== "")
  return [
    good("settings", set.length === 0 ? "All at their defaults." : `Set: ${set.map(({ name }) => name).join(", ")}.`)
  ]
}

export const data = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const there = yield* Effect.option(fs.stat(folder))
  if (Option.isNone(there)) return unknown("data", `${folder} is not there yet: \`clawfiber up\` makes it.`)
  if (there.value.type !== "Directory") return bad("data", `${folder} is not a folder. Name another with --data.`)
  return yield* fs.access(folder, { readable: true, writable: true }).pipe(
    Effect.match({
      onFailure: () => bad("data", `${folder} cannot be written. Mend its permissions, or name another with --data.`),
      onSuccess: () =>
        (there.value.mode & 0o077) === 0 || process.getuid === undefined
          ? good("data", `${folder} is there and yours alone.`)
          : bad("data", `${folder} is open to other users of this machine. Mend it with: chmod 700 ${folder}`)
    })
  )
})
