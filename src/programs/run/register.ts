/** Registers the agent of one account: a person looks, changes and confirms; or a script says it all. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as HttpProfileApi from "../../layers/channel/HttpProfileApi.ts"
import * as LoopRegistrar from "../../layers/channel/LoopRegistrar.ts"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import { Registrar, type RegistrarError } from "../../services/channel/Registrar.ts"
import type { RegistrationState } from "../../services/channel/Registration.ts"
import type { FieldFault } from "../../services/protocol/ProfileFields.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as agents from "./agents.ts"
import * as chosenAccounts from "./chosenAccounts.ts"
import * as connect from "./connect.ts"
import * as fields from "./proposalFields.ts"
import * as proposals from "./proposals.ts"
import * as dialog from "./registerDialog.ts"

export interface Input extends fields.Flags {
  readonly url: Option.Option<string>
  readonly account: string
  readonly token: Option.Option<string>
  readonly agent: Option.Option<string>
  readonly exec: Option.Option<string>
  readonly yes: boolean
}

const root = ".insta"

const fail = (message: string) => Effect.fail(new Failure({ message }))

type Waiting =
  | Extract<RegistrationState, { readonly _tag: "pending" }>
  /** The agent made none; a person can fill it in all the same. */
  | { readonly _tag: "none"; readonly why: string | undefined }

/** What waits to be confirmed, once there is something, or it is known that there will be nothing. */
const waiting = (registrar: Registrar["Service"]): Effect.Effect<Waiting, Failure> =>
  SubscriptionRef.changes(registrar.state).pipe(
    Stream.mapEffect((state): Effect.Effect<Waiting | undefined, Failure> => {
      switch (state._tag) {
        case "pending":
          return Effect.succeed(state)
        case "registered":
          return fail(
            `This agent is registered already, as ${state.name} (${state.clawId}). Remove its profile first if it shall become another one.`
          )
        case "absent":
          if (state.setback?.about === "profile") return fail(state.setback.message)
          return Effect.succeed({ _tag: "none", why: state.setback?.message })
        case "proposing":
        case "submitting":
        case "coolingDown":
          return Effect.undefined
      }
    }),
    Stream.filter((found) => found !== undefined),
    Stream.runHead,
    Effect.map(Option.getOrElse((): Waiting => ({ _tag: "none", why: undefined })))
  )

/** The flag of a field, for a sentence to whoever wrote it. */
const flagOf = (fault: FieldFault): string =>
  fault.field === "" ? fault.message : `${fields.flagName(fault.field)}: ${fault.message}`

const inWords = (error: RegistrarError): Failure => {
  const { reason } = error
  const faults =
    reason._tag === "InvalidProposal"
      ? reason.faults
      : reason._tag === "ProfileApiError" && reason.reason._tag === "RegistrationRefused"
        ? reason.reason.fields
        : []
  return new Failure({
    message:
      reason._tag === "InvalidProposal"
        ? `This cannot be registered.\n${faults.map((fault) => `  ${flagOf(fault)}`).join("\n")}`
        : [error.message, ...faults.map((fault) => `  ${flagOf(fault)}`)].join("\n")
  })
}

const told = (input: Input & Common, profile: Profile) =>
  input.json
    ? Output.event({ event: "registered", account: input.account, claw_id: profile.claw_id, name: profile.name })
    : Output.line(
        `Registered as ${profile.name} (${profile.claw_id}). The key is in ${AccountFolders.rootOf(root, input.account)}/config/profile.json.`
      )

/** A script's way: what there is, and what the flags say. */
const silently = Effect.fnUntraced(function* (input: Input & Common, registrar: Registrar["Service"], found: Waiting) {
  const base = found._tag === "pending" ? found.proposal : undefined
  if (base === undefined && Option.isNone(input.name)) {
    return yield* fail(`${found._tag === "none" && found.why !== undefined ? `${found.why} ` : ""}Say at least --name.`)
  }
  const proposal = fields.merge(base, input)
  if (!input.yes) {
    const shown = yield* fields.checked(proposal).pipe(Effect.mapError(inWords))
    if (input.json) yield* Output.event({ event: "proposal", account: input.account, proposal: shown })
    else yield* Output.line(["It would register as:", ...proposals.lines(shown)].join("\n"))
    return yield* fail("Nothing was registered. Confirm it with --yes, or in a terminal.")
  }
  const proposalId = found._tag === "pending" ? found.proposalId : undefined
  yield* told(input, yield* Effect.mapError(registrar.submit({ proposalId, proposal }), inWords))
})

const program = Effect.fnUntraced(function* (input: Input & Common, interactive: boolean) {
  const registrar = yield* Registrar
  // One that was cancelled a moment ago is proposed anew: somebody asks for it.
  yield* registrar.look
  if (interactive && SubscriptionRef.getUnsafe(registrar.state)._tag === "proposing") {
    yield* Output.problem("The agent studies this folder …")
  }
  const found = yield* waiting(registrar)
  if (!interactive) return yield* silently(input, registrar, found)
  if (found._tag === "none" && found.why !== undefined) yield* Output.problem(found.why)
  const profile = yield* dialog.run({
    registrar,
    start: fields.merge(found._tag === "pending" ? found.proposal : undefined, input),
    proposalId: found._tag === "pending" ? found.proposalId : undefined
  })
  if (profile === undefined) return yield* fail("Nothing was registered.")
  yield* told(input, profile)
})

export const run = (input: Input & Common) =>
  withSettings({ json: input.json }, (settings, environment) =>
    Effect.gen(function* () {
      yield* chosenAccounts.check({ account: [input.account] })
      const { profileCreateUrl } = yield* connect.addresses(Option.getOrUndefined(input.url), settings)
      const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true && !input.json && !input.yes
      const chosen = yield* agents.choose({
        agent: Option.getOrUndefined(input.agent),
        exec: Option.getOrUndefined(input.exec),
        settings,
        environment
      })
      const asks = Option.isNone(input.name)
        ? proposals.ask(
            input.account,
            yield* Effect.catchTag(agents.alone(chosen.runtime), "AgentError", agents.inWords),
            settings
          )
        : undefined
      const store = FileProfileStore.layer({ root: AccountFolders.rootOf(root, input.account) })
      return yield* Effect.gen(function* () {
        if (Option.isSome(input.token)) {
          const { saveActivationToken } = yield* ProfileStore
          const token = Redacted.make(input.token.value, { label: "session_token" })
          yield* Effect.mapError(saveActivationToken(token), ({ message }) => new Failure({ message }))
        }
        return yield* Effect.provide(program(input, interactive), LoopRegistrar.layer({ propose: asks }))
      }).pipe(
        Effect.provide([
          store,
          HttpProfileApi.layer({ url: profileCreateUrl }).pipe(Layer.provide(FetchHttpClient.layer)),
          SecureRandom.layerWebCrypto
        ])
      )
    }).pipe(Effect.scoped, Effect.provide([NodeFileSystem.layer, NodeServices.layer]))
  )
