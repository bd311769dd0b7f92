/**
 * What is handed in for a task, as one archive (PROTOCOL A5): `output/<files>`, `result.txt` and `metadata.json`. It is
 * there whole or not at all, and a file that changes while it is read spoils it.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { FileUnusable } from "../../services/channel/TaskApi.ts"
import { bounds } from "../../services/protocol/Market.ts"
import * as ownFile from "./ownFile.ts"
import * as zip from "./zip.ts"

export interface Input {
  readonly taskId: string
  readonly title: string
  /** Milliseconds since the epoch. */
  readonly completedAt: number
  /** In words, what was done. */
  readonly result: string
  readonly files: ReadonlyArray<OutputFile>
  /** Where the archive is written: a name made by `nameOf`, in a folder that is there. */
  readonly path: string
}

export interface OutputFile {
  /** On this machine. */
  readonly path: string
  /** Below `output/`, with `/` between folders. */
  readonly name: string
}

export interface Packed {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

export const maxFiles = 1_000

/** `delivery_{task_id}_{rand}.zip`, with nothing in it that a file system or a shell takes amiss. */
export const nameOf = (taskId: string, random: string): string =>
  `delivery_${taskId.replace(/[^\w-]/g, "_").slice(0, 80)}_${random}.zip`

const inOrder = (files: ReadonlyArray<OutputFile>) =>
  files.toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))

/** Names go into somebody else's unpacking: none may lead out of its folder, and none may be there twice. */
const faultOf = (files: ReadonlyArray<OutputFile>): FileUnusable | undefined => {
  const seen = new Set<string>()
  for (const { name, path } of files) {
    const steps = name.split("/")
    if (steps.some((step) => step === "" || step === "." || step === ".." || /[\\:\p{Cc}]/u.test(step))) {
      return new FileUnusable({ path, detail: "its name cannot stand in an archive" })
    }
    if (seen.has(name)) return new FileUnusable({ path, detail: "another file has the same name" })
    seen.add(name)
  }
  return files.length > maxFiles
    ? new FileUnusable({ path: files[maxFiles]?.path ?? "", detail: `there are more than ${maxFiles} files` })
    : undefined
}

const text = (name: string, content: () => string): zip.Entry<never> => ({
  name,
  // Small for certain, so it is measured when it is packed.
  size: 0,
  content: Stream.suspend(() => Stream.succeed(new TextEncoder().encode(content())))
})

export const make = Effect.fn("deliveryArchive.make")(function* (
  fs: FileSystem.FileSystem,
  input: Input
): Effect.fn.Return<{ readonly size: number; readonly files: ReadonlyArray<Packed> }, FileUnusable> {
  const own = ownFile.make(fs)
  const fault = faultOf(input.files)
  if (fault !== undefined) return yield* fault
  const packed: Array<Packed> = []
  let room: number = bounds.archiveBytes
  const outputs: Array<zip.Entry<FileUnusable>> = []
  for (const { name, path } of inOrder(input.files)) {
    const look = yield* own.look(path, room)
    room -= look.size
    const measured: ownFile.Measured = { size: 0, sha256: undefined }
    outputs.push({
      name: `output/${name}`,
      size: look.size,
      content: own.content(look, measured).pipe(
        Stream.concat(
          Stream.suspend(() => {
            packed.push({ name: `output/${name}`, size: measured.size, sha256: measured.sha256 ?? "" })
            return Stream.empty
          })
        )
      )
    })
  }
  const metadata = () =>
    `${JSON.stringify(
      {
        task_id: input.taskId,
        title: input.title,
        completed_at: Option.match(DateTime.make(input.completedAt), {
          onNone: () => null,
          onSome: DateTime.formatIso
        }),
        artifacts: packed
      },
      null,
      2
    )}\n`
  const entries = [...outputs, text("result.txt", () => `${input.result}\n`), text("metadata.json", metadata)]
  const part = `${input.path}.part`
  const unwritable = () => new FileUnusable({ path: input.path, detail: "it cannot be written" })
  const written = Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.mapError(fs.remove(part, { force: true }), unwritable)
      const file = yield* Effect.mapError(fs.open(part, { flag: "wx", mode: 0o600 }), unwritable)
      const size = yield* zip
        .write(file, entries, input.completedAt)
        .pipe(Effect.mapError((error) => (error._tag === "FileUnusable" ? error : unwritable())))
      yield* Effect.mapError(file.sync, unwritable)
      return size
    })
  )
  const size = yield* written.pipe(
    Effect.tap(() => Effect.mapError(fs.rename(part, input.path), unwritable)),
    Effect.onError(() => Effect.ignore(fs.remove(part, { force: true })))
  )
  return { size, files: packed }
})
