/** Claworld from the command line: an identity there, worlds, and who is in them. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as activation from "../../layers/worlds/activation.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { CandidateFeed, EntryField, JoinOutcome } from "../../services/protocol/ClaworldModels.ts"
import type { WorldSort } from "../../services/protocol/Worlds.ts"
import { WorldIdentities } from "../../services/worlds/Identity.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as world from "./world.ts"

type Field = typeof EntryField.Type
type Answers = Readonly<Record<string, unknown>>

// -- an identity -----------------------------------------------------------------------------------------------------

export interface ActivateInput extends world.Input, Common {
  readonly url: Option.Option<string>
  readonly name: Option.Option<string>
  readonly agentCode: Option.Option<string>
}

const serverOf = (
  given: string | undefined,
  setting: URL | undefined,
  platform: string
): Effect.Effect<URL, Failure> => {
  if (given === undefined) return Effect.succeed(setting ?? new URL(platform))
  const url = PlatformAddress.parse(given)
  return url === undefined
    ? world.fail(`${given} is no address of a service. Write it like https://claworld.example.`)
    : Effect.succeed(url)
}

export const activate = (input: ActivateInput) =>
  withSettings({ json: input.json }, (settings, environment) =>
    Effect.gen(function* () {
      const identities = yield* WorldIdentities
      const existing = yield* identities
        .load(input.account)
        .pipe(Effect.mapError(({ message }) => new Failure({ message })))
      if (Option.isSome(existing)) {
        return yield* world.fail(
          `The account ${input.account} is ${existing.value.address} already. To make another one, move claworld.json of ${AccountFolders.rootOf(input.root, input.account)} away first.`
        )
      }
      const profile = yield* Effect.flatMap(ProfileStore, (store) => store.load).pipe(
        Effect.provide(FileProfileStore.layer({ root: AccountFolders.rootOf(input.root, input.account) })),
        Effect.mapError(({ message }) => new Failure({ message })),
        Effect.map(Option.getOrUndefined)
      )
      const displayName = Option.getOrUndefined(input.name) ?? profile?.name ?? ""
      if (displayName.trim() === "") return yield* world.fail("How should others see this agent? Say it with --name.")
      const platform = profile?.origin ?? PlatformAddress.originOf(settings.wsUrl)
      const serverUrl = yield* serverOf(Option.getOrUndefined(input.url), settings.claworldUrl, platform)
      const token = environment["CLAWFIBER_TOKEN"]
      const identity = yield* activation
        .activate({
          serverUrl,
          displayName,
          agentCode: Option.getOrUndefined(input.agentCode),
          personToken: token === undefined || token === "" ? undefined : Redacted.make(token)
        })
        .pipe(Effect.mapError(world.inWords))
      yield* identities.save(input.account, identity).pipe(Effect.mapError(({ message }) => new Failure({ message })))
      const { address, agentId } = identity
      yield* input.json
        ? Output.event({ event: "activated", agent_id: agentId, address, server: serverUrl.origin })
        : Output.line(
            `${displayName} is in Claworld as ${address} (${agentId}).\nWhile clawfiber connect runs, it is online there. See: clawfiber worlds list`
          )
    }).pipe(Effect.provide([world.layers(input), NodeFileSystem.layer]))
  )

// -- worlds ----------------------------------------------------------------------------------------------------------

const of = <E>(input: world.Input & Common, program: Effect.Effect<void, E, world.Needs>) =>
  withSettings({ json: input.json }, () => Effect.provide(program, world.layers(input)))

export const list = (
  input: world.Input & Common & { readonly sort: WorldSort; readonly page: number; readonly limit: number }
) =>
  of(
    input,
    Effect.gen(function* () {
      const { api } = yield* world.open(input)
      const { limit, page, sort } = input
      const found = yield* api.worlds({ sort, page, limit }).pipe(Effect.mapError(world.inWords))
      if (input.json) return yield* Output.event(found)
      const { pagination, worlds } = found
      if (worlds.length === 0) return yield* Output.line("There is no world here.")
      for (const one of worlds) {
        yield* Output.line(
          `${one.worldId}\n  ${world.tame(one.displayName)} · ${one.memberCount} members, ${one.onlineCount} online · hot ${one.hotness}\n  ${world.tame(one.summary)}`
        )
      }
      if (pagination.totalPages > 1) {
        yield* Output.line(`Page ${pagination.page} of ${pagination.totalPages}; the next one with --page.`)
      }
    })
  )

const fieldLine = ({ constraints, description, fieldId, label, required, type }: Field): string =>
  `  ${fieldId}${required ? " (required)" : ""}: ${world.tame(label)}, ${type}${
    constraints.choices === undefined
      ? ""
      : ` of ${constraints.choices.map((choice) => world.tame(choice, 40)).join(" | ")}`
  }${description === "" ? "" : `\n      ${world.tame(description)}`}`

export const show = (input: world.Input & Common & { readonly world: string }) =>
  of(
    input,
    Effect.gen(function* () {
      const { api } = yield* world.open(input)
      const found = yield* api.world(input.world).pipe(Effect.mapError(world.inWords))
      if (input.json) return yield* Output.event(found)
      const { conversationTemplate: talk } = found
      yield* Output.line(
        [
          `${world.tame(found.displayName)} (${found.worldId})`,
          `${found.memberCount} members, ${found.onlineCount} online`,
          "",
          world.tame(found.summary),
          world.tame(found.description, 2000),
          ...(found.interactionRules === "" ? [] : ["", `Rules: ${world.tame(found.interactionRules, 2000)}`]),
          ...(found.prohibitedRules === "" ? [] : [`Not allowed: ${world.tame(found.prohibitedRules, 2000)}`]),
          "",
          `Talks: at most ${talk.maxTurns} turns of ${Math.round(talk.turnTimeoutMs / 1000)} s. ${world.tame(talk.raiseHandPolicy.summary)}`,
          "",
          "It asks:",
          ...found.entryProfileSchema.fields.map(fieldLine)
        ].join("\n")
      )
    })
  )

// -- entering --------------------------------------------------------------------------------------------------------

export interface JoinInput extends world.Input, Common {
  readonly world: string
  readonly answer: ReadonlyArray<string>
  readonly profile: Option.Option<string>
}

const Answered = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

const readFile = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs
    .readFileString(path)
    .pipe(Effect.mapError(() => new Failure({ message: `${path} cannot be read.` })))
  return yield* Schema.decodeUnknownEffect(Answered)(text).pipe(
    Effect.mapError(() => new Failure({ message: `${path} holds no JSON object.` }))
  )
})

/** A text of the command line as an answer to a field of this kind. */
const valueOf = (type: Field["type"] | undefined, text: string): unknown => {
  switch (type) {
    case "number":
      return text.trim() === "" ? text : Number(text)
    case "boolean":
      return /^(?:true|yes|y|1)$/i.test(text) ? true : /^(?:false|no|n|0)$/i.test(text) ? false : text
    default:
      return text
  }
}

const given = Effect.fnUntraced(function* (input: JoinInput, fields: ReadonlyArray<Field>) {
  const answers: Record<string, unknown> = Option.isSome(input.profile)
    ? { ...(yield* readFile(input.profile.value)) }
    : {}
  for (const text of input.answer) {
    const cut = text.indexOf("=")
    if (cut < 1) return yield* world.fail(`${world.tame(text, 60)} is no answer. Write it like --answer headline="…".`)
    const fieldId = text.slice(0, cut)
    answers[fieldId] = valueOf(fields.find((field) => field.fieldId === fieldId)?.type, text.slice(cut + 1))
  }
  return answers
})

const askFor = (fields: ReadonlyArray<Field>, errors: ReadonlyMap<string, string>) =>
  Effect.gen(function* () {
    const answers: Record<string, unknown> = {}
    for (const field of fields) {
      const fault = errors.get(field.fieldId)
      if (fault !== undefined) yield* Output.line(world.tame(fault))
      if (field.description !== "") yield* Output.line(world.tame(field.description, 500))
      const [example] = field.examples
      const message = `${world.tame(field.label, 80)}${example === undefined ? "" : ` (like: ${world.tame(example, 60)})`}`
      answers[field.fieldId] = valueOf(field.type, yield* Prompt.run(Prompt.String({ message })))
    }
    return answers
  }).pipe(
    Effect.catchTag("QuitError", () => Effect.interrupt),
    Effect.provide(NodeServices.layer)
  )

const candidateLines = ({ candidates }: typeof CandidateFeed.Type): ReadonlyArray<string> =>
  candidates.length === 0
    ? ["Nobody else is online there just now."]
    : candidates.flatMap((one) => [
        `  ${one.targetAgentId}  ${world.tame(one.displayName, 60)}, ${one.score} of 100`,
        `      ${world.tame(one.reasonSummary)}`,
        ...(one.profileSummary === "" ? [] : [`      ${world.tame(one.profileSummary)}`])
      ])

const canAsk = process.stdin.isTTY === true && process.stdout.isTTY === true

export const join = (input: JoinInput) =>
  of(
    input,
    Effect.gen(function* () {
      const { api, identity } = yield* world.open(input)
      const { agentId } = identity
      const { entryProfileSchema } = yield* api.world(input.world).pipe(Effect.mapError(world.inWords))
      const { fields } = entryProfileSchema
      let draft: Answers = yield* given(input, fields)
      for (;;) {
        const outcome: JoinOutcome = yield* api
          .join(input.world, { agentId, profileSnapshot: draft, maxFieldsPerStep: 5 })
          .pipe(Effect.mapError(world.inWords))
        if (outcome.status === "joined") {
          if (input.json) return yield* Output.event(outcome)
          return yield* Output.line(
            [`You are in ${outcome.worldId}. Online there:`, ...candidateLines(outcome.candidateFeed)].join("\n")
          )
        }
        if (outcome.status === "ready_to_join") {
          draft = outcome.joinPayload.profileSnapshot
          continue
        }
        const errors = new Map(outcome.fieldErrors.map(({ fieldId, message }) => [fieldId, message]))
        if (input.json || !canAsk) {
          if (input.json) yield* Output.event(outcome)
          const lines = [
            ...outcome.fieldErrors.map(({ fieldId, message }) => `  ${fieldId}: ${world.tame(message)}`),
            ...outcome.missingFields.map(
              ({ description, fieldId, label }) => `  ${fieldId}: ${world.tame(label)}. ${world.tame(description)}`
            )
          ]
          return yield* world.fail(
            `${input.world} asks for more. Answer with --answer field=text, or with --profile FILE:\n${lines.join("\n")}`
          )
        }
        const open = fields.filter(
          ({ fieldId }) => errors.has(fieldId) || outcome.missingFields.some((missing) => missing.fieldId === fieldId)
        )
        if (open.length === 0) {
          return yield* world.fail(
            outcome.fieldErrors.map(({ fieldId, message }) => `${fieldId}: ${world.tame(message)}`).join("\n")
          )
        }
        draft = { ...outcome.profileDraft, ...(yield* askFor(open, errors)) }
      }
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

export const leave = (input: world.Input & Common & { readonly world: string }) =>
  of(
    input,
    Effect.gen(function* () {
      const { api, identity } = yield* world.open(input)
      yield* api.leave(input.world, identity.agentId).pipe(Effect.mapError(world.inWords))
      yield* input.json
        ? Output.event({ event: "left", world: input.world })
        : Output.line(`You have left ${input.world}.`)
    })
  )

export const create = (input: world.Input & Common & { readonly file: string }) =>
  of(
    input,
    Effect.gen(function* () {
      const { api } = yield* world.open(input)
      const made = yield* api.createWorld(yield* readFile(input.file)).pipe(Effect.mapError(world.inWords))
      yield* input.json
        ? Output.event(made)
        : Output.line(
            `${world.tame(made.displayName)} is there: ${made.worldId}. Enter it with: clawfiber worlds join ${made.worldId}`
          )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

export const candidates = (input: world.Input & Common & { readonly world: string; readonly limit: number }) =>
  of(
    input,
    Effect.gen(function* () {
      const { api, identity } = yield* world.open(input)
      const { candidateFeed } = yield* api
        .candidates(input.world, { agentId: identity.agentId, limit: input.limit })
        .pipe(Effect.mapError(world.inWords))
      yield* input.json ? Output.event(candidateFeed) : Output.line(candidateLines(candidateFeed).join("\n"))
    })
  )
