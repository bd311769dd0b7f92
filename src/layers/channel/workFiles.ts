/**
 * Where the work of an account lies: a folder for each task, with `job.json` (where it stands; written whole, law
 * whole-file), `desk/` (all that the agent sees: `input/` and `output/`) and the archive. Whoever else works here is
 * kept out by a lock.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Job } from "../../services/channel/Work.ts"
import * as profileFiles from "./profileFiles.ts"

/** The folder cannot be read or written: nothing is begun that could not be remembered. */
export class WorkFilesError extends Schema.TaggedError<WorkFilesError>()("WorkFilesError", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} cannot be read or written. Mend its permissions, or free some space; nothing more is begun until then.`
  }
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Job))

/** One folder to a task, whatever characters its id has. */
export const nameOf = (taskId: string): string => {
  const plain = taskId.replace(/[^\w-]/g, "_").slice(0, 80)
  return plain === taskId ? plain : `${plain}-${createHash("sha256").update(taskId).digest("hex").slice(0, 8)}`
}

export const make = (fs: FileSystem.FileSystem, root: string, uid: number | undefined) => {
  const files = profileFiles.make(fs, uid)
  const failed = (path: string) => () => new WorkFilesError({ path })
  const folderOf = (taskId: string): string => `${root}/${nameOf(taskId)}`
  const makeFolder = (path: string) =>
    Effect.mapError(fs.makeDirectory(path, { recursive: true, mode: 0o700 }), failed(path))

  /** A damaged one is as good as none, which the log says. */
  const read = Effect.fnUntraced(function* (path: string): Effect.fn.Return<Job | undefined, WorkFilesError> {
    const text = yield* fs.readFileString(path).pipe(
      Effect.catchIf(
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.undefined
      ),
      Effect.mapError(failed(path))
    )
    if (text === undefined) return undefined
    const job = Option.getOrUndefined(decode(text))
    if (job === undefined) yield* Effect.logWarning(`${path} is damaged, so what it says of a task is not known.`)
    return job
  })

  return {
    folderOf,
    deskOf: (taskId: string): string => `${folderOf(taskId)}/desk`,

    all: Effect.gen(function* () {
      yield* makeFolder(root)
      const names = yield* Effect.mapError(fs.readDirectory(root), failed(root))
      const jobs: Array<Job> = []
      for (const name of names.toSorted()) {
        const found = yield* read(`${root}/${name}/job.json`).pipe(
          // A file among the folders.
          Effect.catch(() => Effect.undefined)
        )
        if (found !== undefined) jobs.push(found)
      }
      return jobs
    }),

    /** True of the disk before the caller goes on. */
    save: Effect.fnUntraced(function* (job: Job): Effect.fn.Return<void, WorkFilesError> {
      const folder = folderOf(job.taskId)
      yield* makeFolder(folder)
      const path = `${folder}/job.json`
      yield* Effect.mapError(files.write(path, `${JSON.stringify(job, null, 2)}\n`), failed(path))
    }),

    /** What an earlier run made is gone; the input stays to be fetched again. */
    clearDesk: Effect.fnUntraced(function* (taskId: string): Effect.fn.Return<string, WorkFilesError> {
      const desk = `${folderOf(taskId)}/desk`
      yield* Effect.mapError(fs.remove(desk, { recursive: true, force: true }), failed(desk))
      yield* makeFolder(`${desk}/input`)
      yield* makeFolder(`${desk}/output`)
      return desk
    })
  }
}

export type WorkFiles = ReturnType<typeof make>
