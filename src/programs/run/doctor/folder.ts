/**
 * What `doctor` sees of one account's folder: modes, profile, lock. None fails. Modes that are too open are mended, and
 * that is said.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as FileLock from "../../../layers/files/FileLock.ts"
import { type Profile, ProfileStore } from "../../../services/channel/ProfileStore.ts"
import { bad, good, unknown } from "./Finding.ts"

const folders = ["", "/config", "/transcripts"]
const files = [
  "/config/profile.json",
  "/pending.json",
  "/.activate_session",
  "/.line.lock",
  "/journal.sqlite",
  "/control.token",
  "/claworld.json"
]

/** To be asked before anything else reads: reading a profile mends its modes too. */
export const modes = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const uid = process.getuid?.()
  if (uid === undefined) return unknown("modes", "This system has no owners and modes as they are looked at here.")
  const found: Array<string> = []
  const mended: Array<string> = []
  for (const [names, mode] of [
    [folders, 0o700],
    [files, 0o600]
  ] as const) {
    for (const name of names) {
      const path = `${root}${name}`
      const info = yield* Effect.option(fs.stat(path))
      if (Option.isNone(info)) continue
      if (Option.isSome(info.value.uid) && info.value.uid.value !== uid) {
        return bad(
          "modes",
          `${path} belongs to another user of this machine and is not trusted. Take ownership of it, or move it away.`
        )
      }
      found.push(path)
      if ((info.value.mode & 0o777 & ~mode) === 0) continue
      const done = yield* Effect.isSuccess(fs.chmod(path, mode))
      if (!done)
        return bad(
          "modes",
          `${path} is open to other users of this machine. Mend it with: chmod ${mode.toString(8)} ${path}`
        )
      mended.push(path)
    }
  }
  if (found.length === 0) return unknown("modes", `There is nothing in ${root} yet.`)
  return mended.length === 0
    ? good("modes", `What is in ${root} is yours alone.`)
    : good(
        "modes",
        `Open to other users of this machine until now, and yours alone from now on: ${mended.join(", ")}. Was somebody there? Then register anew.`
      )
})

const whatNext =
  "`clawfiber up` needs none; for another platform `clawfiber connect` makes a proposal and `clawfiber register` confirms one."

export const profile = Effect.fnUntraced(function* (root: string) {
  const store = yield* ProfileStore
  return yield* store.load.pipe(
    Effect.match({
      onFailure: (error) => ({ profile: Option.none<Profile>(), finding: bad("profile", error.message) }),
      onSuccess: (found) => ({
        profile: found,
        finding: Option.match(found, {
          onNone: () => unknown("profile", `There is none in ${root}. ${whatNext}`),
          onSome: ({ claw_id, name, origin }) =>
            good(
              "profile",
              `${name} (${claw_id}), readable by you alone, issued by ${origin ?? "a platform that it does not name"}.`
            )
        })
      })
    })
  )
})

/** Who is on the line with this account now. */
export const owner = Effect.fnUntraced(function* (root: string) {
  const held = yield* Effect.scoped(Effect.flip(FileLock.hold(`${root}/.line.lock`, { wait: 0 }))).pipe(Effect.option)
  return Option.isSome(held) && held.value._tag === "Held" ? held.value.owner : undefined
})
