/**
 * What a folder says of the agent that works in it: its README, package files and skills, for a proposal. It is read
 * for a model, so it is bounded in files, bytes, depth and time; hidden and ignored files and whatever looks like a
 * secret are left out, masks go over the rest, and no link leads out of the folder. It never fails: what cannot be
 * read is not there.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as IgnoreRules from "./IgnoreRules.ts"
import { isSecretName, masked } from "./SecretText.ts"
import { nothing, type Study, type StudiedFile } from "./WorkspaceText.ts"

export interface Options {
  readonly folder: string
  /** 5 seconds by default: what was read until then is the study. */
  readonly timeout?: Duration.Input | undefined
}

export const bounds = {
  files: 24,
  /** Of one file. */
  bytes: 8 * 1024,
  totalBytes: 48 * 1024,
  /** Of a package.json, which is not shown but picked from. */
  packageBytes: 256 * 1024,
  /** Looked at in one folder. */
  entries: 2_000,
  /** Told of the folder. */
  names: 60,
  skills: 16
} as const

/** In the order of what they say. */
const readme = /^readme(?:[.-][\w.-]{1,20})?$/i
const packages = [
  "package.json",
  "pyproject.toml",
  "Cargo.toml",
  "go.mod",
  "composer.json",
  "deno.json",
  "pubspec.yaml",
  "setup.cfg",
  "pom.xml",
  "build.gradle",
  "Gemfile"
]
const descriptions = ["AGENTS.md", "SKILL.md"]
const skillFolders = new Set(["skills", "skill"])
/** Others' code and what a build leaves behind. */
const passedOver = new Set([
  "node_modules",
  "vendor",
  "dist",
  "build",
  "out",
  "target",
  "venv",
  "__pycache__",
  "coverage"
])

/** All that is told of a package.json: scripts and settings of tools hold what is nobody's business. */
const Package = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.optionalKey(Schema.String),
    description: Schema.optionalKey(Schema.String),
    keywords: Schema.optionalKey(Schema.Array(Schema.String)),
    dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
  })
)
const decodePackage = Schema.decodeUnknownOption(Package)

const packageText = (text: string): string | undefined =>
  Option.getOrUndefined(
    Option.map(decodePackage(text), ({ dependencies, description, keywords, name }) =>
      JSON.stringify({
        name: name?.slice(0, 200),
        description: description?.slice(0, 2_000),
        keywords: keywords?.slice(0, 40).map((word) => word.slice(0, 100)),
        dependencies: dependencies && Object.keys(dependencies).slice(0, 40)
      })
    )
  )

/** Text whose last character may be cut in two; undefined where the bytes are no text. */
const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true })
    return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

const isShown = (name: string): boolean =>
  !isSecretName(name) && !passedOver.has(name) && name.length <= 200 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)

interface Entry {
  readonly name: string
  readonly isFolder: boolean
}

export const study = Effect.fn("WorkspaceStudy.study")(function* (
  options: Options
): Effect.fn.Return<Study, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* Effect.option(fs.realPath(options.folder))
  if (Option.isNone(root)) return nothing
  const files: Array<StudiedFile> = []
  let names: ReadonlyArray<string> = []
  let rest: number = bounds.totalBytes

  /** Where a path inside the folder really leads; undefined where that is outside, hidden, secret or ignored. */
  const resolved = Effect.fnUntraced(function* (relative: string, rules: IgnoreRules.Rules) {
    const real = yield* fs.realPath(path.join(root.value, relative))
    const inside = path.relative(root.value, real).split(path.sep).join("/")
    const steps = inside.split("/")
    if (inside === "" || path.isAbsolute(inside) || !steps.every(isShown)) return undefined
    const info = yield* fs.stat(real)
    const isIgnored = steps.some((_, depth) =>
      IgnoreRules.ignores(
        rules,
        steps.slice(0, depth + 1).join("/"),
        depth < steps.length - 1 || info.type === "Directory"
      )
    )
    return isIgnored ? undefined : { real, info }
  })

  /** Opened, not slurped: a README may be of any size. */
  const readBeginning = (real: string, bytes: number) =>
    Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(real, { flag: "r" })
        return Option.getOrUndefined(yield* file.readAlloc(bytes))
      })
    )

  const add = Effect.fnUntraced(
    function* (relative: string, rules: IgnoreRules.Rules) {
      if (files.length >= bounds.files || rest <= 0) return
      const found = yield* resolved(relative, rules)
      // A pipe or a device would be waited for.
      if (found === undefined || found.info.type !== "File") return
      const isPackage = path.basename(relative) === "package.json"
      const limit = isPackage ? bounds.packageBytes : Math.min(bounds.bytes, rest)
      const bytes = yield* readBeginning(found.real, limit)
      const content = bytes && decodeText(bytes)
      const picked = content !== undefined && isPackage ? packageText(content) : content
      if (picked === undefined || picked.trim() === "") return
      const cut = !isPackage && Number(found.info.size) > limit
      // Half a secret looks like none: the last word of what was cut goes.
      const end = cut ? Math.max(0, picked.lastIndexOf("\n"), picked.lastIndexOf(" ")) : picked.length
      const text = masked(picked.slice(0, end))
      if (text === "") return
      rest -= text.length
      files.push({ path: relative, text, cut })
    },
    (reading) => Effect.ignore(reading)
  )

  const list = (relative: string, rules: IgnoreRules.Rules): Effect.Effect<ReadonlyArray<Entry>> =>
    fs.readDirectoryEntries(path.join(root.value, relative)).pipe(
      Effect.map((entries) =>
        entries
          .slice(0, bounds.entries)
          .map(({ name, type }) => ({ name, isFolder: type === "Directory" }))
          .filter(
            ({ isFolder, name }) =>
              isShown(name) && !IgnoreRules.ignores(rules, relative === "" ? name : `${relative}/${name}`, isFolder)
          )
          .sort((one, other) => (one.name < other.name ? -1 : 1))
      ),
      Effect.orElseSucceed(() => [])
    )

  const rulesOf = (rules: IgnoreRules.Rules, relative: string) =>
    Effect.gen(function* () {
      const file = path.join(root.value, relative, ".gitignore")
      if ((yield* fs.stat(file)).type !== "File") return rules
      const bytes = yield* readBeginning(file, bounds.packageBytes)
      return IgnoreRules.add(rules, relative, (bytes && decodeText(bytes)) ?? "")
    }).pipe(Effect.orElseSucceed(() => rules))

  /** `skills/one.md` and `skills/one/SKILL.md`. */
  const addSkills = Effect.fnUntraced(function* (folder: string, above: IgnoreRules.Rules) {
    const rules = yield* rulesOf(above, folder)
    const skills = (yield* list(folder, rules)).slice(0, bounds.skills)
    for (const { isFolder, name } of skills) {
      if (isFolder) yield* add(`${folder}/${name}/SKILL.md`, yield* rulesOf(rules, `${folder}/${name}`))
      else if (name.toLowerCase().endsWith(".md")) yield* add(`${folder}/${name}`, rules)
    }
  })

  yield* Effect.gen(function* () {
    const rules = yield* rulesOf(IgnoreRules.none, "")
    const entries = yield* list("", rules)
    const has = new Set(entries.map(({ name }) => name))
    for (const { name } of entries.filter((entry) => readme.test(entry.name)).slice(0, 3)) yield* add(name, rules)
    for (const name of [...packages, ...descriptions].filter((one) => has.has(one))) yield* add(name, rules)
    for (const { isFolder, name } of entries) {
      if (isFolder && skillFolders.has(name.toLowerCase())) yield* addSkills(name, rules)
    }
    // What lies in a folder that is no project (a home, say) is nobody's business.
    if (files.length > 0) {
      names = entries.slice(0, bounds.names).map(({ isFolder, name }) => (isFolder ? `${name}/` : name))
    }
  }).pipe(Effect.timeoutOption(options.timeout ?? "5 seconds"))

  return { folder: path.basename(root.value), names: names.map(masked), files }
})
