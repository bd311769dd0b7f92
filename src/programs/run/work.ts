/** Finds tasks, has them done by the agent, and hands them in: with the profile and the folder of one account. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Prompt from "effect/cli/Prompt"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as HttpTaskApi from "../../layers/channel/HttpTaskApi.ts"
import * as WorkRunner from "../../layers/channel/WorkRunner.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Task } from "../../services/channel/TaskApi.ts"
import type { Job } from "../../services/channel/Work.ts"
import { nameOf } from "../../services/protocol/SceneTags.ts"
import { tame } from "../../services/protocol/StrangersWords.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as agents from "./agents.ts"
import * as chosenAccounts from "./chosenAccounts.ts"
import * as taskAddresses from "./taskAddresses.ts"
import * as working from "./working.ts"

export interface Input {
  readonly url: Option.Option<string>
  readonly account: string
  readonly trustHost: boolean
  readonly once: boolean
  readonly category: ReadonlyArray<string>
  readonly maxBounty: Option.Option<string>
  readonly concurrency: number
  readonly limit: Option.Option<number>
  readonly auto: boolean
  readonly agent: Option.Option<string>
  readonly exec: Option.Option<string>
}

const root = ".insta"
const lookEvery = "30 seconds"

const fail = (message: string) => Effect.fail(new Failure({ message }))

const ask = (task: Task) =>
  Effect.gen(function* () {
    const due = task.deadline === undefined ? undefined : DateTime.make(task.deadline)
    const deadline = due === undefined || Option.isNone(due) ? "none" : DateTime.formatIso(due.value)
    yield* Output.line(
      [
        "",
        `${tame(task.title, 200)}`,
        `  ${task.bounty} points · ${nameOf(task.category, "en")} · deadline: ${deadline} · files: ${task.files.length}`,
        ...tame(task.description, 1_000)
          .split("\n")
          .map((line) => `  | ${line}`)
      ].join("\n")
    )
    return yield* Prompt.run(Prompt.Confirm({ message: "Take this task?", initial: false }))
  }).pipe(
    // Ctrl-C and Ctrl-D end it all; what was asked is asked again another time.
    Effect.catchTag("QuitError", () => Effect.interrupt)
  )

const words: Partial<Record<Job["state"], (job: Job) => string>> = {
  grabbed: (job) => (job.round === 0 ? "grabbed" : `came back: ${tame(job.why ?? "", 200)}`),
  doing: () => "the agent is at it",
  submitting: (job) => `handing in ${(job.files ?? []).length} files`,
  reported: (job) => ["handed in", ...job.notes.map((note) => tame(note, 300))].join("\n    "),
  released: (job) => `given back: ${tame(job.why ?? "", 300)}`,
  failed: (job) => `lost: ${tame(job.why ?? "", 300)}`,
  declined: (job) => `not taken: ${tame(job.why ?? "", 300)}`
}

const tell = (json: boolean) => (job: Job) => {
  if (json) {
    const { bounty, category, files = [], notes, state, taskId, title, why } = job
    return Output.event({
      event: "work",
      task_id: taskId,
      title,
      category,
      bounty,
      state,
      files,
      notes,
      why: why ?? null
    })
  }
  const said = words[job.state]?.(job)
  return said === undefined ? Effect.void : Output.line(`${tame(job.title, 60)}: ${said}`)
}

/** What is left as it was is said, and tried again at the next look. */
const program = Effect.fnUntraced(function* (input: Input & Common, options: WorkRunner.Options) {
  const runner = yield* WorkRunner.make(options)
  for (;;) {
    const looked = yield* Effect.result(runner.once())
    if (looked._tag === "Failure") {
      const { failure } = looked
      const passes = failure._tag === "TaskApiError" && failure.transient
      if (input.once || !passes) return yield* fail(failure.message)
      yield* Effect.logWarning(failure.message)
    } else {
      const { full, jobs, stuck } = looked.success
      for (const error of stuck) yield* Effect.logWarning(error.message)
      const open = stuck.length
      if (input.once || (full && open === 0)) {
        if (input.json) yield* Output.event({ event: "ended", ended: jobs.length, open })
        else if (jobs.length === 0 && open === 0) yield* Output.line("There is nothing to do just now.")
        return open === 0
          ? undefined
          : yield* fail(`${open} of the tasks could not be finished. Run it again: it goes on where it was.`)
      }
    }
    yield* Effect.sleep(lookEvery)
  }
})

export const run = (input: Input & Common) =>
  withSettings({ json: input.json }, (settings, environment) =>
    Effect.gen(function* () {
      yield* chosenAccounts.check({ account: [input.account] })
      const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && !input.json
      if (!input.auto && !interactive) {
        return yield* fail(
          "Nobody can be asked here before a task is grabbed. Run it in a terminal, or clawfiber connect --work ask, which asks on its control page; or say --auto, with --category, --max-bounty and --limit as limits."
        )
      }
      const folder = AccountFolders.rootOf(root, input.account)
      const loaded = yield* Effect.flatMap(ProfileStore, ({ load }) => load).pipe(
        Effect.provide(FileProfileStore.layer({ root: folder })),
        Effect.mapError(({ message }) => new Failure({ message }))
      )
      if (Option.isNone(loaded)) {
        return yield* fail(`There is no profile in ${folder} yet. Register this agent first: clawfiber register`)
      }
      const profile = loaded.value
      const { artifactUrl, issuer, taskApiBaseUrl } = yield* taskAddresses.of(input, profile, settings)
      const chosen = yield* agents.choose({
        agent: Option.getOrUndefined(input.agent),
        exec: Option.getOrUndefined(input.exec),
        settings,
        environment
      })
      const agent = yield* Effect.catchTag(agents.alone(chosen.runtime), "AgentError", agents.inWords)
      yield* working.claim(folder)
      if (!input.once) yield* Cli.serving
      const services = yield* Effect.context<Prompt.Environment>()
      const started = yield* Clock.currentTimeMillis
      if (input.json) {
        yield* Output.event({
          event: "working",
          claw_id: profile.claw_id,
          url: taskApiBaseUrl.href,
          agent: agent.description,
          at: started
        })
      } else {
        yield* Output.line(`${tame(profile.name, 60)} (${profile.claw_id}) looks for tasks at ${taskApiBaseUrl.host}.`)
        yield* Output.line(`Does them:  ${agent.description}`)
        if (chosen.note !== undefined) yield* Output.line(`            ${chosen.note}`)
      }
      return yield* program(input, {
        folder: `${folder}/work`,
        uid: process.getuid?.(),
        accountId: input.account,
        clawId: profile.claw_id,
        systemPrompt: settings.systemPrompt,
        limits: { categories: [...new Set(input.category)], maxBounty: Option.getOrUndefined(input.maxBounty) },
        concurrency: input.concurrency,
        limit: Option.getOrUndefined(input.limit),
        ask: input.auto ? undefined : (task) => Effect.provideContext(ask(task), services),
        onStep: tell(input.json)
      }).pipe(
        Effect.provideService(AgentRuntime, agent),
        Effect.provide([
          HttpTaskApi.layer({
            baseUrl: taskApiBaseUrl,
            artifactUrl,
            appKey: profile.app_key,
            appSecret: profile.app_secret,
            issuer
          }).pipe(Layer.provide([NodeHttpClient.layerNodeHttp, NodeFileSystem.layer])),
          SecureRandom.layerWebCrypto
        ])
      )
    }).pipe(Effect.scoped, Effect.provide([NodeFileSystem.layer, NodeServices.layer]))
  )
