/** The market for the one who posts: with the sign-in of this folder, or the token of the environment. */
import { resolve } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { safeName } from "../../layers/channel/TaskHandlers.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { PostedTask, TaskChanges } from "../../services/protocol/MarketModels.ts"
import { line, tame } from "../../services/protocol/StrangersWords.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import { readAll } from "./terminal.ts"
import * as PersonTasks from "./PersonTasks.ts"
import * as progress from "./progress.ts"
import * as signIns from "./signIns.ts"
import * as table from "./table.ts"
import * as tasksAgent from "./tasksAgent.ts"
import * as shown from "./taskShown.ts"

export interface PersonInput {
  readonly url: Option.Option<string>
}

interface TaskInput extends PersonInput {
  readonly task: string
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

type Market = Effect.Success<ReturnType<typeof PersonTasks.make>>
type Needs = FileSystem.FileSystem | HttpClient | SecureRandom.SecureRandom

const signedIn = Effect.fnUntraced(function* (input: PersonInput, settings: Pick<Settings, "token">) {
  const url = yield* signIns.chosenUrl(input.url)
  const token = settings.token ?? (yield* signIns.tokenOf(url))
  if (token === undefined) {
    return yield* fail(
      `Nobody is signed in at ${url} from this folder. Run: clawfiber sign-in --url ${url} (or set CLAWFIBER_TOKEN)`
    )
  }
  return yield* PersonTasks.make({ url, token })
})

const layers = Layer.mergeAll(NodeFileSystem.layer, NodeHttpClient.layerNodeHttp, SecureRandom.layerWebCrypto)

const asPerson = <E>(input: PersonInput & Common, program: (market: Market) => Effect.Effect<void, E, Needs>) =>
  withSettings({ json: input.json }, (settings) =>
    Effect.flatMap(signedIn(input, settings), program).pipe(Effect.provide(layers))
  )

const told = (input: Common, task: PostedTask, words: string) =>
  input.json ? Output.event({ task }) : Output.line(`${words} ${line(task.title, 100)} (${task.id}).`)

/** Milliseconds since the epoch: a date, a date and time, or `3d`, `12h` from now. */
const deadlineOf = Effect.fnUntraced(function* (text: string) {
  const span = /^(\d{1,4})([hd])$/.exec(text)
  if (span !== null) {
    const hours = Number(span[1]) * (span[2] === "d" ? 24 : 1)
    return (yield* Clock.currentTimeMillis) + hours * 3_600_000
  }
  // A day is meant whole, by the clock of whoever says it; what carries a zone is taken by that.
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T23:59:59` : text
  const millis = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)
    ? Date.parse(day)
    : Number.NaN
  return Number.isFinite(millis)
    ? millis
    : yield* fail(`--deadline ${text} is no time. Write it like 2030-01-31, 2030-01-31T18:00, 12h or 3d.`)
})

const textOf = (text: string) => (text === "-" ? readAll : Effect.succeed(text))

/** One after another: what fails leaves no task behind. Gives the ids. */
const uploadAll = (input: Common, market: Market, files: ReadonlyArray<string>) =>
  Effect.forEach(files, (file) =>
    Effect.map(market.upload(file, progress.of(file, input.json)), ({ file_id }) => file_id)
  )

interface PostInput extends PersonInput {
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: string
  readonly deadline: Option.Option<string>
  readonly file: ReadonlyArray<string>
}

export const post = (input: PostInput & Common) =>
  asPerson(input, (market) =>
    Effect.gen(function* () {
      const { bounty, category, title } = input
      const deadline = Option.isNone(input.deadline) ? null : yield* deadlineOf(input.deadline.value)
      const description = yield* textOf(input.description)
      const input_files = yield* uploadAll(input, market, input.file)
      const task = yield* market.post({ title, description, category, bounty, deadline, input_files })
      yield* told(input, task, `On the market, with ${task.bounty} points put aside:`)
    })
  )

interface EditInput extends TaskInput {
  readonly title: Option.Option<string>
  readonly description: Option.Option<string>
  readonly category: Option.Option<string>
  readonly bounty: Option.Option<string>
  readonly deadline: Option.Option<string>
  readonly file: ReadonlyArray<string>
}

export const edit = (input: EditInput & Common) =>
  asPerson(input, (market) =>
    Effect.gen(function* () {
      const { bounty, category, deadline, description, title } = input
      const changes: typeof TaskChanges.Type = {
        ...(Option.isNone(title) ? {} : { title: title.value }),
        ...(Option.isNone(description) ? {} : { description: yield* textOf(description.value) }),
        ...(Option.isNone(category) ? {} : { category: category.value }),
        ...(Option.isNone(bounty) ? {} : { bounty: bounty.value }),
        ...(Option.isNone(deadline)
          ? {}
          : { deadline: deadline.value === "none" ? null : yield* deadlineOf(deadline.value) }),
        ...(input.file.length === 0 ? {} : { input_files: yield* uploadAll(input, market, input.file) })
      }
      if (Object.keys(changes).length === 0)
        return yield* fail("Say what is to be changed. See: clawfiber tasks edit --help")
      yield* told(input, yield* market.edit(input.task, changes), "Changed:")
    })
  )

export const withdraw = (input: TaskInput & Common) =>
  asPerson(input, (market) =>
    Effect.flatMap(market.withdraw(input.task), (task) =>
      told(input, task, "Off the market, and its points are yours again:")
    )
  )

export const accept = (input: TaskInput & Common) =>
  asPerson(input, (market) =>
    Effect.flatMap(market.accept(input.task), (task) =>
      told(input, task, `Accepted, and ${task.bounty} points are paid:`)
    )
  )

export const giveBack = (input: TaskInput & Common & { readonly reason: string }) =>
  asPerson(input, (market) =>
    Effect.flatMap(market.giveBack(input.task, input.reason), (task) =>
      told(input, task, "Sent back; the agent has it again, with your reason:")
    )
  )

interface PageInput extends PersonInput {
  readonly limit: number
  readonly before: Option.Option<string>
}

const more = (command: string, next: string | undefined) =>
  next === undefined ? Effect.void : Output.problem(`There are more: clawfiber tasks ${command} --before ${next}`)

export const mine = (input: PageInput & Common & { readonly status: Option.Option<string> }) =>
  asPerson(input, (market) =>
    Effect.gen(function* () {
      const { items, next } = yield* market.mine({
        limit: input.limit,
        before: Option.getOrUndefined(input.before),
        status: Option.getOrUndefined(input.status)
      })
      if (input.json) return yield* Output.event({ tasks: items, next: next ?? null })
      if (items.length === 0) return yield* Output.line("There are no tasks of yours here.")
      yield* Output.line(shown.mineTable(items))
      yield* more("mine", next)
    })
  )

const kinds = { grant: "given", reserve: "put aside", release: "come back", pay: "paid" } as const

export const points = (input: PageInput & Common) =>
  asPerson(input, (market) =>
    Effect.gen(function* () {
      const { balance, items, next } = yield* market.ledger({
        limit: input.limit,
        before: Option.getOrUndefined(input.before)
      })
      if (input.json) return yield* Output.event({ balance, entries: items, next: next ?? null })
      yield* Output.line(`You have ${balance} points.`)
      if (items.length === 0) return
      yield* Output.line(
        table.write({
          head: ["WHEN", "WHAT", "POINTS", "THEN", "TASK"],
          rows: items.map((entry) => [
            shown.time(entry.at),
            kinds[entry.kind],
            entry.amount,
            entry.balance,
            entry.task_id ?? ""
          ]),
          gives: 4,
          columns: table.terminal()
        })
      )
      yield* more("points", next)
    })
  )

// -- both sides ----------------------------------------------------------------------------------------------------------

type EitherInput = TaskInput & tasksAgent.AgentInput & Common

/** As the one who posted it, where one is signed in and did; else as one's agent sees it. */
export const show = (input: EitherInput) =>
  withSettings({ json: input.json }, (settings) =>
    Effect.gen(function* () {
      const own = yield* signedIn(input, settings).pipe(
        Effect.flatMap((market) => market.find(input.task)),
        Effect.result
      )
      if (own._tag === "Success") {
        const task = own.success
        if (input.json) return yield* Output.event({ task, as: "person" })
        const { deliverable } = task
        const handed =
          deliverable === null
            ? []
            : [
                `  handed in ${shown.time(deliverable.uploaded_at)} by ${line(task.agent_name ?? "an agent", 60)}:`,
                ...tame(deliverable.result_description, 20_000)
                  .split("\n")
                  .map((line) => `  | ${line}`),
                ...(deliverable.archive?.entries ?? []).map(
                  (entry) => `  in it: ${line(entry.path, 200)} (${shown.bytes(entry.size)})`
                ),
                ...deliverable.artifacts.map((one) => `  sent: ${line(one.file_name, 200)} (${shown.bytes(one.size)})`),
                `  Fetch it with: clawfiber tasks download ${task.id}`
              ]
        return yield* Output.line(shown.detail(task, handed))
      }
      const seen = yield* Effect.result(tasksAgent.withPool(input, settings, () => tasksAgent.show(input.task)))
      if (seen._tag === "Failure") {
        // Of the two, the one that somebody can do something about.
        return yield* own.failure.refused === true ? own.failure : seen.failure
      }
      if (input.json) return yield* Output.event({ task: seen.success, as: "agent" })
      yield* Output.line(shown.detail(seen.success))
    }).pipe(Effect.provide(layers))
  )

export const download = (input: TaskInput & Common & { readonly to: string; readonly overwrite: boolean }) =>
  asPerson(input, (market) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { deliverable } = yield* market.find(input.task)
      if (deliverable === null) return yield* fail(`Nothing has been handed in for ${input.task} yet.`)
      const { archive, artifacts } = deliverable
      const all = [...(archive === null ? [] : [archive]), ...artifacts]
      const names: Array<string> = []
      for (const [at, { file_name }] of all.entries()) {
        const plain = safeName(file_name, `file-${at + 1}`)
        names.push(names.includes(plain) ? `${at + 1}-${plain}` : plain)
      }
      const folder = resolve(input.to)
      yield* Effect.mapError(
        fs.makeDirectory(folder, { recursive: true }),
        () => new Failure({ message: `${folder} cannot be made or is no folder. Name another with --to.` })
      )
      const there = yield* Effect.filter(names, (name) =>
        Effect.orElseSucceed(fs.exists(`${folder}/${name}`), () => true)
      )
      if (there.length > 0 && !input.overwrite) {
        return yield* fail(
          `${there.join(", ")} ${there.length === 1 ? "is" : "are"} in ${folder} already. Nothing was fetched. Name another folder with --to, or add --overwrite.`
        )
      }
      const fetched = yield* Effect.forEach(all, (one, at) => {
        const path = `${folder}/${names[at] ?? one.artifact_id}`
        return Effect.as(market.download(one, path, progress.of(one.file_name, input.json)), {
          path,
          size: one.size,
          sha256: one.sha256
        })
      })
      if (input.json) return yield* Output.event({ task_id: input.task, files: fetched })
      if (fetched.length === 0) return yield* Output.line("It was handed in without files: the words are all there is.")
      yield* Output.line(fetched.map(({ path, size }) => `${path} (${shown.bytes(size)})`).join("\n"))
    })
  )
