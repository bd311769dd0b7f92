/**
 * The agents of an OpenClaw host as `AgentRuntime`: a turn goes into the host's own dispatch (routing, access, session,
 * model, tools), and what the host shows of the answer becomes exact pieces.
 *
 * - Each session of ours is a conversation of its own in the host, whatever its `session.dmScope` says: two people
 *   never share a memory.
 * - Dispatch runs in the async context that `startAccount` was called in (`run`): a fiber wakes in the context of
 *   whoever woke it, and the host refuses work of a request that has answered.
 * - Ending the stream aborts the host's run. Callbacks that come later are ignored.
 */
import * as timers from "node:timers/promises"
import * as Layer from "effect/Layer"
import * as Effect from "effect/Effect"
import {
  AgentError,
  AgentRuntime,
  Refused,
  RuntimeFailed,
  type Turn,
  Unavailable,
  Unsupported
} from "../../../services/channel/AgentRuntime.ts"
import type { Toolbox } from "../../../services/channel/Toolbox.ts"
import * as Batches from "../Batches.ts"
import { admit, type Asking, contextOf, conversationOf, routeOf, senderOf } from "./Asking.ts"
import type { ChannelRuntime, Config, Item, Kind, Payload } from "./Host.ts"
import { isAddress, mediaOf, type Medium, notForStrangers, notSent } from "./Media.ts"
import { Partials } from "./Partials.ts"

/** A file of an answer, for the conversation that it belongs to. */
export interface Attaching extends Medium {
  readonly turn: Pick<Turn, "responseId" | "sessionId">
  /** The host's agent that answers: which files it may send is the host's policy for it. */
  readonly agentId: string
  /** Which of the answer's files it is: 0, 1, 2 ... */
  readonly index: number
  readonly signal: AbortSignal
}

export interface Options {
  /** The channel of the host that the turns come over, and what a person calls it. */
  readonly channel: { readonly id: string; readonly label: string }
  readonly accountId: string
  /** As it is now: a reload may have changed it. */
  readonly config: () => Config
  readonly runtime: ChannelRuntime
  /** Runs something in the async context of `startAccount`: `AsyncLocalStorage.snapshot()`. */
  readonly run: <A>(effect: () => A) => A
  /**
   * Who may talk: `open`, `pairing`, `allowlist` or `disabled`. With `open` anybody of the platform may, and gets no
   * tools of the host (law confined): the operator has let in nobody by name.
   */
  readonly dmPolicy: string
  readonly allowFrom: ReadonlyArray<string>
  /**
   * Told what a turn may do, under the host's session key, before the host runs it; what it gives back is called when
   * the turn is over. The host's tools find their way to the right turn by it (law confined).
   */
  readonly opened: (sessionKey: string, toolbox: Toolbox) => () => void
  /** A message of a person, or of an agent in a world, has come to the agent. */
  readonly received?: (() => void) | undefined
  /** How many turns the host is at: told as that changes, and now and then while one goes on. */
  readonly busy?: ((turns: number) => void) | undefined
  /**
   * Brings a file of an answer to the person who asked, and gives the words that show it: a link. Rejects where it
   * cannot. Absent: files are named and not sent.
   */
  readonly attach?: ((file: Attaching) => Promise<string>) | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const failed = (reason: AgentError["reason"]): AgentError => new AgentError({ reason })

/** The host ended the run and said nothing: a reply without a word would look as if all were well. */
const wordless = "The agent ended without an answer. Send the message again."

/** Where the host takes a message for the order to stop, it must not wait for the end of what it is to stop. */
const isStop = (parts: Turn["parts"]): boolean =>
  parts.every((part) => part.type === "input_text" && /^\s*\/?stop\s*$/i.test(part.text))

/** Milliseconds that the next turn of a conversation waits for the host to be through with the one before. */
const patience = 15_000

/** What an error of the host means for the person who asked; its own words are for the log. */
const fromHost = (cause: unknown): AgentError => {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return failed(
    /draining|shutting down|restart/i.test(detail) ? new Unavailable({ detail }) : new RuntimeFailed({ detail })
  )
}

/** The host says a failed run in words of its own, made for chat: they may be shown. */
const saidByHost = (payload: Payload): AgentError => {
  const detail = payload.text ?? "the host gave no reason"
  return failed(
    /rate.?limit|overloaded|unavailable|timed? ?out|network|connection/i.test(detail)
      ? new Unavailable({ detail })
      : new Unsupported({ detail })
  )
}

/** Milliseconds between two signs of life of a turn that says nothing. */
const lifeSign = 5_000

/** Milliseconds after which a turn that never said a word is taken for dead, whatever the host says of it. */
const longestSilence = 60 * 60_000

/** Until it has settled, or has taken too long. */
const atMost = async (work: Promise<unknown> | undefined, millis: number): Promise<void> => {
  if (work === undefined) return
  const enough = new AbortController()
  const patience = timers.setTimeout(millis, undefined, { ref: false, signal: enough.signal }).catch(() => {})
  await Promise.race([work, patience])
  enough.abort()
}

export type OpenClawAgent = AgentRuntime["Service"] & {
  /** Until the host is through with all turns, also with those that were ended from outside; for a while at most. */
  readonly settled: (millis: number) => Promise<void>
}

export const make = (options: Options): Effect.Effect<OpenClawAgent> =>
  Effect.sync(() => {
    const { run, runtime } = options
    const { id: channel, label } = options.channel

    const dispatch = async (turn: Turn, sink: Batches.Sink<AgentError>, signal: AbortSignal) => {
      const cfg = options.config()
      const own = turn.origin !== "chat"
      if (!own || turn.origin === "world") options.received?.()
      // A turn that the operator's own program began needs nobody's leave.
      const dmPolicy = own ? "open" : options.dmPolicy
      const asking: Asking = { cfg, channel: options.channel, accountId: options.accountId, runtime, turn, dmPolicy }
      const route = routeOf(asking)
      const sender = senderOf(turn)
      const ingress = await admit(asking, route, options.allowFrom)
      if (ingress.ingress.admission === "pairing-required") {
        const { code } = await runtime.pairing.upsertPairingRequest({
          channel,
          accountId: options.accountId,
          id: sender
        })
        sink.push(runtime.pairing.buildPairingReply({ channel, idLine: `Your ${label} user id: ${sender}`, code }))
        return sink.end()
      }
      if (ingress.ingress.admission !== "dispatch") {
        return sink.fail(
          failed(new Refused({ detail: `not let in: ${ingress.ingress.reasonCode ?? ingress.ingress.admission}` }))
        )
      }
      const context = contextOf(asking, route, ingress, options.now())
      const tools = turn.toolbox.tools.map(({ name }) => name)
      const partials = new Partials()
      let fault: AgentError | undefined
      let over = false
      let spoke = false
      signal.addEventListener("abort", () => (over = true), { once: true })
      const push = (text: string): void => {
        if (text === "" || over) return
        spoke = true
        sink.push(text)
      }
      const shown = new Set<string>()
      /** Words for a file, once however often the host hands it over. */
      const show = async (medium: Medium): Promise<void> => {
        if (over || shown.has(medium.url)) return
        const index = shown.size
        shown.add(medium.url)
        if (isAddress(medium)) return push(partials.deliver(medium.url))
        if (dmPolicy === "open") return push(partials.deliver(notForStrangers(medium)))
        const { attach } = options
        const file = { ...medium, turn, agentId: route.agentId, index, signal }
        const words = await attach?.(file).catch(() => undefined)
        push(partials.deliver(words ?? notSent(medium)))
      }
      const closed = options.opened(route.sessionKey, turn.toolbox)
      const dispatched = await runtime.inbound
        .dispatch({
          cfg,
          channel,
          accountId: options.accountId,
          route: { agentId: route.agentId, dmScope: route.dmScope, sessionKey: route.sessionKey },
          ctxPayload: context,
          delivery: {
            deliver: async (payload: Payload, info: { readonly kind: Kind }) => {
              if (over || payload.isReasoning === true) return
              if (payload.isError === true) {
                fault ??= saidByHost(payload)
                return
              }
              if (info.kind === "tool") return
              push(partials.deliver(payload.text ?? ""))
              for (const medium of mediaOf(payload)) await show(medium)
            },
            onError: (cause: unknown) => {
              fault ??= fromHost(cause)
            }
          },
          replyOptions: {
            abortSignal: signal,
            sourceReplyDeliveryMode: "automatic",
            suppressDefaultToolProgressMessages: true,
            allowProgressCallbacksWhenSourceDeliverySuppressed: true,
            disableBlockStreaming: true,
            ...(tools.length > 0 ? { toolsAllow: tools } : dmPolicy === "open" ? { disableTools: true } : {}),
            onPartialReply: (payload: { readonly text?: string | undefined }) => {
              if (!over) push(partials.partial(payload.text ?? ""))
            },
            onAssistantMessageStart: () => partials.start(),
            // Asking for these makes the host show the text before a tool call at all; else it keeps it for itself.
            onItemEvent: (payload: Item) => {
              if (!over && payload.kind === "preamble" && payload.phase === "end") {
                push(partials.deliver(payload.progressText ?? ""))
              }
            },
            onToolStart: (payload: { readonly name?: string | undefined }) => {
              if (!over) sink.push({ _tag: "Activity", label: payload.name ?? "tool" })
            }
          },
          // The host says that its agent is at it: a turn that thinks or works long counts as alive by that.
          replyPipeline: {
            typing: {
              start: async () => {
                if (over) return
                sink.push({ _tag: "Activity", label: "typing" })
                options.busy?.(turns)
              },
              onStartError: () => {},
              keepaliveIntervalMs: lifeSign,
              maxDurationMs: longestSilence
            }
          }
        })
        .finally(closed)
      if (over) return
      over = true
      if (fault !== undefined) return sink.fail(fault)
      if (dispatched.admission.kind !== "dispatch" || !dispatched.dispatched) {
        return sink.fail(
          failed(new Unavailable({ detail: `the host declined the message: ${dispatched.admission.kind}` }))
        )
      }
      const { deferredToActiveRun, deliberateSilentTerminalReply } = dispatched.dispatchResult ?? {}
      if (
        deferredToActiveRun !== undefined ||
        (turn.origin === "chat" && !spoke && deliberateSilentTerminalReply !== true && !isStop(turn.parts))
      ) {
        return sink.fail(failed(new Unsupported({ detail: wordless })))
      }
      sink.end()
    }

    let turns = 0
    const count = (more: 1 | -1): void => {
      turns += more
      options.busy?.(turns)
    }

    /** The last turn of each conversation, until the host is through with it. */
    const latest = new Map<string, Promise<void>>()

    /** A turn that was ended from outside may go on in the host for a moment: the next one would be put into it. */
    const inOrder = async (turn: Turn, sink: Batches.Sink<AgentError>, signal: AbortSignal): Promise<void> => {
      const conversation = conversationOf(turn)
      const former = latest.get(conversation)
      const own = (async () => {
        await atMost(former, patience)
        if (signal.aborted) return
        count(1)
        await run(() => dispatch(turn, sink, signal)).finally(() => count(-1))
      })()
      const settled = own.catch(() => {})
      latest.set(conversation, settled)
      try {
        await own
      } finally {
        if (latest.get(conversation) === settled) latest.delete(conversation)
      }
    }

    return {
      settled: (millis) => atMost(latest.size === 0 ? undefined : Promise.all(latest.values()), millis),
      description: "the agent of this OpenClaw",
      model: "openclaw",
      stops: isStop,
      reply: (turn) =>
        Batches.fromPush<AgentError>((sink, signal) => {
          inOrder(turn, sink, signal).catch((cause: unknown) => sink.fail(fromHost(cause)))
        })
    }
  })

export const layer = (options: Options): Layer.Layer<AgentRuntime> => Layer.effect(AgentRuntime, make(options))
