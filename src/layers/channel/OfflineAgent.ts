/**
 * The agent that is there when no model is: no key, no network, no thinking, and it says so. It tries out everything
 * around a model (streams, long and slow answers, failures, files, memory) in the language of the message.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import {
  AgentError,
  AgentRuntime,
  type ReplyPart,
  RuntimeFailed,
  type Turn
} from "../../services/channel/AgentRuntime.ts"
import { Attachments } from "../../services/channel/Attachments.ts"
import type { Toolbox } from "../../services/channel/Toolbox.ts"
import { Transcripts } from "../../services/channel/Transcripts.ts"
import * as OfflineAnswers from "./OfflineAnswers.ts"
import * as OfflineAttachments from "./OfflineAttachments.ts"
import * as OfflineProposal from "./OfflineProposal.ts"
import { languageOf, parse } from "./OfflineCommand.ts"
import * as OfflineTalk from "./OfflineTalk.ts"
import { units } from "./OfflineText.ts"
import * as OfflineWork from "./OfflineWork.ts"
import { remember } from "./Remember.ts"
import * as WorkspaceText from "./WorkspaceText.ts"

export interface Options {
  /** `natural`, the default: a word or two every 15 to 40 ms. `none`: the same pieces, all at once. */
  readonly rhythm?: "natural" | "none" | undefined
  /** IANA name; the machine's own by default. */
  readonly timeZone?: string | undefined
}

const shortestPause = 15
const longestPause = 40
/** Longer texts come in larger pieces, so that none takes longer to write than about half a minute. */
const unitsAtOnce = 800
/** Described of one message; the rest is passed over. */
const maxAttachments = 20
/** Of the toolkit in protocol/Tools, which this agent does not load for one name. */
const propose = "insta_propose_registration"
/** How often a slow answer shows that it is still at work. */
const sign = 5

const text = (text: string): ReplyPart => ({ _tag: "Text", text })

/** A pull of one piece: a random number of units after a random pause, the first one without any. */
const naturally = (answer: string): Stream.Stream<ReplyPart> =>
  Stream.fromPull(
    Effect.sync(() => {
      const all = units(answer)
      const scale = Math.max(1, Math.ceil(all.length / unitsAtOnce))
      let at = 0
      const piece = Effect.gen(function* () {
        if (at >= all.length) return yield* Cause.done()
        if (at > 0) yield* Effect.sleep(yield* Random.nextIntBetween(shortestPause, longestPause))
        const end = at + scale * (yield* Random.nextIntBetween(1, 2))
        const parts: [ReplyPart] = [text(all.slice(at, end).join(""))]
        at = end
        return parts
      })
      return piece
    })
  )

const atOnce = (answer: string): Stream.Stream<ReplyPart> => Stream.fromArray(units(answer).map(text))

/** Signs of life every few seconds, nothing else. */
const waiting = (seconds: number): Stream.Stream<ReplyPart> => {
  const pauses = Array.from({ length: Math.ceil(seconds / sign) }, (_, index) => Math.min(sign, seconds - index * sign))
  return Stream.fromIterable(pauses).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((pause) => Effect.as(Effect.sleep(pause * 1000), { _tag: "Activity", label: "waiting" } as const))
  )
}

/** What a registration turn is for, without a model: the folder's own words, by plain rules. */
const introduced = (toolbox: Toolbox, message: string): Stream.Stream<ReplyPart> =>
  Stream.concat(
    Stream.succeed<ReplyPart>({ _tag: "Activity", label: propose }),
    Stream.fromEffect(
      Effect.map(
        Effect.suspend(() => toolbox.call(propose, OfflineProposal.make(WorkspaceText.parse(message)))),
        ({ isError }) => text(isError ? "My proposal was not taken." : "I have proposed how I introduce myself.")
      )
    )
  )

/** A task of the market, without a model: what plain rules can do, and an honest word about the rest. */
const worked = (toolbox: Toolbox, message: string): Stream.Stream<ReplyPart> =>
  Stream.concat(
    Stream.succeed<ReplyPart>({ _tag: "Activity", label: "work" }),
    Stream.fromEffect(Effect.map(OfflineWork.perform(toolbox, message), text))
  )

const onPurpose = new AgentError({ reason: new RuntimeFailed({ detail: "the user asked for a failure" }) })

export const make = (options: Options = {}): Effect.Effect<AgentRuntime["Service"], never, Attachments | Transcripts> =>
  Effect.gen(function* () {
    const attachments = yield* Attachments
    const transcripts = yield* Transcripts
    // The edge to the platform: nothing in Effect knows the machine's zone.
    const timeZone = options.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone
    const stream = options.rhythm === "none" ? atOnce : naturally

    const begin = Effect.fnUntraced(function* (turn: Turn): Effect.fn.Return<Stream.Stream<ReplyPart, AgentError>> {
      const message = turn.parts.flatMap((part) => (part.type === "input_text" ? [part.text] : [])).join("\n")
      if (turn.origin === "registration") return introduced(turn.toolbox, message)
      if (turn.origin === "work") return worked(turn.toolbox, message)
      const history = yield* transcripts.load(turn.sessionKey)
      // A message without words is answered in the language of the one before.
      const lastWords = history.findLast((said) => said.role === "user")?.text ?? ""
      const language = languageOf(message.trim() === "" ? lastWords : message)
      if (turn.origin === "world") {
        return stream(OfflineTalk.talk({ message, history, systemPrompt: turn.systemPrompt, language }))
      }
      const command = parse(message)
      if (command._tag === "Fail" && !command.late) return Stream.fail(onPurpose)
      const answer = OfflineAnswers.answer(command, {
        language,
        now: yield* Clock.currentTimeMillis,
        timeZone,
        history,
        attachments: yield* Effect.forEach(
          turn.parts.filter((part) => part.type !== "input_text").slice(0, maxAttachments),
          (part) => OfflineAttachments.describe(part, attachments, language)
        )
      })
      if (command._tag === "Fail") return Stream.concat(stream(answer), Stream.fail(onPurpose))
      if (command._tag === "Slow") {
        return stream(OfflineAnswers.slowly(command.seconds, language)).pipe(
          Stream.concat(waiting(command.seconds)),
          Stream.concat(stream(answer))
        )
      }
      return stream(answer)
    })

    return AgentRuntime.of({
      description: "offline agent (no model, nothing is spent)",
      model: "offline",
      reply: (turn) => Stream.unwrap(begin(turn)).pipe(remember(transcripts, turn))
    })
  })

export const layerWith = (options: Options): Layer.Layer<AgentRuntime, never, Attachments | Transcripts> =>
  Layer.effect(AgentRuntime, make(options))

export const layer: Layer.Layer<AgentRuntime, never, Attachments | Transcripts> = layerWith({})
