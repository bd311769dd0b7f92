/**
 * The registration of one account as data: its states, what may happen to it, and what follows. Pure; the Registrar
 * carries out what is decided here (seed chart sections 2 and 6, PROTOCOL A4).
 *
 *   absent ──look──► proposing ──proposed──► pending ──submit──► submitting ──registered──► registered
 *     ▲                 │ failed                │ cancel              │ refused              │ gone
 *     └─────────────────┴──────────◄────────────┼─────────────────────┘                      │
 *     ▲                                         ▼                                            │
 *     └──────────────────────────────── coolingDown ◄─────(profile removed: absent)──────────┘
 */
import type { FieldFault, Proposal } from "../protocol/ProfileFields.ts"

/** Why the last attempt came to nothing: for the page, the terminal and the log. */
export interface Setback {
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
  | {
      readonly _tag: "submitting"
      readonly proposal: Proposal
      readonly proposalId: string
      readonly since: number
    }
  | { readonly _tag: "coolingDown"; readonly until: number }
  | { readonly _tag: "registered"; readonly clawId: string; readonly name: string; readonly since: number }

export type RegistrationPhase = RegistrationState["_tag"]
