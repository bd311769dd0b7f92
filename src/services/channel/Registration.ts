/**
 * The registration of one account as data: its states, what may happen to it, and what follows. Pure; the Registrar
 * carries out what is decided here (seed chart sections 2 and 6, PROTOCOL A4).
 *
 *   absent ──look──► proposing ──proposed──► pending ──submit──► submitting ──registered──► registered
 *     ▲  ▲              │ failed             │  ▲  │               │                            │
 *     │  └──────────────┘             cancel │  │  └── replaced     │ failed: back, with the      │ file removed
 *     │                                      ▼  └──────────────────┘ reason and what was typed  │
 *     │  ◄──────── after a while ─────── coolingDown                                            │
 *     └─────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * A profile that appears leads to `registered` from everywhere, and what lies in `pending.json` to `pending` or, where a
 * person had confirmed it, to `submitting`: another process, a former life or a person may have put it there.
 */
import type { FieldFault, Proposal } from "../protocol/ProfileFields.ts"
import type { Pending } from "./ProfileStore.ts"

/** Why the last attempt came to nothing: for the page, the terminal and the log. */
export interface Setback {
  /** What came to nothing: the agent's own proposal, the registration at the platform, or the reading of the file. */
  readonly about: "proposal" | "registration" | "profile"
  readonly message: string
  /** At the fields of the form, where it is known which ones. */
  readonly fields: ReadonlyArray<FieldFault>
  /** Milliseconds since the epoch. */
  readonly at: number
  /** A person has to do something before it can go on: a damaged or foreign file, a refused token, a wrong address. */
  readonly needsPerson: boolean
}

/** Times are milliseconds since the epoch. `setback` is what went wrong last, until something goes right. */
export type RegistrationState =
  /** No credentials, and nobody is working on it. `retryAt`: when the next look proposes again. */
  | { readonly _tag: "absent"; readonly setback: Setback | undefined; readonly retryAt: number | undefined }
  | { readonly _tag: "proposing"; readonly since: number; readonly setback: Setback | undefined }
  /** Waits for a person. Survives a restart. */
  | {
      readonly _tag: "pending"
      readonly proposal: Proposal
      /** Names this proposal; a confirmation of an older one is refused. */
      readonly proposalId: string
      readonly proposedAt: number
      readonly setback: Setback | undefined
    }
  /** Here, or in another process that has the same files. */
  | {
      readonly _tag: "submitting"
      readonly proposal: Proposal
      readonly proposalId: string
      readonly since: number
    }
  | { readonly _tag: "coolingDown"; readonly until: number }
  /** `setback`: the file was spoiled since; what is on the line goes on with the credentials it had. */
  | {
      readonly _tag: "registered"
      readonly clawId: string
      readonly name: string
      readonly since: number
      readonly setback?: Setback | undefined
    }

export type RegistrationPhase = RegistrationState["_tag"]

// -- what may happen ---------------------------------------------------------------------------------------------------

/** What a look found in the place of the profile. */
export type Found =
  | { readonly _tag: "None" }
  | { readonly _tag: "Profile"; readonly clawId: string; readonly name: string }
  | { readonly _tag: "Unreadable"; readonly message: string }

/** Proposals are checked (ProfileFields.check) before they come here. `at` is the time of the event. */
export type RegistrationEvent =
  /** `owned`: this process holds the lock of the registration and may finish what a dead one began. */
  | {
      readonly _tag: "Looked"
      readonly found: Found
      readonly pending: Pending | undefined
      readonly owned: boolean
      readonly at: number
    }
  /** By the agent when it was its turn (`asked`), or by whoever calls. `pending` as it lies on the disk. */
  | {
      readonly _tag: "Proposed"
      readonly proposal: Proposal
      readonly proposalId: string
      readonly asked: boolean
      readonly pending: Pending | undefined
      readonly at: number
    }
  | { readonly _tag: "ProposingFailed"; readonly setback: Setback; readonly retryAt: number }
  /** A person said yes. `newId` and `newAttempt` are for where they are needed. */
  | {
      readonly _tag: "Confirmed"
      readonly proposalId: string | undefined
      readonly proposal: Proposal | undefined
      readonly pending: Pending | undefined
      readonly newId: string
      readonly newAttempt: string
      readonly at: number
    }
  | {
      readonly _tag: "Cancelled"
      readonly proposalId: string | undefined
      readonly pending: Pending | undefined
      readonly at: number
    }
  /** The platform gave an identity and it is on the disk. */
  | { readonly _tag: "Registered"; readonly clawId: string; readonly name: string; readonly at: number }
  /** `certain`: it is known that no identity was made. */
  | {
      readonly _tag: "RegistrationFailed"
      readonly setback: Setback
      readonly pending: Pending
      readonly certain: boolean
    }
  /** A person does not want to wait. A look follows. */
  | { readonly _tag: "Hurried" }

// -- what follows ------------------------------------------------------------------------------------------------------

/** What concerns files is carried out before the state counts. */
export type Action =
  | { readonly _tag: "Keep"; readonly pending: Pending }
  | { readonly _tag: "Forget" }
  /** The activation token did its work. */
  | { readonly _tag: "ForgetToken" }
  /** Ask the agent. */
  | { readonly _tag: "Propose" }
  | { readonly _tag: "StopProposing" }
  /** Ask the platform, under the key in `pending.attempt`. */
  | { readonly _tag: "Register"; readonly pending: Pending & { readonly attempt: string } }

export type Refusal =
  | { readonly _tag: "NothingPending"; readonly detail: string }
  | { readonly _tag: "Busy" }
  | { readonly _tag: "AlreadyRegistered"; readonly clawId: string }

export interface Step {
  readonly state: RegistrationState
  readonly actions: ReadonlyArray<Action>
  /** The state is the one it was, and nothing is to be done. */
  readonly refusal: Refusal | undefined
}

export interface Policy {
  /** There is an agent that can be asked. Without one a person or a script submits. */
  readonly proposes: boolean
  /** Milliseconds from a cancel to the next proposal. */
  readonly cooldown: number
  /** Milliseconds between two looks. */
  readonly interval: number
}

const becomes = (state: RegistrationState, ...actions: ReadonlyArray<Action>): Step => ({
  state,
  actions,
  refusal: undefined
})
const refuse = (state: RegistrationState, refusal: Refusal): Step => ({ state, actions: [], refusal })

export const initial: RegistrationState = { _tag: "absent", setback: undefined, retryAt: undefined }

export const setbackOf = (state: RegistrationState): Setback | undefined =>
  "setback" in state ? state.setback : undefined

const waits = (pending: Pending, setback: Setback | undefined): RegistrationState => ({
  _tag: "pending",
  proposal: pending.proposal,
  proposalId: pending.proposalId,
  proposedAt: pending.proposedAt,
  setback
})

const submits = (pending: Pending, since: number): RegistrationState => ({
  _tag: "submitting",
  proposal: pending.proposal,
  proposalId: pending.proposalId,
  since
})

/** A run that is of no use any more is stopped. */
const stopping = (state: RegistrationState): ReadonlyArray<Action> =>
  state._tag === "proposing" ? [{ _tag: "StopProposing" }] : []

type Event<Tag extends RegistrationEvent["_tag"]> = Extract<RegistrationEvent, { readonly _tag: Tag }>

const unreadable = (state: RegistrationState, event: Event<"Looked">, message: string): Step => {
  const former = setbackOf(state)
  const setback: Setback =
    former?.about === "profile" && former.message === message
      ? former
      : { about: "profile", message, fields: [], at: event.at, needsPerson: true }
  switch (state._tag) {
    // It may be under a person's editor at this moment: what is on the line stays there.
    case "registered":
    case "pending":
      return becomes({ ...state, setback })
    case "submitting":
      return becomes(state)
    case "proposing":
    case "coolingDown":
    case "absent":
      return becomes({ _tag: "absent", setback, retryAt: undefined }, ...stopping(state))
  }
}

const foundNothing = (state: RegistrationState, at: number, policy: Policy): Step => {
  switch (state._tag) {
    case "absent": {
      const setback = state.setback?.about === "profile" ? undefined : state.setback
      if (!policy.proposes) return becomes({ ...state, setback })
      return state.retryAt !== undefined && at < state.retryAt
        ? becomes({ ...state, setback })
        : becomes({ _tag: "proposing", since: at, setback }, { _tag: "Propose" })
    }
    case "proposing":
      return becomes(state)
    case "coolingDown":
      return at < state.until ? becomes(state) : foundNothing(initial, at, policy)
    // Another process cancelled it, or a person removed the file.
    case "pending":
      return becomes({ _tag: "coolingDown", until: at + policy.cooldown })
    case "submitting":
    case "registered":
      return becomes({
        _tag: "absent",
        setback: undefined,
        retryAt: policy.proposes ? at + policy.interval : undefined
      })
  }
}

/** No profile, and something lies in `pending.json`. */
const foundPending = (state: RegistrationState, event: Event<"Looked">, pending: Pending, policy: Policy): Step => {
  // Its outcome was on the disk, and somebody took that away: the confirmation is used up.
  if (state._tag === "registered" && pending.confirmed && event.owned) {
    const { actions, state: next } = foundNothing(state, event.at, policy)
    return becomes(next, { _tag: "Forget" }, ...actions)
  }
  if (pending.confirmed && pending.attempt !== undefined) {
    const { attempt } = pending
    const next = state._tag === "submitting" ? state : submits(pending, event.at)
    const resume: ReadonlyArray<Action> = event.owned ? [{ _tag: "Register", pending: { ...pending, attempt } }] : []
    return becomes(next, ...stopping(state), ...resume)
  }
  if (state._tag !== "pending" || state.proposalId !== pending.proposalId) {
    return becomes(waits(pending, undefined), ...stopping(state))
  }
  return becomes(waits(pending, state.setback?.about === "profile" ? undefined : state.setback))
}

const looked = (state: RegistrationState, event: Event<"Looked">, policy: Policy): Step => {
  const { found, pending } = event
  switch (found._tag) {
    case "Profile": {
      const { clawId, name } = found
      const since = state._tag === "registered" && state.clawId === clawId ? state.since : event.at
      const rest: Array<Action> = []
      if (pending !== undefined && event.owned) {
        // One who died between the profile and this did not come to it.
        if (pending.confirmed) rest.push({ _tag: "ForgetToken" })
        rest.push({ _tag: "Forget" })
      }
      return becomes({ _tag: "registered", clawId, name, since }, ...stopping(state), ...rest)
    }
    case "Unreadable":
      return unreadable(state, event, found.message)
    case "None":
      return pending === undefined ? foundNothing(state, event.at, policy) : foundPending(state, event, pending, policy)
  }
}

const proposed = (state: RegistrationState, event: Event<"Proposed">): Step => {
  const { at: proposedAt, proposal, proposalId } = event
  // The agent was overtaken while it studied.
  if (event.asked && state._tag !== "proposing") return becomes(state)
  if (state._tag === "submitting" || event.pending?.confirmed === true) return refuse(state, { _tag: "Busy" })
  if (state._tag === "registered") return refuse(state, { _tag: "AlreadyRegistered", clawId: state.clawId })
  const pending: Pending = {
    proposalId,
    proposal,
    proposedAt,
    attempt: event.pending?.attempt,
    confirmed: false
  }
  return becomes(waits(pending, undefined), { _tag: "Keep", pending })
}

/** Why what a person wants to confirm or cancel is not there. */
const missing = (state: RegistrationState, proposalId: string | undefined): Refusal => ({
  _tag: "NothingPending",
  detail:
    state._tag === "coolingDown"
      ? "This proposal was cancelled, so nothing was registered. The agent makes another one in a moment; or ask for it now."
      : proposalId === undefined
        ? "Nothing waits to be confirmed. Let the agent propose, or say what shall be registered."
        : "This proposal is no longer there, so nothing was registered. Look at the one that waits now."
})

const confirmed = (state: RegistrationState, event: Event<"Confirmed">): Step => {
  const { at, newAttempt, newId, pending, proposal, proposalId } = event
  if (state._tag === "registered") return refuse(state, { _tag: "AlreadyRegistered", clawId: state.clawId })
  if (state._tag === "submitting" || pending?.confirmed === true) return refuse(state, { _tag: "Busy" })
  if (proposalId !== undefined && proposalId !== pending?.proposalId) return refuse(state, missing(state, proposalId))
  const wanted = proposal ?? pending?.proposal
  if (wanted === undefined) return refuse(state, missing(state, proposalId))
  const next = {
    proposalId: pending?.proposalId ?? newId,
    proposal: wanted,
    proposedAt: pending?.proposedAt ?? at,
    // What came of the last one may be unknown: under its key the platform gives the identity that it may have made.
    attempt: pending?.attempt ?? newAttempt,
    confirmed: true
  }
  return becomes(
    submits(next, at),
    ...stopping(state),
    { _tag: "Keep", pending: next },
    { _tag: "Register", pending: next }
  )
}

const cancelled = (state: RegistrationState, event: Event<"Cancelled">, policy: Policy): Step => {
  const { at, pending, proposalId } = event
  if (state._tag === "registered") return refuse(state, { _tag: "AlreadyRegistered", clawId: state.clawId })
  if (state._tag === "submitting" || pending?.confirmed === true) return refuse(state, { _tag: "Busy" })
  const until = at + policy.cooldown
  if (pending === undefined && state._tag === "proposing" && proposalId === undefined) {
    return becomes({ _tag: "coolingDown", until }, { _tag: "StopProposing" })
  }
  if (pending === undefined || (proposalId !== undefined && proposalId !== pending.proposalId)) {
    return refuse(state, missing(state, proposalId))
  }
  return becomes({ _tag: "coolingDown", until }, ...stopping(state), { _tag: "Forget" })
}

/** What an event makes of a state, and what is to be done about it. Total: every event may come in every state. */
export const step = (state: RegistrationState, event: RegistrationEvent, policy: Policy): Step => {
  switch (event._tag) {
    case "Looked":
      return looked(state, event, policy)
    case "Proposed":
      return proposed(state, event)
    case "ProposingFailed":
      return state._tag === "proposing"
        ? becomes({ _tag: "absent", setback: event.setback, retryAt: event.retryAt })
        : becomes(state)
    case "Confirmed":
      return confirmed(state, event)
    case "Cancelled":
      return cancelled(state, event, policy)
    case "Registered": {
      const { at: since, clawId, name } = event
      return becomes({ _tag: "registered", clawId, name, since }, { _tag: "ForgetToken" }, { _tag: "Forget" })
    }
    case "RegistrationFailed": {
      const pending: Pending = {
        ...event.pending,
        attempt: event.certain ? undefined : event.pending.attempt,
        confirmed: false
      }
      return becomes(waits(pending, event.setback), { _tag: "Keep", pending })
    }
    case "Hurried":
      return state._tag === "coolingDown" || state._tag === "absent"
        ? becomes({ _tag: "absent", setback: setbackOf(state), retryAt: undefined })
        : becomes(state)
  }
}
