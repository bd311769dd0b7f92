/**
 * What the tools of one account do: over its registrar, its profile and the state of its connection. Handlers are made
 * once and offered as a toolbox (a turn of a model, OpenClaw) or as the toolkit's own layer (MCP).
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Origin } from "../../services/channel/AgentRuntime.ts"
import type { ConnectionState } from "../../services/channel/Connection.ts"
import type { Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Registrar, RegistrarError } from "../../services/channel/Registrar.ts"
import type { RegistrationPhase, RegistrationState } from "../../services/channel/Registration.ts"
import * as Toolbox from "../../services/channel/Toolbox.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import type { WorkToolName } from "../../services/protocol/TaskTools.ts"
import * as Tools from "../../services/protocol/Tools.ts"
import * as OfferedTools from "./OfferedTools.ts"
import * as TaskHandlers from "./TaskHandlers.ts"

export interface Options {
  readonly registrar: Pick<Registrar["Service"], "state" | "propose" | "submit">
  readonly profiles: Pick<ProfileStore["Service"], "load">
  /** `None` while there is nothing that could connect. */
  readonly connection: Effect.Effect<Option.Option<ConnectionState>>
  /** The operator lets an agent register without being asked. */
  readonly registersAtOnce: boolean
  /** The task market; without it its tools say that there is no identity. */
  readonly tasks?: TaskHandlers.Handlers | undefined
}

/** All that an operator's own host may be given. A turn gets what `namesFor` says. */
export const names = [
  "insta_propose_registration",
  "insta_register_identity",
  "insta_get_plugin_profile",
  "insta_list_tasks",
  "insta_grab_task",
  "insta_submit_deliverable",
  "insta_upload_artifact"
] as const

/** Law confined: what a turn may do follows from where it comes from. */
const byOrigin: Readonly<Record<Origin, ReadonlyArray<Tools.ToolName | WorkToolName>>> = {
  chat: [],
  world: [],
  registration: ["insta_propose_registration"],
  // Inside the folder of its task; grabbing and handing in are the runner's.
  work: ["read_file", "write_file", "list_files"],
  // Who sits at this machine.
  operator: [...names, "read_file", "write_file", "list_files"]
}
export const namesFor = (origin: Origin): ReadonlyArray<Tools.ToolName | WorkToolName> => byOrigin[origin]

const reject = (
  error: Tools.ToolFailure["error"],
  message: string,
  next: string,
  fields: Tools.ToolFailure["fields"] = []
): Tools.ToolFailure => ({ error, message, fields, next })

/** The one check of a proposal, told to a model. */
export const checked = (
  tool: Tools.ToolName,
  input: unknown
): Effect.Effect<ProfileFields.Proposal, Tools.ToolFailure> => {
  const proposal = ProfileFields.check(input)
  return Result.isSuccess(proposal)
    ? Effect.succeed(proposal.success)
    : Effect.fail(
        reject(
          "invalid_input",
          `This cannot be a profile. ${ProfileFields.inWords(proposal.failure)}`,
          `Mend these fields and call ${tool} again.`,
          proposal.failure
        )
      )
}

const look = "Call insta_get_plugin_profile to see what is so now."
const askOperator = "Nothing more can be done here: tell the operator what happened."

const refusal = (tool: Tools.ToolName, error: RegistrarError): Tools.ToolFailure => {
  const { message, reason } = error
  switch (reason._tag) {
    case "InvalidProposal":
      return reject("invalid_input", message, `Mend these fields and call ${tool} again.`, reason.faults)
    case "NothingPending":
      return reject("nothing_pending", message, look)
    case "Busy":
      return reject("busy", message, `Do not register a second time. ${look}`)
    case "AlreadyRegistered":
      return reject("already_registered", message, `Do not propose another identity. ${look}`)
    case "ProfileApiError": {
      if (reason.reason._tag !== "RegistrationRefused") {
        return reject(
          "registration_failed",
          message,
          reason.transient ? `Call ${tool} again in a minute.` : askOperator
        )
      }
      const { fields, token } = reason.reason
      const mendable = fields.length > 0 && !token
      return reject(
        "registration_refused",
        message,
        mendable ? `Mend these fields and call ${tool} again.` : askOperator,
        fields
      )
    }
    case "ProfileError":
      return reject("profile_unusable", message, reason.transient ? `Call ${tool} again in a moment.` : askOperator)
  }
}

const waits =
  "You are done: the operator sees the proposal, and may change, confirm or cancel it. Do not call this again unless something has to be different."

/** What there is to do in each phase, for the agent that asks. */
const nextIn: Readonly<Record<RegistrationPhase, string>> = {
  absent: "Call insta_propose_registration to introduce this agent.",
  proposing: "A proposal is being made. Wait for it.",
  pending: "The operator has to confirm the proposal. Wait, or call insta_propose_registration to replace it.",
  submitting: "The registration is under way. Wait for its end.",
  coolingDown: "The operator cancelled the last proposal. Wait until they want another one.",
  registered: "Nothing: this agent has its identity."
}

const instant = (millis: number | undefined): string | null =>
  millis === undefined ? null : Option.match(DateTime.make(millis), { onNone: () => null, onSome: DateTime.formatIso })

const connectionView = (state: ConnectionState) => ({
  phase: state.phase,
  connected_at: instant(state.connectedAt),
  last_pong_at: instant(state.lastPongAt),
  retry_at: instant(state.retryAt),
  failed_attempts: state.attempt,
  failure: state.lastFailure?.message ?? null
})

/** Field by field: key, secret and what else stands in the file stay behind. */
const profileView = (profile: Profile) => ({
  claw_id: profile.claw_id,
  name: profile.name,
  description: profile.description,
  avatar: profile.avatar,
  scene_tags: profile.scene_tags,
  custom_tags: profile.custom_tags,
  hourly_rate: profile.hourly_rate,
  instance_type: profile.instance_type
})

const setbackOf = (state: RegistrationState): string | null =>
  "setback" in state && state.setback !== undefined ? state.setback.message : null

export const make = (options: Options) => {
  const { profiles, registrar } = options

  const propose = Effect.fn("ToolHandlers.propose")(function* (input: unknown, tool: Tools.ToolName) {
    const proposal = yield* checked(tool, input)
    const { proposalId } = yield* Effect.mapError(registrar.propose(proposal), (error) => refusal(tool, error))
    return { proposal, proposalId }
  })

  return Tools.toolkit.of({
    ...(options.tasks ?? TaskHandlers.none),

    insta_propose_registration: (input) =>
      Effect.map(propose(input, "insta_propose_registration"), ({ proposal, proposalId }) => ({
        status: "pending_confirmation" as const,
        proposal_id: proposalId,
        proposal,
        next: waits
      })),

    insta_register_identity: Effect.fn("ToolHandlers.register")(function* (input) {
      const tool = "insta_register_identity"
      if (!options.registersAtOnce) {
        const { proposal, proposalId } = yield* propose(input, tool)
        return {
          status: "pending_confirmation" as const,
          claw_id: null,
          proposal_id: proposalId,
          name: proposal.name,
          next: `This agent is not registered yet: its operator has to confirm. ${waits}`
        }
      }
      const proposal = yield* checked(tool, input)
      const profile = yield* Effect.mapError(registrar.submit({ proposal }), (error) => refusal(tool, error))
      return {
        status: "registered" as const,
        claw_id: profile.claw_id,
        proposal_id: null,
        name: profile.name,
        next: "Done: this agent goes on the line by itself. Do not register again."
      }
    }),

    insta_get_plugin_profile: Effect.fn("ToolHandlers.profile")(function* () {
      const state = yield* SubscriptionRef.get(registrar.state)
      const profile = yield* Effect.mapError(profiles.load, (error) =>
        reject("profile_unusable", error.message, error.transient ? "Call this again in a moment." : askOperator)
      )
      const connection = yield* options.connection
      return {
        registration: state._tag,
        profile: Option.getOrNull(Option.map(profile, profileView)),
        pending: state._tag === "pending" ? { proposal_id: state.proposalId, proposal: state.proposal } : null,
        setback: setbackOf(state),
        connection: Option.getOrNull(Option.map(connection, connectionView)),
        next: nextIn[state._tag]
      }
    })
  })
}

export type Handlers = ReturnType<typeof make>

/** The chosen tools, and no others. */
export const toolbox = (handlers: Handlers, chosen: ReadonlyArray<Tools.ToolName>): Toolbox.Toolbox => {
  const all: Readonly<Record<Tools.ToolName, OfferedTools.Offered>> = {
    insta_propose_registration: OfferedTools.offer(Tools.proposeRegistration, handlers.insta_propose_registration),
    insta_register_identity: OfferedTools.offer(Tools.registerIdentity, handlers.insta_register_identity),
    insta_get_plugin_profile: OfferedTools.offer(Tools.getPluginProfile, handlers.insta_get_plugin_profile),
    ...TaskHandlers.offered(handlers)
  }
  return OfferedTools.toolbox(chosen.map((name) => all[name]))
}
