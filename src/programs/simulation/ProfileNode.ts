/** Law whole-file: a profile is written over and over by processes that die at any operation; there is always a whole one. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import { SimFiles } from "../../layers/simulation/Files.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Stage } from "./Stage.ts"

const root = "/home/.insta"
const path = `${root}/config/profile.json`
const rounds = 4

const profile = (round: number): Profile => ({
  app_key: `key ${round}`,
  app_secret: Redacted.make(`secret of round ${round}`),
  claw_id: "claw_1",
  name: `name ${round}`,
  description: "",
  avatar: "",
  hourly_rate: 0,
  scene_tags: [],
  custom_tags: [],
  instance_type: 0,
  origin: undefined,
  extra: {}
})

/** Runs to its end within a few virtual seconds. */
export const run = async (stage: Stage): Promise<void> => {
  const chance = stage.chance("profile")
  const files = new SimFiles()
  const power = stage.plan.profile.death === "power"
  let certain = 0
  for (let round = 0; round < rounds; round++) {
    const machine = stage.engine.machine(`profile/${round}`)
    // The first one is left in peace: before it there is nothing to be kept.
    files.left = round === 0 ? Number.POSITIVE_INFINITY : chance.int(0, 24)
    const withFiles = Effect.provideService(FileSystem.FileSystem, files.service)
    const save = Effect.flatMap(FileProfileStore.make({ root, lockWait: 0 }), (store) => store.save(profile(round)))
    let saved = false
    machine.fork(withFiles(save)).addObserver((exit) => {
      saved = exit._tag === "Success"
    })
    await stage.engine.run(stage.engine.now + 1_000)
    machine.kill()
    if (power) files.powerCut()
    else files.crash()
    files.forget(".lock")
    if (saved) certain = round
    const reader = stage.engine.machine(`profile reader/${round}`)
    let seen: string | undefined
    const load = Effect.flatMap(FileProfileStore.make({ root, lockWait: 0 }), (store) => store.load)
    reader.fork(withFiles(load)).addObserver((exit) => {
      if (exit._tag === "Success" && Option.isSome(exit.value)) {
        const { app_key, app_secret } = exit.value.value
        seen = app_key === `key ${Redacted.value(app_secret).split(" ").at(-1)}` ? app_key : "a mixture"
      } else seen = exit._tag === "Success" ? "nothing" : "a damaged file"
    })
    await stage.engine.run(stage.engine.now + 1_000)
    stage.trace("profile", `round ${round}: ${saved ? "saved" : "died"}, then ${seen}`)
    const allowed = new Set([`key ${certain}`, `key ${round}`])
    stage.laws.check("whole-file", seen !== undefined && allowed.has(seen), () => {
      return `after round ${round} (${saved ? "saved" : "died"}) there is ${seen}, ${[...allowed].join(" or ")} was due`
    })
    stage.laws.check(
      "whole-file",
      files.mode(path) === 0o600,
      () => `the profile has mode ${files.mode(path)?.toString(8)}`
    )
    if (seen === `key ${round}`) certain = round
  }
}
