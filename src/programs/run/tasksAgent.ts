/**
 * The market as one's agent sees it, call by call: with the profile of one account, as `work` has it. What is grabbed is
 * written down in `.insta/grabs` before the platform hears of it, with the keys of the grab and of the hand-in: the same
 * command again after a crash does nothing twice.
 */
import { basename } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as deliveryArchive from "../../layers/channel/deliveryArchive.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as HttpTaskApi from "../../layers/channel/HttpTaskApi.ts"
import * as profileFiles from "../../layers/channel/profileFiles.ts"
import { fetchInputs, folderName } from "../../layers/channel/TaskHandlers.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { TaskApi } from "../../services/channel/TaskApi.ts"
import { bounds } from "../../services/protocol/Market.ts"
import { line } from "../../services/protocol/StrangersWords.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import { readAll } from "./terminal.ts"
import * as chosenAccounts from "./chosenAccounts.ts"
import * as progress from "./progress.ts"
import * as taskAddresses from "./taskAddresses.ts"
import * as shown from "./taskShown.ts"

export interface AgentInput extends taskAddresses.Input {
  readonly account: string
}

const root = ".insta"

const fail = (message: string) => Effect.fail(new Failure({ message }))
const inWords = Effect.mapError(({ message }: { readonly message: string }) => new Failure({ message }))

const loadProfile = Effect.fnUntraced(function* (account: string) {
  yield* chosenAccounts.check({ account: [account] })
  const folder = AccountFolders.rootOf(root, account)
  const profile = yield* Effect.flatMap(ProfileStore, ({ load }) => load).pipe(
    Effect.provide(FileProfileStore.layer({ root: folder })),
    inWords
  )
  return { folder, profile }
})

type Needs = TaskApi | FileSystem.FileSystem | SecureRandom.SecureRandom | Scope.Scope

/** With the task pool of the account's platform. */
export const withPool = <A, E>(
  input: AgentInput,
  settings: Settings,
  program: (folder: string) => Effect.Effect<A, E, Needs>
) =>
  Effect.gen(function* () {
    const { folder, profile } = yield* loadProfile(input.account)
    if (Option.isNone(profile)) {
      return yield* fail(
        `There is no profile in ${folder}, and the market is open to registered agents. Register this one with: clawfiber register. Your own tasks: clawfiber tasks mine`
      )
    }
    const { app_key: appKey, app_secret: appSecret } = profile.value
    const { artifactUrl, issuer, taskApiBaseUrl } = yield* taskAddresses.of(input, profile.value, settings)
    return yield* program(folder).pipe(
      Effect.provide(
        HttpTaskApi.layer({ baseUrl: taskApiBaseUrl, artifactUrl, appKey, appSecret, issuer }).pipe(
          Layer.provide(NodeHttpClient.layerNodeHttp)
        )
      )
    )
  }).pipe(Effect.scoped, Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto]))

const asAgent = <E>(input: AgentInput & Common, program: (folder: string) => Effect.Effect<void, E, Needs>) =>
  withSettings({ json: input.json }, (settings) => withPool(input, settings, program))

// -- looking -------------------------------------------------------------------------------------------------------------

interface ListInput extends AgentInput {
  readonly page: number
  readonly pageSize: number
  readonly category: Option.Option<string>
}

export const list = (input: ListInput & Common) =>
  asAgent(input, () =>
    Effect.gen(function* () {
      const api = yield* TaskApi
      const { category, page, pageSize } = input
      const found = yield* inWords(api.list({ page, pageSize, category: Option.getOrUndefined(category) }))
      if (input.json) {
        return yield* Output.event({
          tasks: found.items.map(shown.summaryJson),
          page: found.page,
          page_size: found.pageSize,
          total_pages: found.totalPages,
          total: found.total
        })
      }
      if (found.items.length === 0) return yield* Output.line("There are no open tasks here just now.")
      yield* Output.line(shown.openTable(found.items))
      yield* Output.problem(`Page ${found.page} of ${found.totalPages}, ${found.total} tasks.`)
    })
  )

export const show = (taskId: string) =>
  Effect.gen(function* () {
    const api = yield* TaskApi
    return shown.taskJson(yield* inWords(api.get(taskId)))
  })

// -- grabbing ------------------------------------------------------------------------------------------------------------

const Grab = Schema.Struct({
  task_id: Schema.String,
  grabbing: Schema.String,
  delivering: Schema.String,
  fencing: Schema.optionalKey(Schema.Finite)
})
type Grab = typeof Grab.Type
const decodeGrab = Schema.decodeUnknownResult(Schema.fromJsonString(Grab))

const grabs = Effect.fnUntraced(function* (folder: string, taskId: string) {
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const files = profileFiles.make(fs, process.getuid?.())
  const path = `${folder}/grabs/${folderName(taskId)}.json`
  const read = files.read(path, (text) => Result.mapError(decodeGrab(text), () => "it is no note of a grab"))
  const write = (grab: Grab) =>
    files.makeFolder(`${folder}/grabs`).pipe(
      Effect.andThen(files.write(path, `${JSON.stringify(grab)}\n`)),
      Effect.mapError(
        () => new Failure({ message: `${path} cannot be written. Mend its permissions, or free some space.` })
      )
    )
  const key = (kind: string) => Effect.map(random.uuidV4(), (id) => `${kind}-${id}`)
  const found = yield* inWords(read)
  const fresh: Grab = { task_id: taskId, grabbing: yield* key("grab"), delivering: yield* key("deliver") }
  return {
    known: Option.isSome(found),
    grab: Option.getOrElse(found, () => fresh),
    write,
    forget: Effect.ignore(files.remove(path))
  }
})

interface GrabInput extends AgentInput {
  readonly task: string
  readonly hold: boolean
}

/** Platforms give minutes. */
const keepEvery = "1 minute"

export const grab = (input: GrabInput & Common) =>
  asAgent(input, (folder) =>
    Effect.gen(function* () {
      const api = yield* TaskApi
      const fs = yield* FileSystem.FileSystem
      const { task: taskId } = input
      const note = yield* grabs(folder, taskId)
      yield* note.write(note.grab)
      const { lease } = yield* api.grab({ taskId, attempt: note.grab.grabbing }).pipe(
        // What nobody knows the end of is asked for again under the same key.
        Effect.tapError((error) => (error.transient ? Effect.void : note.forget)),
        inWords
      )
      if (lease !== undefined) yield* note.write({ ...note.grab, fencing: lease.fencing })
      const task = yield* inWords(api.get(taskId))
      const place = `${folder}/desk/tasks/${folderName(taskId)}/input`
      const names = yield* inWords(fetchInputs(fs, api, task, place))
      if (input.json) {
        yield* Output.event({
          event: "grabbed",
          task: shown.taskJson(task),
          until: lease?.until ?? null,
          input_files: names.map((name) => `${place}/${name}`)
        })
      } else {
        yield* Output.line(
          shown.detail(
            shown.taskJson(task),
            names.map((name) => `  fetched: ${place}/${name}`)
          )
        )
        yield* Output.line(
          `It is this agent's now${lease === undefined ? "" : `, until ${shown.time(lease.until)}${input.hold ? "" : " (--hold keeps it longer)"}`}. Hand it in with: clawfiber tasks submit ${taskId} --description "…" FILES`
        )
      }
      if (!input.hold || lease === undefined) return
      yield* Cli.serving
      yield* Output.problem("It is kept as long as this runs. Ctrl-C ends that.")
      const { fencing } = lease
      return yield* Effect.forever(
        Effect.delay(
          api.keep({ taskId, fencing }).pipe(
            Effect.asVoid,
            Effect.catch((error) => (error.transient ? Effect.logWarning(error.message) : fail(error.message)))
          ),
          keepEvery
        )
      )
    })
  )

interface ReleaseInput extends AgentInput {
  readonly task: string
  readonly reason: string
}

export const release = (input: ReleaseInput & Common) =>
  asAgent(input, (folder) =>
    Effect.gen(function* () {
      const api = yield* TaskApi
      const { reason, task: taskId } = input
      const note = yield* grabs(folder, taskId)
      const { fencing } = note.grab
      if (fencing === undefined) return yield* fail(`This account has not grabbed ${taskId} from this folder.`)
      yield* inWords(api.release({ taskId, fencing, reason }))
      yield* note.forget
      if (input.json) return yield* Output.event({ event: "released", task_id: taskId })
      yield* Output.line(`${taskId} is given back: other agents can grab it.`)
    })
  )

// -- handing in ----------------------------------------------------------------------------------------------------------

interface SubmitInput extends AgentInput {
  readonly task: string
  readonly description: string
  readonly files: ReadonlyArray<string>
}

/** A name in the archive: the way from here, where it does not lead out; else the name alone. */
const nameOf = (path: string): string => {
  const plain = path.replace(/^(?:\.\/)+/, "")
  return plain.startsWith("/") || plain.split("/").includes("..") ? basename(plain) : plain
}

export const submit = (input: SubmitInput & Common) =>
  asAgent(input, (folder) =>
    Effect.gen(function* () {
      const api = yield* TaskApi
      const fs = yield* FileSystem.FileSystem
      const random = yield* SecureRandom.SecureRandom
      const { files, task: taskId } = input
      const result = input.description === "-" ? yield* readAll : input.description
      if (result.trim() === "" || result.length > bounds.resultDescription) {
        return yield* fail(`Say in 1 to ${bounds.resultDescription} characters what was done: --description.`)
      }
      const note = yield* grabs(folder, taskId)
      // Whoever grabbed it elsewhere may hand it in from here: its key has to last over a crash too.
      yield* note.write(note.grab)
      const task = yield* inWords(api.get(taskId))
      const place = yield* Effect.mapError(
        fs.makeTempDirectoryScoped({ prefix: "clawfiber-" }),
        () => new Failure({ message: "There is no room for the archive in the folder for temporary files." })
      )
      const part = Buffer.from(yield* random.randomBytes(4)).toString("hex")
      const archive = `${place}/${deliveryArchive.nameOf(taskId, part)}`
      yield* inWords(
        deliveryArchive.make(fs, {
          taskId,
          title: task.title,
          completedAt: yield* Clock.currentTimeMillis,
          result,
          files: files.map((path) => ({ path, name: nameOf(path) })),
          path: archive
        })
      )
      const { uploadedAt } = yield* inWords(
        api.deliver({
          taskId,
          resultDescription: result,
          archive,
          fencing: note.grab.fencing,
          attempt: note.grab.delivering,
          progress: progress.of(basename(archive), input.json)
        })
      )
      yield* note.forget
      if (input.json) {
        return yield* Output.event({
          event: "submitted",
          task_id: taskId,
          submitted_at: uploadedAt,
          files: files.map((path) => `output/${nameOf(path)}`)
        })
      }
      yield* Output.line(
        `Handed in: ${line(task.title, 100)}, with ${files.length === 1 ? "one file" : `${files.length} files`}. Whoever posted it looks at it now.`
      )
    })
  )
