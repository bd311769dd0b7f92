/**
 * The main job on one machine: the platform, its page, and one agent that is registered on the first start and
 * connected over a real socket. Everything is kept under the data folder; nothing of `.insta` here is touched.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { type Account, Accounts } from "../../services/channel/Accounts.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as accountReport from "./accountReport.ts"
import * as accounts from "./accounts.ts"
import * as agents from "./agents.ts"
import * as control from "./control.ts"
import * as personas from "./personas.ts"
import * as proposals from "./proposals.ts"
import * as serve from "./serve.ts"
import * as working from "./working.ts"
import * as worldly from "./worldly.ts"

export interface Input extends serve.Input, working.Input {
  readonly agent: Option.Option<string>
  readonly exec: Option.Option<string>
  readonly agents: number
  readonly sync: Option.Option<"normal" | "full">
}

const ignored = ["wsUrl", "profileCreateUrl", "taskApiBaseUrl", "artifactUrl"] as const

/** What is the agent's own, and where its `.insta` is. */
const besideOf = (input: Input): string => `${input.data}/agent`
const rootOf = (input: Input): string => `${besideOf(input)}/.insta`

const summary = (input: Input, settings: Settings, url: string, answers: ReadonlyArray<string>, link?: string) => {
  const chat = input.port === 8787 && input.host === "127.0.0.1" ? "clawfiber chat" : `clawfiber chat --url ${url}`
  const caution = serve.caution(input)
  return [
    "clawfiber is up.",
    `  Page      ${url}`,
    ...(answers.length > 0
      ? []
      : [
          `  Agent     none yet. In the folder of yours: clawfiber connect --url ${url}`,
          "            It proposes who it is, you confirm, and it is on the line."
        ]),
    ...answers.map((text, index) => `  ${index === 0 ? "Agent" : "     "}     ${text}`),
    ...(link === undefined ? [] : [`  Control   ${link}`]),
    `  Data      ${serve.place(input, settings)}`,
    ...(caution === undefined ? [] : [`  Note      ${caution}`]),
    `  Try       open the page${answers.length === 0 ? "" : `, or: ${chat} "Hello"`}`,
    "Ctrl-C ends it."
  ].join("\n")
}

/** Registers on the first start: nobody who only wants to look has to fill in a form. */
const introduce = Effect.fnUntraced(function* (account: Account, persona: personas.Persona) {
  if (SubscriptionRef.getUnsafe(account.registrar.state)._tag === "registered") return
  yield* account.registrar
    .submit({ proposal: proposals.named(persona.name, persona.description) })
    .pipe(Effect.mapError(({ message }) => new Failure({ message })))
})

/** Why the agent is not on the line although the platform has just started. */
const strange = (root: string, input: Input, standing: Extract<accountReport.Standing, { readonly _tag: "Stuck" }>) =>
  new Failure({
    message:
      standing.error?.reason._tag === "CredentialsRefused"
        ? `The platform in ${input.data} does not know the agent in ${root}: one of the two is not the other's. Move ${root} away, and the next start registers a new agent.`
        : standing.message
  })

const withAgent = (
  input: Input & Common,
  settings: Settings,
  chosen: agents.Chosen,
  url: string,
  page: control.Mounted | undefined
) =>
  Effect.gen(function* () {
    const root = rootOf(input)
    const people = personas.first(input.agents)
    const personaOf = (id: string) => people.find((persona) => persona.id === id)
    const agent = yield* Effect.catchTag(agents.alone(chosen.runtime), "AgentError", agents.inWords)
    // The port may be another one every time, so the origin of the key is not looked at.
    const options: accounts.Options = {
      ...PlatformAddress.derive(new URL(url)),
      root,
      beside: besideOf(input),
      ids: Effect.succeed(people.map(({ id }) => id)),
      issuer: undefined,
      settings,
      agent: { description: agent.description, model: agent.model },
      runtime: chosen.runtime,
      propose: () => undefined,
      sync: Option.getOrUndefined(input.sync)
    }
    let ready = false
    const tell = Effect.fnUntraced(function* (account: Account, standing: accountReport.Standing) {
      if (standing._tag === "Stuck") {
        if (!ready) return yield* strange(root, input, standing)
        return yield* Effect.logWarning(standing.message)
      }
      if (standing._tag !== "OnLine" || ready) return
      ready = true
      const { profile } = standing.line
      const { description } = account.agent
      if (input.json) {
        const { claw_id, name } = profile
        return yield* Output.event({
          event: "connected",
          url: standing.line.url.href,
          claw_id,
          name,
          agent: description
        })
      }
      const answers = [`${profile.name} (${profile.claw_id}): ${description}`]
      if (chosen.note !== undefined) answers.push(chosen.note)
      yield* Output.line(summary(input, settings, url, answers, page?.link(url)))
    })
    return yield* Effect.gen(function* () {
      const all = yield* Accounts
      const work = yield* working.make(input, all, { agent, root, settings, lookEvery: "5 seconds" })
      const seats = yield* worldly.make(all, {
        root,
        runtime: chosen.runtime,
        settings,
        serverUrl: new URL(url),
        isOwn: true,
        lookEvery: "1 second",
        mingle: input.agents > 1 ? personaOf : undefined
      })
      page?.attach(all, work, worldly.inWorlds(seats))
      for (const account of SubscriptionRef.getUnsafe(all.all)) {
        const persona = personaOf(account.id)
        if (persona !== undefined) yield* introduce(account, persona)
      }
      return yield* accountReport.follow(all, tell)
    }).pipe(Effect.provide(accounts.layer(options)), Effect.catchTag("DatabaseError", accounts.inUse(options)))
  }).pipe(Effect.scoped)

export const run = (input: Input & Common) =>
  withSettings({ json: input.json, ignore: ignored }, (settings, environment) =>
    Effect.gen(function* () {
      const wanted = Option.getOrUndefined(input.agent)
      const chosen =
        wanted === "none"
          ? undefined
          : yield* agents.choose({ agent: wanted, exec: Option.getOrUndefined(input.exec), settings, environment })
      yield* serve.dataFolder(input.data)
      const page =
        chosen === undefined
          ? undefined
          : yield* control.mounted({
              root: rootOf(input),
              settings: { variables: environment, ignored, flags: { sync: Option.getOrUndefined(input.sync) } }
            })
      yield* Cli.serving
      return yield* Effect.gen(function* () {
        const url = yield* serve.url
        if (input.json) yield* Output.event({ event: "ready", url })
        if (chosen !== undefined) return yield* withAgent(input, settings, chosen, url, page)
        if (!input.json) yield* Output.line(summary(input, settings, url, []))
        return yield* Effect.never
      }).pipe(Effect.provide(serve.layer(input, settings, page?.routes)), Effect.catchTag("StoreError", serve.inWords))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
