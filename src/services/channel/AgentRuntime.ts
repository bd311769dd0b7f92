/**
 * Whatever answers: a model, a host, the user's own code, or a simulation. A turn goes in, a stream of parts comes out.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Part } from "../protocol/Inbound.ts"
import type { Usage } from "../protocol/ResponseEvent.ts"
import type { Toolbox } from "./Toolbox.ts"

/** Where a turn comes from. What it may do follows from this and from nothing that a stranger writes (law confined). */
export type Origin = "chat" | "world" | "registration" | "work" | "operator"

export interface Turn {
  readonly origin: Origin
  readonly accountId: string
  /** `instaclaw:{accountId}:{sessionId}`: the agent's memory hangs on it. */
  readonly sessionKey: string
  readonly sessionId: string | undefined
  readonly messageId: string | undefined
  readonly responseId: string
  /** Who asks, where the platform says so: never what a request merely claims. */
  readonly userId?: string | undefined
  /** From the operator: setting and profile. */
  readonly systemPrompt: string | undefined
  /** Who is asking, in which session. From the platform, in words. */
  readonly context: string
  readonly parts: ReadonlyArray<Part>
  /** What this turn may do, and nothing else (law confined). Empty for chat and worlds. */
  readonly toolbox: Toolbox
}

export type ReplyPart =
  | { readonly _tag: "Text"; readonly text: string }
  /** The agent does something that has no text yet: keeps a reply from counting as stalled. */
  | { readonly _tag: "Activity"; readonly label: string }
  | { readonly _tag: "Usage"; readonly usage: Usage }

/** The provider asks for patience. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  retryAfterSeconds: Schema.UndefinedOr(Schema.Finite)
}) {}
/** The key, the model's name or the address is wrong: a person must mend the settings. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", { detail: Schema.String }) {}
/** The provider could not be reached, or its answer broke off. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { detail: Schema.String }) {}
/** The provider refused the content. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { detail: Schema.String }) {}
/** What was asked cannot be handled (a picture where the model reads none, a file that is too large ...). */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", { detail: Schema.String }) {}
/** The user's own code or command failed. `detail` is for the log, never for the wire. */
export class RuntimeFailed extends Schema.TaggedError<RuntimeFailed>()("RuntimeFailed", { detail: Schema.String }) {}

export type AgentReason = RateLimited | Misconfigured | Unavailable | Refused | Unsupported | RuntimeFailed

/** Why an agent gave no (whole) answer. */
export class AgentError extends Schema.TaggedError<AgentError>()("AgentError", {
  reason: Schema.Union([RateLimited, Misconfigured, Unavailable, Refused, Unsupported, RuntimeFailed])
}) {
  /** For the person who asked: no path, no stack, no secret. */
  get publicMessage(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "RateLimited":
        return reason.retryAfterSeconds === undefined
          ? "The model is busy. Try again in a moment."
          : `The model is busy. Try again in ${Math.max(1, Math.ceil(reason.retryAfterSeconds))} s.`
      case "Misconfigured":
        return "The agent's model is not set up rightly. Its operator has to look at the settings."
      case "Unavailable":
        return "The model cannot be reached just now. Try again in a moment."
      case "Refused":
        return "The model declined to answer this."
      case "Unsupported":
        return reason.detail
      case "RuntimeFailed":
        return "The agent's own code failed on this message. Its operator can find the reason in the log."
    }
  }

  /** For the operator's log. */
  override get message(): string {
    const reason = this.reason
    return reason._tag === "RateLimited" ? this.publicMessage : `${reason._tag}: ${reason.detail}`
  }
}

export class AgentRuntime extends Context.Service<
  AgentRuntime,
  {
    /** For people: "offline agent", "gpt-5 at api.openai.com" ... Says what is spent and where. */
    readonly description: string
    /** The value of `model` in responses. */
    readonly model: string
    /** Answers with words alone and never looks into a turn's toolbox: one's own function or command. */
    readonly wordsOnly?: boolean | undefined
    /**
     * With these words the person wants an end of what is said in this conversation: what runs or waits in it is
     * cancelled, and the message does not wait behind it.
     */
    readonly stops?: ((parts: ReadonlyArray<Part>) => boolean) | undefined
    /**
     * The parts of a reply, in order. Interrupting the stream stops the agent. Text parts are exact pieces, never
     * cumulative. A layer emits what it has as arrays (chunks), not element by element: the consumer takes one
     * chunk per step.
     */
    readonly reply: (turn: Turn) => Stream.Stream<ReplyPart, AgentError>
  }
>()("clawfiber/channel/AgentRuntime") {}
