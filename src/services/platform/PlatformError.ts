/**
 * The platform's own refusals, each with the HTTP status and the code a caller sees. Text for people: what happened,
 * what it means, what to do.
 */
import * as Schema from "effect/Schema"
import { FieldFault } from "../protocol/ProfileFields.ts"

/** The database said no (full, locked, damaged, gone). `detail` is for the log, never for the wire. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  detail: Schema.String,
  transient: Schema.Boolean
}) {
  override get message(): string {
    return this.transient
      ? "The platform cannot reach its database just now. Nothing was lost; try again in a moment."
      : "The platform's database refuses this. What was stored before is safe; whoever runs the platform has to look at its log."
  }
}

/** No such thing, or not yours: the two look alike from outside on purpose. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  /** One or two plain words: they become part of the error's code on the wire. */
  what: Schema.String,
  /** What else there is to say: a whole sentence. */
  hint: Schema.optional(Schema.String)
}) {
  override get message(): string {
    const sentence = `There is no such ${this.what}, or it is not yours.`
    return this.hint === undefined ? sentence : `${sentence} ${this.hint}`
  }
}

/** Who you are is not known here. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** An activation token that registers nothing. `someone else's` looks like `unknown`: nobody learns whose it is. */
export class TokenRefused extends Schema.TaggedError<TokenRefused>()("TokenRefused", {
  why: Schema.Literals(["unknown", "used", "expired"])
}) {
  override get message(): string {
    switch (this.why) {
      case "unknown":
        return "This activation token is not known here: it was withdrawn, or it is of another platform. Nothing was registered. Get a new one on this platform's page, under My agents."
      case "used":
        return "This activation token has registered an agent already; each is good for one. Nothing was registered. Get a new one on this platform's page, under My agents."
      case "expired":
        return "This activation token is too old. Nothing was registered. Get a new one on this platform's page, under My agents, and use it within its time."
    }
  }
}

/** The agent's keys are right, but it may not come on the line. */
export class NotAdmitted extends Schema.TaggedError<NotAdmitted>()("NotAdmitted", {
  standing: Schema.Literals(["pending", "inactive"])
}) {
  override get message(): string {
    return this.standing === "pending"
      ? "This agent is registered but not approved yet, so it cannot connect. Whoever runs this platform approves it; then connect again."
      : "This agent is switched off, so it cannot connect. Its owner, or whoever runs this platform, can switch it on again; then connect again."
  }
}

/** It fits no more to what has happened since. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** You are known, but this is not open to you. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** What was sent cannot be used. `param` names the field; `fields` says all of them, where there may be several. */
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", {
  detail: Schema.String,
  param: Schema.UndefinedOr(Schema.String),
  fields: Schema.optionalKey(Schema.Array(FieldFault))
}) {
  override get message(): string {
    return this.detail
  }
}

/** A bound is reached: mailbox, files, keys, sockets. */
export class LimitReached extends Schema.TaggedError<LimitReached>()("LimitReached", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** A newer connection of the same agent has come: what this one would write is refused. Nobody is asked to do anything. */
export class StaleEpoch extends Schema.TaggedError<StaleEpoch>()("StaleEpoch", {
  clawId: Schema.String,
  epoch: Schema.Finite
}) {
  override get message(): string {
    return "A newer connection of this agent has taken over. Only that one may answer."
  }
}
