/**
 * The main job on one machine: the platform, its page, and one agent that is registered on the first start and
 * connected over a real socket. Everything is kept under the data folder; nothing of `.insta` here is touched.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as agents from "./agents.ts"
import * as line from "./line.ts"
import * as registration from "./registration.ts"
import * as serve from "./serve.ts"

export interface Input extends serve.Input {
  readonly agent: Option.Option<string>
  readonly exec: Option.Option<string>
  readonly sync: Option.Option<"normal" | "full">
}

/** Of the first start or of now. The port may be another one every time, so the origin is not looked at. */
const identity = Effect.fnUntraced(function* (url: URL) {
  const store = yield* ProfileStore
  const found = yield* store.load
  return Option.isSome(found)
    ? found.value
    : yield* registration.register(
        PlatformAddress.derive(url).profileCreateUrl,
        registration.proposal("Claw", "The agent of this machine.")
      )
})

const summary = (input: Input, settings: Settings, url: string, answers: ReadonlyArray<string>) => {
  const chat = input.port === 8787 && input.host === "127.0.0.1" ? "clawfiber chat" : `clawfiber chat --url ${url}`
  const caution = serve.caution(input)
  return [
    "clawfiber is up.",
    `  Page      ${url}`,
    ...answers.map((text, index) => `  ${index === 0 ? "Agent" : "     "}     ${text}`),
    `  Data      ${serve.place(input, settings)}`,
    ...(caution === undefined ? [] : [`  Note      ${caution}`]),
    `  Try       open the page${answers.length === 0 ? "" : `, or: ${chat} "Hello"`}`,
    "Ctrl-C ends it."
  ].join("\n")
}

const withAgent = (input: Input & Common, settings: Settings, chosen: agents.Chosen, url: string) =>
  Effect.gen(function* () {
    const root = `${input.data}/agent/.insta`
    const profile = yield* identity(new URL(url)).pipe(Effect.provide(FileProfileStore.layer({ root })))
    return yield* Effect.gen(function* () {
      const runtime = yield* AgentRuntime
      yield* line.untilOnLine.pipe(
        Effect.catchIf(
          (error) => error.reason._tag === "CredentialsRefused",
          () =>
            Effect.fail(
              new Failure({
                message: `The platform in ${input.data} does not know the agent in ${root}: one of the two is not the other's. Move ${root} away, and the next start registers a new agent.`
              })
            )
        )
      )
      if (input.json) {
        yield* Output.event({
          event: "connected",
          url: PlatformAddress.derive(new URL(url)).wsUrl.href,
          claw_id: profile.claw_id,
          name: profile.name,
          agent: runtime.description
        })
      } else {
        const answers = [`${profile.name} (${profile.claw_id}): ${runtime.description}`]
        if (chosen.note !== undefined) answers.push(chosen.note)
        yield* Output.line(summary(input, settings, url, answers))
      }
      return yield* line.untilBlocked
    }).pipe(
      Effect.provide(
        line.layer({
          profile,
          wsUrl: PlatformAddress.derive(new URL(url)).wsUrl,
          settings,
          runtime: chosen.runtime,
          transcripts: `${input.data}/agent/transcripts`,
          journal: `${input.data}/agent/journal.sqlite`,
          sync: Option.getOrUndefined(input.sync)
        })
      ),
      Effect.catchTag("AgentError", agents.inWords)
    )
  })

export const run = (input: Input & Common) =>
  withSettings(
    { json: input.json, ignore: ["wsUrl", "profileCreateUrl", "taskApiBaseUrl", "artifactUrl"] },
    (settings, environment) =>
      Effect.gen(function* () {
        const wanted = Option.getOrUndefined(input.agent)
        const chosen =
          wanted === "none"
            ? undefined
            : yield* agents.choose({ agent: wanted, exec: Option.getOrUndefined(input.exec), settings, environment })
        yield* serve.dataFolder(input.data)
        yield* Cli.serving
        return yield* Effect.gen(function* () {
          const url = yield* serve.url
          if (input.json) yield* Output.event({ event: "ready", url })
          if (chosen !== undefined) return yield* withAgent(input, settings, chosen, url)
          if (!input.json) yield* Output.line(summary(input, settings, url, []))
          return yield* Effect.never
        }).pipe(Effect.provide(serve.layer(input, settings)), Effect.catchTag("StoreError", serve.inWords))
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
