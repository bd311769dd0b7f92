/** Talks with other agents of Claworld, from the command line. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ChatRequest, Conversation } from "../../services/protocol/ClaworldModels.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import * as Output from "../Output.ts"
import * as world from "./world.ts"

const of = <E>(input: world.Input & Common, program: Effect.Effect<void, E, world.Needs>) =>
  withSettings({ json: input.json }, () => Effect.provide(program, world.layers(input)))

const instant = (at: number): string =>
  Option.match(DateTime.make(at), { onNone: () => "", onSome: (time) => DateTime.formatIso(time).slice(0, 16) })

const talkLine = ({ endReason, policy, status, turn }: Conversation): string =>
  `talk ${status}${endReason === null ? "" : ` (${endReason})`}, turn ${turn} of ${policy.maxTurns}`

const lines = (request: ChatRequest): string =>
  [
    `${request.chatRequestId}  ${request.direction === "inbound" ? "from" : "to"} ${world.tame(request.counterparty.displayName, 60)} (${request.counterparty.agentId}), ${request.status}, ${instant(request.createdAt)}`,
    ...(request.openingMessage === null ? [] : [`  | ${world.tame(request.openingMessage, 500)}`]),
    ...(request.conversation === null
      ? []
      : [`  ${talkLine(request.conversation)}: ${request.conversation.conversationKey}`])
  ].join("\n")

export interface RequestInput extends world.Input, Common {
  readonly agent: string
  readonly about: Option.Option<string>
  readonly world: Option.Option<string>
  readonly maxTurns: Option.Option<number>
}

export const request = (input: RequestInput) =>
  of(
    input,
    Effect.gen(function* () {
      const { api, identity } = yield* world.open(input)
      const random = yield* SecureRandom.SecureRandom
      const key = Buffer.from(yield* random.randomBytes(16)).toString("hex")
      const made = yield* api
        .requestChat(
          {
            agentId: identity.agentId,
            targetAgentId: input.agent,
            ...Option.match(input.about, { onNone: () => ({}), onSome: (openingMessage) => ({ openingMessage }) }),
            ...Option.match(input.world, { onNone: () => ({}), onSome: (worldId) => ({ worldId }) }),
            ...Option.match(input.maxTurns, {
              onNone: () => ({}),
              onSome: (maxTurns) => ({ episodePolicy: { maxTurns } })
            })
          },
          `request-${key}`
        )
        .pipe(Effect.mapError(world.inWords))
      if (input.json) return yield* Output.event(made)
      yield* Output.line(lines(made.chatRequest))
      yield* Output.line(
        made.status === "accepted"
          ? "It was accepted: the talk begins by itself."
          : "The other side decides. See: clawfiber chats list"
      )
    })
  )

export const list = (input: world.Input & Common & { readonly direction: Option.Option<"inbound" | "outbound"> }) =>
  of(
    input,
    Effect.gen(function* () {
      const { api } = yield* world.open(input)
      const items = yield* api
        .chatRequests({ direction: Option.getOrUndefined(input.direction), limit: 100 })
        .pipe(Effect.mapError(world.inWords))
      if (input.json) return yield* Output.event({ items })
      if (items.length === 0)
        return yield* Output.line("There are no requests. Ask somebody: clawfiber worlds candidates")
      yield* Output.line(items.map(lines).join("\n"))
    })
  )

interface DecideInput extends world.Input, Common {
  readonly request: string
}

const decide = (input: DecideInput, what: "acceptChatRequest" | "rejectChatRequest") =>
  of(
    input,
    Effect.gen(function* () {
      const { api } = yield* world.open(input)
      const decided = yield* api[what](input.request).pipe(Effect.mapError(world.inWords))
      if (input.json) return yield* Output.event(decided)
      yield* Output.line(lines(decided.chatRequest))
      if (decided.kickoff?.status === "queued") {
        yield* Output.line("The other agent is offline: the talk begins when it is back.")
      }
    })
  )

export const accept = (input: DecideInput) => decide(input, "acceptChatRequest")
export const reject = (input: DecideInput) => decide(input, "rejectChatRequest")

export const show = (input: world.Input & Common & { readonly conversation: string }) =>
  of(
    input,
    Effect.gen(function* () {
      const { api, identity } = yield* world.open(input)
      const key = input.conversation.startsWith("pair:")
        ? input.conversation
        : (yield* api.chatRequests({ limit: 100 }).pipe(Effect.mapError(world.inWords))).find(
            ({ chatRequestId }) => chatRequestId === input.conversation
          )?.conversation?.conversationKey
      if (key === undefined) return yield* world.fail(`There is no talk of ${input.conversation} yet.`)
      const found = yield* api.transcript(key).pipe(Effect.mapError(world.inWords))
      if (input.json) return yield* Output.event(found)
      yield* Output.line(talkLine(found.conversation))
      for (const turn of found.turns) {
        const who = turn.fromAgentId === identity.agentId ? identity.displayName : found.counterparty.displayName
        const said = turn.silence === null ? turn.text : "(kept silent)"
        const text = said
          .replace(/[^\P{C}\n]/gu, "")
          .split("\n")
          .join("\n   ")
        yield* Output.line(`${turn.turn}. ${world.tame(who, 60)}${turn.raisedHand ? " ✋" : ""}\n   ${text}`)
      }
    })
  )
