/**
 * What was accepted and how it ended, so that a message is answered once (laws once and one-terminal). The contract
 * is made for a durable layer; the memory layer keeps the same promises for the life of the process.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DialectName } from "../protocol/Dialect.ts"
import type { Failure } from "../protocol/ResponseEvent.ts"

/** Identity of a message: (account, session, message id). */
export interface MessageKey {
  readonly accountId: string
  readonly sessionId: string | undefined
  /** Without one there is nothing to tell a repeat by: every arrival is new. */
  readonly messageId: string | undefined
}

export type Outcome =
  | { readonly _tag: "Completed"; readonly text: string }
  | { readonly _tag: "Failed"; readonly text: string; readonly failure: Failure }

/** Times are milliseconds since the epoch. */
export interface Entry {
  readonly key: MessageKey
  readonly responseId: string
  readonly itemId: string
  /** In which dialect the answer goes out: a start after a crash has nothing else to tell it by. */
  readonly dialect?: DialectName | undefined
  readonly acceptedAt: number
  /** Undefined while the reply is under way. */
  readonly outcome: Outcome | undefined
  readonly endedAt: number | undefined
  /** The last sequence number that the other side confirmed to have stored. */
  readonly confirmedSequence: number | undefined
  /** What `accept` was given to run the message by again; only while there is no outcome. */
  readonly request?: string | undefined
  /** `begin` was called: text may have been shown. */
  readonly begun?: boolean | undefined
  /** When it was last known to be under way, where that is later than `acceptedAt`: to the minute. */
  readonly aliveAt?: number | undefined
}

export type Acceptance =
  | { readonly _tag: "Accepted"; readonly entry: Entry }
  /** Seen before: under way (no outcome) or ended. Never runs again. */
  | { readonly _tag: "Known"; readonly entry: Entry }

/** The journal cannot write (disk full, damaged, locked). Nothing is answered that was not first accepted here. */
export class JournalError extends Schema.TaggedError<JournalError>()("JournalError", {
  detail: Schema.String,
  transient: Schema.Boolean
}) {
  override get message(): string {
    return `The journal cannot be written: ${this.detail}`
  }
}

export class Journal extends Context.Service<
  Journal,
  {
    /** Decides whether a message is new. The ids are those the caller drew for it, kept only if it is. */
    readonly accept: (
      key: MessageKey,
      ids: {
        readonly responseId: string
        readonly itemId: string
        readonly dialect?: DialectName | undefined
        /** Kept until the reply has ended, where a setting says that a silent one is run again after a crash. */
        readonly request?: string | undefined
      }
    ) => Effect.Effect<Acceptance, JournalError>
    /** From now on text may have been shown: a start after a crash must not run this message again. */
    readonly begin: (responseId: string) => Effect.Effect<void, JournalError>
    /** Writes how a reply ended. The first outcome stays; a second one is ignored and `false` returned. */
    readonly end: (responseId: string, outcome: Outcome) => Effect.Effect<boolean, JournalError>
    /** The other side has stored everything up to this number. */
    readonly confirm: (responseId: string, sequence: number) => Effect.Effect<void, JournalError>
    readonly find: (responseId: string) => Effect.Effect<Entry | undefined, JournalError>
    /** Accepted without an outcome, oldest first: what a start after a crash has to end. */
    readonly unfinished: (accountId: string) => Effect.Effect<ReadonlyArray<Entry>, JournalError>
    /** Newest first. */
    readonly recent: (accountId: string, limit: number) => Effect.Effect<ReadonlyArray<Entry>, JournalError>
  }
>()("clawfiber/channel/Journal") {}
