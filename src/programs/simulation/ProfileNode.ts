/**
 * Law whole-file: a profile is written over and over by processes that die at any operation; there is always a whole
 * one, and what a newer version wrote into it stays. Law secret: whatever is wrong with a file, nobody is told what is
 * in it. Law stop: a writer leaves no lock.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import { SimFiles } from "../../layers/simulation/Files.ts"
import type { Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Stage } from "./Stage.ts"

const root = "/home/.insta"
const folder = `${root}/config`
const path = `${folder}/profile.json`
const activation = `${root}/.activate_session`
const rounds = 6
/** After it a newer version of the program writes the profile, with a key that this one does not know. */
const newer = { round: 1, key: "from_a_newer_version", value: { kept: true } } as const

const secretOf = (round: number): string => `secret of round ${round}`

const profile = (round: number, extra: Profile["extra"]): Profile => ({
  app_key: `key ${round}`,
  app_secret: Redacted.make(secretOf(round)),
  claw_id: "claw_1",
  name: `name ${round}`,
  description: "",
  avatar: "",
  hourly_rate: 0,
  scene_tags: [],
  custom_tags: [],
  instance_type: 0,
  origin: undefined,
  extra
})

type Store = ProfileStore["Service"]

class Home {
  readonly stage: Stage
  readonly files = new SimFiles()

  constructor(stage: Stage) {
    this.stage = stage
  }

  /** One process that does one thing with the profile and is gone. Undefined: it failed, or never came to its end. */
  async process<A, E>(name: string, work: (store: Store) => Effect.Effect<A, E>): Promise<A | undefined> {
    const { engine } = this.stage
    const machine = engine.machine(`profile ${name}`)
    machine.onLog = (text, whole) => {
      this.stage.trace("profile", text)
      this.stage.guard(`profile ${name} logged`, whole)
    }
    const whole = Effect.flatMap(FileProfileStore.make({ root, lockWait: 0 }), work)
    let result: A | undefined
    machine.fork(Effect.provideService(whole, FileSystem.FileSystem, this.files.service)).addObserver((exit) => {
      if (exit._tag === "Success") result = exit.value
      else this.stage.guard(`profile ${name} failed with`, Cause.pretty(exit.cause))
    })
    await engine.run(engine.now + 1_000)
    machine.kill()
    return result
  }

  /** Which round's profile there is, in words where there is none that can be used. */
  async read(round: number): Promise<string> {
    const found = await this.process(`reader ${round}`, (store) => store.load)
    if (found === undefined) return "a damaged file"
    if (Option.isNone(found)) return "nothing"
    const { app_key, app_secret } = found.value
    return app_key === `key ${Redacted.value(app_secret).split(" ").at(-1)}` ? app_key : "a mixture"
  }
}

const write = async (home: Home): Promise<void> => {
  const { files, stage } = home
  const { laws } = stage
  const chance = stage.chance("profile")
  const power = stage.plan.profile.death === "power"
  let certain = 0
  for (let round = 0; round < rounds; round++) {
    stage.secrets.add(secretOf(round))
    // The first one is left in peace: before it there is nothing to be kept.
    files.left = round === 0 ? Number.POSITIVE_INFINITY : chance.int(0, 40)
    const done = await home.process(`writer ${round}`, (store) =>
      Effect.flatMap(store.load, (before) => {
        const extra = Option.isSome(before) ? before.value.extra : {}
        return Effect.as(store.save(profile(round, extra)), true)
      })
    )
    const saved = done === true
    const beside = files.list(folder).filter((name) => name !== "profile.json")
    // It may have died after its last word, with its lock in the hand.
    const alive = saved && files.left >= 0
    const locks = beside.filter((name) => name.endsWith(".lock"))
    laws.check(
      "stop",
      !alive || locks.length === 0,
      () => `round ${round} saved, and left the lock ${locks.join(", ")}`
    )
    laws.check("whole-file", saved || files.left < 0, () => `round ${round} could not save, and nothing was wrong`)
    const rest = beside.filter((name) => !name.endsWith(".lock"))
    laws.check(
      "whole-file",
      !alive || rest.length === 0,
      () => `beside the profile of round ${round}: ${rest.join(", ")}`
    )
    // Before anybody reads it: a reader tightens what it finds, and others may have read it by then.
    for (const name of files.list(folder)) {
      const mode = files.mode(`${folder}/${name}`)
      laws.check("whole-file", mode === 0o600, () => `${name} has mode ${mode?.toString(8)}`)
    }
    if (power) files.powerCut()
    else files.crash()
    files.forget(".lock")
    if (saved) certain = round
    const seen = await home.read(round)
    stage.trace("profile", `round ${round}: ${saved ? "saved" : "died"}, then ${seen}`)
    const allowed = new Set([`key ${certain}`, `key ${round}`])
    laws.check("whole-file", allowed.has(seen), () => {
      return `after round ${round} (${saved ? "saved" : "died"}) there is ${seen}, ${[...allowed].join(" or ")} was due`
    })
    if (seen === `key ${round}`) certain = round
    const kept = round <= newer.round || files.text(path)?.includes(newer.key) === true
    laws.check("whole-file", kept, () => `round ${round} lost what a newer version had written`)
    if (round !== newer.round) continue
    const text = files.text(path)?.trimEnd() ?? "{}"
    files.put(path, `${text.slice(0, -1)},"${newer.key}":${JSON.stringify(newer.value)}}`)
  }
}

/** Files that a hand has spoilt: they hold a secret all the same. */
const spoilt = (secret: string): ReadonlyArray<string> => [
  JSON.stringify({ app_key: "key", app_secret: { was: secret }, claw_id: "claw_1" }),
  JSON.stringify({ app_key: [secret], app_secret: secret, claw_id: "claw_1" }),
  JSON.stringify({ app_secret: secret }),
  `{"app_key": "key", "app_secret": ${secret}}`,
  `{"app_key": "key", "app_secret": "${secret}`,
  secret
]

const spoil = async (home: Home): Promise<void> => {
  const { files, stage } = home
  const { laws } = stage
  const secret = "canary"
  // What a parser repeats of a text is a few characters of it.
  stage.secrets.add(secret)
  const token = "the token of an activation"
  stage.secrets.add(token)
  files.put(activation, JSON.stringify({ session_token: token, "from a newer version": 1 }))
  const read = await home.process("activation", (store) => store.activationToken)
  const same = read !== undefined && Option.isSome(read) && Redacted.value(read.value) === token
  laws.check("whole-file", same, () => "an activation with a key of a newer version is not read")
  for (const [index, text] of spoilt(secret).entries()) {
    files.put(path, text)
    files.put(activation, text)
    const seen = await home.read(index)
    laws.check("whole-file", seen === "a damaged file", () => `a spoilt profile is read as ${seen}`)
    await home.process(`activation ${index}`, (store) => store.activationToken)
  }
}

/** Runs to its end within a few virtual seconds. */
export const run = async (stage: Stage): Promise<void> => {
  const home = new Home(stage)
  await write(home)
  await spoil(home)
}
