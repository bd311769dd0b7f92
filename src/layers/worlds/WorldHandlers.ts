/**
 * What the nine tools of Claworld do: a check of what was given, one call of the service, and in every result what to do
 * next. Nothing is kept between two calls; the drafts of an entry go to and fro with the caller, as the seed has it.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Toolbox } from "../../services/channel/Toolbox.ts"
import { nextActions } from "../../services/protocol/Worlds.ts"
import * as Tools from "../../services/protocol/WorldTools.ts"
import type { WorldApi, WorldApiError } from "../../services/worlds/WorldApi.ts"
import * as OfferedTools from "../channel/OfferedTools.ts"
import * as worldFailures from "./worldFailures.ts"

type Api = WorldApi["Service"]
type BindingSource = (typeof Tools.pairAgent.successSchema.Type)["bindingSource"]

/** An account as the tools see it. */
export interface Desk {
  readonly accountId: string
  /** `None` while the account has no identity in Claworld. */
  readonly bound: Effect.Effect<Option.Option<Bound>>
  /** Why there is none yet, in a sentence for a model; shown where `bound` is none. */
  readonly unbound: Effect.Effect<{ readonly isPending: boolean; readonly reason: string }>
}

export interface Bound {
  readonly api: Api
  readonly source: Extract<BindingSource, "configured_app_token" | "verified_app_token" | "binding_cache">
  /** As it was known last. */
  readonly agentId: string
  readonly agentCode: string
  readonly address: string
  readonly displayName: string
}

export interface Options {
  readonly accounts: Effect.Effect<ReadonlyArray<Desk>>
  /** Used where a call names none; undefined where there are several and none is the default. */
  readonly defaultAccount: Effect.Effect<string | undefined>
  readonly version: string
}

type Failure = Tools.WorldToolFailure

const domainOf = (address: string): string => address.slice(address.indexOf("@") + 1)

const offer = OfferedTools.offerAs<Failure>({
  invalid: (name, fields) =>
    worldFailures.invalidInput(
      name,
      fields.map(({ field, message }) => ({ fieldId: field, code: "invalid", message }))
    ),
  internal: (name) =>
    worldFailures.failure(name, {
      code: "tool_failed",
      recoverable: false,
      message: `${name} failed by a fault of its own. Its operator can find the reason in the log.`,
      nextAction: "go_on_without_it_and_say_so"
    })
})

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Toolbox, never, SecureRandom.SecureRandom> {
  const random = yield* SecureRandom.SecureRandom

  const deskOf = Effect.fnUntraced(function* (
    tool: string,
    given: string | undefined
  ): Effect.fn.Return<Desk, Failure> {
    const all = yield* options.accounts
    const wanted = given ?? (yield* options.defaultAccount)
    const found = all.find(({ accountId }) => accountId === wanted)
    if (found !== undefined) return found
    const names = all.map(({ accountId }) => accountId).join(", ")
    return yield* Effect.fail(
      worldFailures.failure(tool, {
        code: wanted === undefined ? "missing_default_account" : "account_unknown",
        category: "config",
        message:
          all.length === 0
            ? "No account of Claworld is set up here. Tell your operator."
            : wanted === undefined
              ? `There are several accounts here; say which one in accountId: ${names}.`
              : `There is no account of that name here. There are: ${names}.`,
        nextAction: "name_an_account",
        nextTool: tool
      })
    )
  })

  const boundOf = Effect.fnUntraced(function* (tool: string, desk: Desk): Effect.fn.Return<Bound, Failure> {
    const bound = yield* desk.bound
    if (Option.isSome(bound)) return bound.value
    const { reason } = yield* desk.unbound
    return yield* Effect.fail(
      worldFailures.failure(tool, {
        code: "no_identity",
        category: "bootstrap",
        message: reason,
        nextAction: "check_identity_and_tell_operator",
        nextTool: "claworld_pair_agent"
      })
    )
  })

  /** One call of the service for an account. */
  const asking = Effect.fnUntraced(function* <A>(
    tool: string,
    accountId: string | undefined,
    call: (bound: Bound) => Effect.Effect<A, WorldApiError>
  ): Effect.fn.Return<{ readonly accountId: string; readonly answer: A }, Failure> {
    const desk = yield* deskOf(tool, accountId)
    const bound = yield* boundOf(tool, desk)
    const answer = yield* Effect.mapError(call(bound), (error) => worldFailures.ofApi(tool, error))
    return { accountId: desk.accountId, answer }
  })

  const pair = Effect.fn("WorldHandlers.pair")(function* (given: string | undefined) {
    const tool = "claworld_pair_agent"
    const desk = yield* deskOf(tool, given)
    const { accountId } = desk
    const bound = yield* desk.bound
    if (Option.isNone(bound)) {
      const { isPending, reason } = yield* desk.unbound
      const status = isPending ? ("registration_pending" as const) : ("unbound" as const)
      return {
        status,
        reason,
        accountId,
        bindingSource: status,
        relay: null,
        nextAction: isPending ? "wait_for_registration" : "tell_operator_to_set_up_claworld"
      }
    }
    const { address, agentCode, agentId, api, displayName, source } = bound.value
    const asked = yield* Effect.option(
      Effect.catchIf(
        Effect.asSome(api.self),
        // A token that is refused is no identity; an unreachable service says nothing about it.
        (error) => error.reason._tag === "FetchFailed",
        () => Effect.succeedNone
      )
    )
    if (Option.isNone(asked)) {
      return {
        status: "unbound" as const,
        reason: "The service does not accept the app token of this account any more.",
        accountId,
        bindingSource: "unbound" as const,
        relay: null,
        nextAction: "tell_operator_to_renew_the_app_token"
      }
    }
    const self = Option.getOrUndefined(asked.value)
    return {
      status: "paired" as const,
      reason:
        self === undefined
          ? "The service cannot be reached just now; this is what was known last."
          : "The service knows this agent.",
      accountId,
      bindingSource: self === undefined ? ("binding_cache" as const) : source,
      relay: {
        agentId: self?.agentId ?? agentId,
        agentCode: self?.agentCode ?? agentCode,
        relayLocalCode: self?.agentCode ?? agentCode,
        address: self?.address ?? address,
        domain: self?.domain ?? domainOf(address),
        displayName: self?.displayName ?? displayName,
        discoverable: self?.discoverable ?? false,
        contactable: self?.contactable ?? false,
        online: self?.online ?? false,
        resolved: self !== undefined
      },
      nextAction: self === undefined ? "try_again_in_a_moment" : "list_worlds",
      ...(self === undefined ? {} : { nextTool: "claworld_list_worlds" })
    }
  })

  const attempt = Effect.map(random.randomBytes(16), (bytes) => `request-${Buffer.from(bytes).toString("hex")}`)

  const offered = [
    offer(Tools.pairAgent, ({ accountId }) => pair(accountId)),

    offer(
      Tools.listWorlds,
      Effect.fn("WorldHandlers.worlds")(function* ({ accountId: given, limit, page, sort }) {
        const { accountId, answer } = yield* asking("claworld_list_worlds", given, ({ api }) =>
          api.worlds({ limit, page, sort })
        )
        return {
          accountId,
          ...answer,
          ...(answer.worlds.length === 0
            ? { nextAction: "no_worlds_here" }
            : { nextAction: "choose_world_and_read_detail", nextTool: "claworld_get_world_detail" })
        }
      })
    ),

    offer(
      Tools.getWorldDetail,
      Effect.fn("WorldHandlers.world")(function* ({ accountId: given, worldId }) {
        const { accountId, answer } = yield* asking("claworld_get_world_detail", given, ({ api }) => api.world(worldId))
        return { accountId, ...answer, nextTool: "claworld_join_world" }
      })
    ),

    offer(
      Tools.joinWorld,
      Effect.fn("WorldHandlers.join")(function* ({ accountId: given, worldId, ...round }) {
        const { accountId, answer } = yield* asking("claworld_join_world", given, ({ agentId, api }) =>
          api.join(worldId, { agentId, ...round })
        )
        switch (answer.status) {
          case "needs_profile":
            return { accountId, ...answer }
          case "ready_to_join":
            return { accountId, ...answer, nextTool: "claworld_join_world" }
          case "joined":
            return {
              accountId,
              ...answer,
              ...(answer.candidateFeed.candidates.length === 0 ? {} : { nextTool: "claworld_request_chat" })
            }
        }
      })
    ),

    offer(
      Tools.createWorld,
      Effect.fn("WorldHandlers.create")(function* ({ accountId: given, ...world }) {
        const { accountId, answer } = yield* asking("claworld_create_world", given, ({ api }) => api.createWorld(world))
        return {
          accountId,
          status: "created" as const,
          world: answer,
          nextAction: nextActions.joinWorld,
          nextTool: "claworld_join_world"
        }
      })
    ),

    offer(
      Tools.requestChat,
      Effect.fn("WorldHandlers.request")(function* ({ accountId: given, ...request }) {
        const tool = "claworld_request_chat"
        const key = yield* attempt
        const { accountId, answer } = yield* asking(tool, given, ({ agentId, api }) =>
          api.requestChat({ agentId, ...request }, key)
        )
        return { accountId, ...answer, nextTool: "claworld_list_chat_requests" }
      })
    ),

    offer(
      Tools.listChatRequests,
      Effect.fn("WorldHandlers.requests")(function* ({ accountId: given, direction }) {
        const { accountId, answer } = yield* asking("claworld_list_chat_requests", given, ({ api }) =>
          api.chatRequests({ direction, limit: 50 })
        )
        const canAccept = answer.some((item) => item.direction === "inbound" && item.status === "pending")
        return {
          accountId,
          items: answer,
          ...(canAccept
            ? { nextAction: "review_with_operator_and_accept", nextTool: "claworld_accept_chat_request" }
            : { nextAction: answer.length === 0 ? "no_requests" : nextActions.waitForPeer })
        }
      })
    ),

    offer(
      Tools.acceptChatRequest,
      Effect.fn("WorldHandlers.accept")(function* ({ accountId: given, chatRequestId }) {
        const { accountId, answer } = yield* asking("claworld_accept_chat_request", given, ({ api }) =>
          api.acceptChatRequest(chatRequestId)
        )
        return { accountId, ...answer }
      })
    ),

    offer(
      Tools.submitFeedback,
      Effect.fn("WorldHandlers.feedback")(function* ({ accountId: given, ...feedback }) {
        const tool = "claworld_submit_feedback"
        const { accountId, answer } = yield* asking(tool, given, ({ agentId, api }) =>
          api.feedback({ agentId, ...feedback })
        )
        return {
          accountId,
          ...answer,
          runtime: { toolName: tool, toolCallId: null, pluginVersion: options.version } as const
        }
      })
    )
  ]

  const box = OfferedTools.toolbox(offered)
  const known = new Set<string>(Tools.toolNames)
  return {
    tools: box.tools,
    call: (name, input) =>
      known.has(name) || !name.startsWith("claworld_")
        ? box.call(name, input)
        : Effect.succeed({ isError: true, value: worldFailures.unknownTool(name) })
  }
})
