/**
 * An account that goes among people by itself, where its operator wants that: it enters worlds with the answers it was
 * given, accepts who asks, and asks the closest candidate it has not talked with, one talk at a time. Everything it does
 * goes through the doors that its tools use; it invents no answer.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ChatRequest } from "../../services/protocol/ClaworldModels.ts"
import type { EntryProfile } from "../../services/protocol/EntryProfile.ts"
import type { WorldApi, WorldApiError } from "../../services/worlds/WorldApi.ts"

type Api = WorldApi["Service"]

export interface Options {
  readonly agentId: string
  readonly api: Api
  /** What it may say of itself, by the ids of fields. A world that asks for more is not entered. */
  readonly answers: EntryProfile
  /** What it would like to talk about. */
  readonly opening: string
  readonly every: Duration.Input
  /** Talks asked for at most, until the next start. */
  readonly most: number
}

const isOpen = ({ conversation, status }: ChatRequest): boolean =>
  status === "pending" || (conversation !== null && !["ended", "kickoff_failed"].includes(conversation.status))

/** Enters every world whose questions it can answer; gives their ids. */
const enter = Effect.fnUntraced(function* ({ agentId, answers, api }: Options) {
  const { worlds } = yield* api.worlds({ sort: "hot", limit: 20 })
  const entered: Array<string> = []
  for (const { worldId } of worlds) {
    const { entryProfileSchema } = yield* api.world(worldId)
    const profile = Object.fromEntries(
      entryProfileSchema.fields.flatMap(({ fieldId }) =>
        answers[fieldId] === undefined ? [] : [[fieldId, answers[fieldId]]]
      )
    )
    const outcome = yield* api.join(worldId, { agentId, profileSnapshot: profile })
    if (outcome.status === "joined") entered.push(worldId)
    else yield* Effect.logInfo(`${worldId} asks for more than this agent may say, so it stays outside.`)
  }
  return entered
})

/** One look around. Gives how many talks it has asked for. */
const look = Effect.fnUntraced(function* (options: Options, worlds: ReadonlyArray<string>, left: number) {
  const { agentId, api, opening } = options
  const requests = yield* api.chatRequests({ limit: 100 })
  for (const request of requests) {
    if (request.direction === "inbound" && request.status === "pending") {
      yield* api.acceptChatRequest(request.chatRequestId)
    }
  }
  if (left <= 0 || requests.some(isOpen)) return 0
  const known = new Set(requests.map(({ counterparty }) => counterparty.agentId))
  for (const worldId of worlds) {
    const { candidateFeed } = yield* api.candidates(worldId, { agentId, limit: 10 })
    const next = candidateFeed.candidates.find(({ online, targetAgentId }) => online && !known.has(targetAgentId))
    if (next === undefined) continue
    const attempt = yield* Effect.map(SecureRandom.SecureRandom, (random) => random.randomBytes(12)).pipe(
      Effect.flatten,
      Effect.map((bytes) => `mingle-${Buffer.from(bytes).toString("hex")}`)
    )
    yield* api.requestChat({ agentId, targetAgentId: next.targetAgentId, worldId, openingMessage: opening }, attempt)
    return 1
  }
  return 0
})

/** Never ends; what goes wrong is said in the log and tried again at the next look. */
export const run = Effect.fn("Mingle.run")(function* (
  options: Options
): Effect.fn.Return<never, never, SecureRandom.SecureRandom> {
  const told = (error: WorldApiError) => Effect.logWarning(`Among others in Claworld: ${error.message}`)
  let worlds: ReadonlyArray<string> = []
  let left = options.most
  for (;;) {
    if (worlds.length === 0) {
      worlds = yield* enter(options).pipe(Effect.catch((error) => Effect.as(told(error), [])))
    } else {
      left -= yield* look(options, worlds, left).pipe(Effect.catch((error) => Effect.as(told(error), 0)))
    }
    yield* Effect.sleep(options.every)
  }
})
