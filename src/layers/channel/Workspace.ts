/**
 * One folder, and no way out of it: a model names paths in it, and none of them leads elsewhere (no `..`, no absolute
 * path, no symbolic link on the way), to anything hidden or to what has the name of a secret (law confined). Bounded in
 * what is read, written and kept.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { fileBounds } from "../../services/protocol/TaskTools.ts"
import { isSecretName } from "./SecretText.ts"

/** `path` is as it was given. `detail` is for whoever gave it. */
export class WorkspaceError extends Schema.TaggedError<WorkspaceError>()("WorkspaceError", {
  reason: Schema.Literals(["refused", "unusable", "too-large"]),
  detail: Schema.String
}) {}

export interface Listed {
  /** Inside the folder, with `/`. */
  readonly path: string
  readonly bytes: number
}

export interface Workspace {
  readonly folder: string
  /** The file on this machine, if it may be read: for those who send it. */
  readonly file: (path: string) => Effect.Effect<string, WorkspaceError>
  readonly read: (path: string) => Effect.Effect<string, WorkspaceError>
  readonly write: (path: string, text: string) => Effect.Effect<number, WorkspaceError>
  /** Of the folder, or of one below it. Links and what is hidden are left out. */
  readonly list: (below?: string) => Effect.Effect<ReadonlyArray<Listed>, WorkspaceError>
}

const error = (reason: WorkspaceError["reason"], detail: string) => new WorkspaceError({ reason, detail })
const refuse = (detail: string) => Effect.fail(error("refused", detail))

const mebibyte = 1024 * 1024
/** A file that is read is in memory for a moment. */
const maxRead = 8 * mebibyte
const deepest = 8

/** `undefined`: no path that may be named. */
const stepsOf = (path: string): ReadonlyArray<string> | string => {
  const steps = path.replace(/^\.\//, "").split("/")
  if (path.length > 300 || steps.length > deepest) return "The path is too long."
  if (path.startsWith("/") || path.includes("\\") || /^[A-Za-z]:/.test(path) || path.includes("\0")) {
    return "Name a path inside the work folder, with / between folders."
  }
  if (steps.some((step) => step === ".." || step === "." || step === "")) {
    return "The path may not lead out of the work folder, nor hold empty steps."
  }
  if (/[\p{Cc}\p{Cf}]/u.test(path)) return "The path holds characters that cannot be seen."
  if (steps.some(isSecretName)) return "Files that are hidden, or named like a secret, are not for this."
  return steps
}

export const make = (fs: FileSystem.FileSystem, folder: string): Workspace => {
  const cannot = (path: string, what: string) => () => error("unusable", `${path} cannot be ${what}.`)
  const missing = (path: string) => error("unusable", `There is no file ${path}.`)

  /** No step on the way is a link. Gives the place on this machine, and what is there. */
  const find = Effect.fnUntraced(function* (path: string) {
    const steps = stepsOf(path)
    if (typeof steps === "string") return yield* refuse(steps)
    let place = folder
    let kind: "File" | "Directory" | "nothing" = "Directory"
    let size = 0
    for (const [at, step] of steps.entries()) {
      place = `${place}/${step}`
      const info = yield* Effect.catchIf(
        fs.lstat(place),
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.undefined
      ).pipe(Effect.mapError(cannot(path, "looked at")))
      if (info === undefined) return { steps, place: [folder, ...steps].join("/"), kind: "nothing" as const, size: 0 }
      if (info.type === "SymbolicLink") return yield* refuse(`${path} leads through a link, and may not.`)
      const last = at === steps.length - 1
      if (info.type !== "Directory" && !(last && info.type === "File")) {
        return yield* error("unusable", `${path} is neither a file nor a folder.`)
      }
      kind = info.type === "File" ? "File" : "Directory"
      size = Number(info.size)
    }
    return { steps, place, kind, size }
  })

  const file = Effect.fnUntraced(function* (path: string) {
    const found = yield* find(path)
    return found.kind === "File" ? found : yield* missing(path)
  })

  const list: Workspace["list"] = Effect.fnUntraced(function* (below) {
    const found: Array<Listed> = []
    const walk = (place: string, prefix: string, depth: number): Effect.Effect<void, WorkspaceError> =>
      Effect.gen(function* () {
        const names = yield* Effect.mapError(fs.readDirectory(place), cannot(prefix === "" ? "It" : prefix, "read"))
        for (const name of names.toSorted()) {
          if (isSecretName(name)) continue
          const info = yield* Effect.mapError(fs.lstat(`${place}/${name}`), cannot(name, "looked at"))
          if (info.type === "Directory" && depth < deepest)
            yield* walk(`${place}/${name}`, `${prefix}${name}/`, depth + 1)
          if (info.type === "File") found.push({ path: `${prefix}${name}`, bytes: Number(info.size) })
          if (found.length > fileBounds.entries) {
            return yield* error("too-large", `There are more than ${fileBounds.entries} files in the work folder.`)
          }
        }
      })
    const from = below === undefined ? undefined : yield* find(below)
    if (from !== undefined && from.kind !== "Directory") return []
    yield* walk(from?.place ?? folder, below === undefined ? "" : `${below}/`, 1)
    return found
  })

  return {
    folder,
    list,
    file: (path) => Effect.map(file(path), ({ place }) => place),

    read: Effect.fnUntraced(function* (path) {
      const { place, size } = yield* file(path)
      if (size > maxRead) {
        return yield* error("too-large", `${path} is larger than ${maxRead / mebibyte} MiB, and is not read.`)
      }
      const bytes = yield* Effect.scoped(
        Effect.gen(function* () {
          const opened = yield* fs.open(place, { flag: "r", noFollow: true })
          const chunks: Array<Uint8Array> = []
          for (let left = size; left > 0;) {
            const chunk = yield* opened.readAlloc(Math.min(left, 256 * 1024))
            if (chunk._tag === "None") break
            chunks.push(chunk.value)
            left -= chunk.value.length
          }
          return Buffer.concat(chunks)
        })
      ).pipe(Effect.mapError(cannot(path, "read")))
      if (bytes.includes(0)) return yield* error("unusable", `${path} is no text file.`)
      return new TextDecoder().decode(bytes)
    }),

    write: Effect.fnUntraced(function* (path, text) {
      const bytes = new TextEncoder().encode(text)
      if (bytes.length > fileBounds.write) {
        return yield* error("too-large", `A file may have ${fileBounds.write / 1024} KiB. Write it in several.`)
      }
      const { kind, place, steps } = yield* find(path)
      if (kind === "Directory") return yield* error("unusable", `${path} is a folder.`)
      const there = yield* list()
      const kept = there.reduce((sum, one) => sum + (one.path === steps.join("/") ? 0 : one.bytes), bytes.length)
      if (kept > fileBounds.folder || (kind === "nothing" && there.length >= fileBounds.entries)) {
        return yield* error("too-large", "The work folder is full.")
      }
      const parent = place.slice(0, place.lastIndexOf("/"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* fs.makeDirectory(parent, { recursive: true, mode: 0o700 })
          const opened = yield* fs.open(place, { flag: "w", mode: 0o600, noFollow: true })
          yield* opened.writeAll(bytes)
        })
      ).pipe(Effect.mapError(cannot(path, "written")))
      return bytes.length
    })
  }
}
