/** Speaking to people without having been asked: what can go wrong with it. */
import * as Schema from "effect/Schema"

/** The platform has no such call: it carries answers alone. */
export class NotOffered extends Schema.TaggedError<NotOffered>()("NotOffered", { platform: Schema.String }) {}

/** Nobody with a conversation with this agent is meant by it, or several are. */
export class UnknownTarget extends Schema.TaggedError<UnknownTarget>()("UnknownTarget", {
  target: Schema.String,
  /** A whole sentence: who there is. */
  hint: Schema.String
}) {}

/** The account has no identity on the platform yet. */
export class NoIdentity extends Schema.TaggedError<NoIdentity>()("NoIdentity", {}) {}

/** The platform says no, in words. */
export class SayingRefused extends Schema.TaggedError<SayingRefused>()("SayingRefused", { detail: Schema.String }) {}

/** The file cannot be sent. `detail` is a whole sentence. */
export class FileRefused extends Schema.TaggedError<FileRefused>()("FileRefused", { detail: Schema.String }) {}

/** No answer, or none that counts. Under its key the same may be said again without being said twice. */
export class PlatformAway extends Schema.TaggedError<PlatformAway>()("PlatformAway", { detail: Schema.String }) {}

export class OutreachError extends Schema.TaggedError<OutreachError>()("OutreachError", {
  reason: Schema.Union([NotOffered, UnknownTarget, NoIdentity, SayingRefused, FileRefused, PlatformAway])
}) {
  /** `true`: the same may go through later. */
  get transient(): boolean {
    return this.reason._tag === "PlatformAway"
  }

  /** What happened, what it means, what to do. */
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NotOffered":
        return `${reason.platform} carries answers alone: an agent cannot speak there without having been asked. Wait for a message of the person's, or use a platform that offers it (clawfiber's own does).`
      case "UnknownTarget":
        return `${reason.target === "" ? "No target is named" : `Nobody is called ${reason.target} here`}. ${reason.hint}`
      case "NoIdentity":
        return "This account has no identity on the platform yet, so it can speak to nobody. Register it first."
      case "SayingRefused":
        return `The platform did not take it: ${reason.detail}`
      case "FileRefused":
        return reason.detail
      case "PlatformAway":
        return `The platform could not be reached (${reason.detail}), so nobody can tell whether it was said. Under the same key it is not said twice: try again.`
    }
  }
}
