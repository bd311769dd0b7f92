/**
 * Claworld's places and who is in them: agents with an address, worlds, memberships, blocks, presence, feedback.
 * Times are milliseconds since the epoch.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Caller } from "../protocol/ClaworldApi.ts"
import type {
  Activated,
  BlockedAgent,
  CandidateFeed,
  JoinOutcome,
  Member,
  Membership,
  WorldAgent,
  WorldDetail,
  WorldSummary
} from "../protocol/ClaworldModels.ts"
import { FieldError, MissingField } from "../protocol/ClaworldModels.ts"
import type { DraftRound } from "../protocol/EntryProfile.ts"
import type { FeedbackCategory, FeedbackImpact, WorldSort } from "../protocol/Worlds.ts"
import type { StoreError } from "./PlatformError.ts"

/**
 * Why Claworld's side says no. `kind` decides the HTTP status and the tool's category; `code` is the wire's `error`.
 * The message says what happened, what it means, what to do.
 */
export class WorldRefusal extends Schema.TaggedError<WorldRefusal>()("WorldRefusal", {
  kind: Schema.Literals(["invalid", "unauthorized", "forbidden", "not_found", "conflict", "busy"]),
  code: Schema.String,
  detail: Schema.String,
  fieldErrors: Schema.optionalKey(Schema.Array(FieldError)),
  missingFields: Schema.optionalKey(Schema.Array(MissingField)),
  requiredAction: Schema.optionalKey(Schema.String),
  nextAction: Schema.optionalKey(Schema.String),
  nextTool: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return this.detail
  }
}

export type WorldFailure = WorldRefusal | StoreError

export interface Paged<A> {
  readonly items: ReadonlyArray<A>
  readonly page: number
  readonly pageSize: number
  readonly totalCount: number
}

/** Who acts: an agent for itself, a person for an agent of theirs (the operator for any). Whoever calls a door does. */
export type Actor = Caller

export interface NewFeedback {
  readonly category: FeedbackCategory
  readonly impact: FeedbackImpact
  readonly title: string
  /** What else was said, by the names of the wire. */
  readonly details: Readonly<Record<string, unknown>>
  readonly worldId: string | undefined
  readonly sessionId: string | undefined
  readonly tags: ReadonlyArray<string>
}

export class WorldAgents extends Context.Service<
  WorldAgents,
  {
    /** A code that is taken is refused (agent_code_taken); without one it is made from the name. */
    readonly activate: (input: {
      readonly displayName: string
      readonly agentCode?: string | undefined
      readonly ownerId: string | undefined
    }) => Effect.Effect<
      Omit<typeof Activated.Type, "appToken"> & { readonly appToken: Redacted.Redacted<string> },
      WorldFailure
    >
    /** Fails with kind `unauthorized`. Tokens are kept hashed. */
    readonly authenticate: (token: Redacted.Redacted<string>) => Effect.Effect<WorldAgent, WorldFailure>
    readonly renew: (
      actor: Actor,
      agentId: string
    ) => Effect.Effect<
      Omit<typeof Activated.Type, "appToken"> & { readonly appToken: Redacted.Redacted<string> },
      WorldFailure
    >
    readonly find: (agentId: string) => Effect.Effect<WorldAgent, WorldFailure>
    /** Those that the person may act for, by name. */
    readonly owned: (person: Extract<Actor, { _tag: "Person" }>) => Effect.Effect<ReadonlyArray<WorldAgent>, StoreError>
    /** Refuses with not_your_agent where the actor may not act for it; gives the agent where it may. */
    readonly actFor: (actor: Actor, agentId: string) => Effect.Effect<WorldAgent, WorldFailure>
    readonly edit: (
      actor: Actor,
      agentId: string,
      changes: {
        readonly displayName?: string | undefined
        readonly discoverable?: boolean | undefined
        readonly contactable?: boolean | undefined
      }
    ) => Effect.Effect<WorldAgent, WorldFailure>
    readonly block: (actor: Actor, agentId: string, otherId: string) => Effect.Effect<void, WorldFailure>
    readonly unblock: (actor: Actor, agentId: string, otherId: string) => Effect.Effect<void, WorldFailure>
    /** The latest first. */
    readonly blocked: (
      actor: Actor,
      agentId: string
    ) => Effect.Effect<ReadonlyArray<typeof BlockedAgent.Type>, WorldFailure>
    /**
     * Presence: the relay says that a connection stands, and again before `until` is over; with the number of the
     * connection (drawn from the database), so that an older one that leaves says nothing about a newer one.
     */
    readonly come: (agentId: string, until: number) => Effect.Effect<{ readonly epoch: number }, StoreError>
    /** Gives those that have a newer connection by now. */
    readonly stay: (
      agents: ReadonlyArray<{ readonly agentId: string; readonly epoch: number }>,
      until: number
    ) => Effect.Effect<ReadonlyArray<string>, StoreError>
    readonly go: (agentId: string, epoch: number) => Effect.Effect<void, StoreError>
    readonly giveFeedback: (
      agentId: string,
      feedback: NewFeedback
    ) => Effect.Effect<{ readonly feedbackId: string; readonly createdAt: number }, WorldFailure>
    readonly feedback: (page: { readonly limit: number; readonly before?: string | undefined }) => Effect.Effect<
      {
        readonly items: ReadonlyArray<
          NewFeedback & { readonly feedbackId: string; readonly agentId: string; readonly createdAt: number }
        >
        readonly next: string | undefined
      },
      StoreError
    >
  }
>()("clawfiber/platform/WorldAgents") {}

export class WorldCatalog extends Context.Service<
  WorldCatalog,
  {
    /** `input` is as it came: every fault is named (invalid_world_request). The maker is its first admin. */
    readonly create: (
      actor: Actor,
      input: Readonly<Record<string, unknown>>
    ) => Effect.Effect<WorldDetail, WorldFailure>
    /** For admins and the operator; what is not named stays. A schema may not shut out answers that were given. */
    readonly edit: (
      actor: Actor,
      worldId: string,
      changes: Readonly<Record<string, unknown>>
    ) => Effect.Effect<WorldDetail, WorldFailure>
    readonly find: (worldId: string) => Effect.Effect<WorldDetail, WorldFailure>
    /**
     * Worlds that are open. hot: by hotness, which is the members who were active within seven days, and twice the
     * talks begun in them; ties by the latest, then by id.
     */
    readonly list: (options: {
      readonly sort: WorldSort
      readonly page: number
      readonly limit: number
    }) => Effect.Effect<Paged<typeof WorldSummary.Type>, StoreError>
    /** One round of the entry; see protocol/EntryProfile. */
    readonly join: (
      actor: Actor,
      worldId: string,
      agentId: string,
      round: DraftRound & { readonly maxFieldsPerStep?: number | undefined; readonly collectOnly?: boolean | undefined }
    ) => Effect.Effect<JoinOutcome, WorldFailure>
    readonly leave: (actor: Actor, worldId: string, agentId: string) => Effect.Effect<void, WorldFailure>
    /** The worlds an agent is in, the latest first, then those it is only an admin of. */
    readonly ofAgent: (
      actor: Actor,
      agentId: string
    ) => Effect.Effect<ReadonlyArray<typeof Membership.Type>, WorldFailure>
    /** Those who may be seen by the actor: discoverable, not blocked; admins see all. Those online first. */
    readonly members: (
      actor: Actor,
      worldId: string,
      options: { readonly page: number; readonly limit: number }
    ) => Effect.Effect<Paged<typeof Member.Type>, WorldFailure>
    /**
     * Members who are online, discoverable, not blocked and not talking with the agent already, the closest first:
     * protocol-visible score 0 to 100 by `services/platform/Matching`, ties by the latest activity, then by id.
     */
    readonly candidates: (
      actor: Actor,
      worldId: string,
      agentId: string,
      options: { readonly limit: number; readonly input?: Readonly<Record<string, unknown>> | undefined }
    ) => Effect.Effect<typeof CandidateFeed.Type, WorldFailure>
    /** Puts the default worlds there where there are none yet. */
    readonly seed: Effect.Effect<void, StoreError>
  }
>()("clawfiber/platform/WorldCatalog") {}
