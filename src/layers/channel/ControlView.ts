/**
 * What the operator is shown of an account: its states as they travel (services/channel/Control). Every field is picked
 * by name, so that nothing of a profile or of the settings travels by accident (law secret). Pure.
 */
import type { ConnectionState } from "../../services/channel/Connection.ts"
import type {
  AccountView,
  ConnectionView,
  EndedView,
  JobView,
  ProfileView,
  RegistrationView,
  ReplyView,
  InWorldsView,
  WorkView
} from "../../services/channel/Control.ts"
import type { DispatcherStats, Ended, InFlight } from "../../services/channel/Dispatcher.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { RegistrationState, Setback } from "../../services/channel/Registration.ts"
import { isEnded } from "../../services/channel/Work.ts"
import type { WorldState } from "../../services/worlds/InWorlds.ts"
import type { JobShown, WorkState } from "../../services/channel/Working.ts"
import type { Proposal } from "../../services/protocol/ProfileFields.ts"

const orNull = <A>(value: A | undefined): A | null => value ?? null

export const profileView = (profile: Proposal | Profile): ProfileView => ({
  name: profile.name,
  description: profile.description,
  avatar: profile.avatar,
  scene_tags: profile.scene_tags,
  custom_tags: profile.custom_tags,
  hourly_rate: profile.hourly_rate,
  instance_type: profile.instance_type
})

const setbackView = (setback: Setback | undefined): RegistrationView["setback"] =>
  setback === undefined
    ? null
    : {
        message: setback.message,
        fields: setback.fields.map(({ field, message }) => ({ field, message })),
        at: setback.at,
        needs_person: setback.needsPerson
      }

export const registrationView = (accountId: string, state: RegistrationState): RegistrationView => {
  const nothing: RegistrationView = {
    account_id: accountId,
    phase: state._tag,
    proposal_id: null,
    proposal: null,
    claw_id: null,
    since: null,
    until: null,
    setback: null
  }
  switch (state._tag) {
    case "absent":
      return { ...nothing, until: orNull(state.retryAt), setback: setbackView(state.setback) }
    case "proposing":
      return { ...nothing, since: state.since, setback: setbackView(state.setback) }
    case "pending":
      return {
        ...nothing,
        proposal_id: state.proposalId,
        proposal: profileView(state.proposal),
        since: state.proposedAt,
        setback: setbackView(state.setback)
      }
    case "submitting":
      return {
        ...nothing,
        proposal_id: state.proposalId,
        proposal: profileView(state.proposal),
        since: state.since
      }
    case "coolingDown":
      return { ...nothing, until: state.until }
    case "registered":
      return { ...nothing, claw_id: state.clawId, since: state.since, setback: setbackView(state.setback) }
  }
}

/** `since`: when this phase was first seen; `failedAt`: when the last failure was. */
export const connectionView = (
  url: URL,
  state: ConnectionState,
  seen: { readonly since: number | undefined; readonly failedAt: number | undefined }
): ConnectionView => ({
  phase: state.phase,
  // An address may carry a token in its query.
  url: `${url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin}${url.pathname}`,
  attempt: state.attempt,
  generation: state.generation,
  since: orNull(seen.since),
  connected_at: orNull(state.connectedAt),
  last_pong_at: orNull(state.lastPongAt),
  retry_at: orNull(state.retryAt),
  failure:
    state.lastFailure === undefined
      ? null
      : {
          code: state.lastFailure.reason._tag,
          message: state.lastFailure.message,
          needs_person: !state.lastFailure.transient,
          at: orNull(seen.failedAt)
        },
  outbox_bytes: state.outboxBytes
})

export const replyView = (reply: InFlight): ReplyView => ({
  response_id: reply.responseId,
  session_id: orNull(reply.sessionId),
  message_id: orNull(reply.messageId),
  accepted_at: reply.acceptedAt,
  started_at: orNull(reply.startedAt),
  first_delta_at: orNull(reply.firstDeltaAt),
  characters: reply.characters
})

export const endedView = (reply: Ended): EndedView => ({
  ...replyView(reply),
  ended_at: reply.endedAt,
  failure: reply.failure === undefined ? null : { code: reply.failure.code, message: reply.failure.message }
})

export const countsView = (stats: DispatcherStats | undefined): AccountView["counts"] => ({
  accepted: stats?.accepted ?? 0,
  repeated: stats?.repeated ?? 0,
  refused: stats?.refused ?? 0,
  completed: stats?.completed ?? 0,
  failed: { ...stats?.failed },
  running: stats?.running ?? 0,
  waiting: stats?.waiting ?? 0
})

export const inWorldsView = ({ address, connection, displayName, talks }: WorldState): InWorldsView => ({
  address,
  display_name: displayName,
  phase: connection.phase,
  fault: connection.phase === "connected" ? null : (connection.lastFailure?.message ?? null),
  talks: talks.map((talk) => ({
    conversation_key: talk.conversationKey,
    world_id: orNull(talk.worldId),
    agent_id: orNull(talk.fromAgentId),
    state: talk.state,
    at: talk.at
  }))
})

export const workView = (state: WorkState): WorkView => ({
  mode: state.mode,
  categories: state.limits.categories,
  max_bounty: orNull(state.limits.maxBounty),
  concurrency: state.concurrency,
  looked_at: orNull(state.lookedAt),
  next_look_at: orNull(state.nextLookAt),
  fault: orNull(state.fault)
})

/** Law bounded: what a reader is sent of a stranger's words, and of the log of a job that has ended. */
const maxWords = 4_000
const maxEndedLines = 30

const cut = (text: string): string => (text.length > maxWords ? `${text.slice(0, maxWords)}…`.toWellFormed() : text)

export const jobView = ({ job, leaseUntil, log, question, stopping }: JobShown): JobView => ({
  task_id: job.taskId,
  title: job.title,
  category: job.category,
  bounty: job.bounty,
  deadline: orNull(job.deadline),
  state: job.state,
  chosen_at: job.chosenAt,
  changed_at: job.changedAt,
  lease_until: orNull(leaseUntil),
  round: job.round,
  files: job.files ?? [],
  result: job.result === undefined ? null : cut(job.result),
  notes: job.notes,
  why: job.why === undefined ? null : cut(job.why),
  accepted: job.accepted ?? false,
  stopping,
  question:
    question === undefined
      ? null
      : {
          description: cut(question.description),
          files: question.files.map(({ filename, size }) => ({ filename, size }))
        },
  log: (isEnded(job) ? log.slice(-maxEndedLines) : log).map(({ at, failed, kind, path, text }) => ({
    at,
    kind,
    text,
    path: orNull(path),
    failed
  }))
})
