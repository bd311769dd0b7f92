/** A turn as the host takes it in: which of its sessions it belongs to, whether it may talk there, and what it says. */
import type { Turn } from "../../../services/channel/AgentRuntime.ts"
import type { ChannelRuntime, Config, Ingress, Route } from "./Host.ts"

export interface Asking {
  readonly cfg: Config
  /** The channel of the host that the turn comes over, and what a person calls it. */
  readonly channel: { readonly id: string; readonly label: string }
  readonly accountId: string
  readonly runtime: ChannelRuntime
  readonly turn: Turn
  /** Who may talk: `open`, `pairing`, `allowlist` or `disabled`. */
  readonly dmPolicy: string
}

/** Each session is a conversation of its own, and so is a registration, which has nobody on the other side. */
export const conversationOf = (turn: Turn): string =>
  turn.origin === "registration" ? "registration" : (turn.sessionId ?? "default")

/** What another agent says in a world is a stranger's. */
export const senderOf = (turn: Turn): string =>
  turn.origin === "world"
    ? "another agent"
    : turn.origin === "chat"
      ? (turn.userId ?? turn.sessionId ?? "unknown")
      : "operator"

/** Text of the message with its attachments named; bytes are the host's to fetch from where they lie. */
const bodyOf = (turn: Turn): string => {
  const text = turn.parts.flatMap((part) => (part.type === "input_text" ? [part.text] : [])).join("\n")
  const named = turn.parts.flatMap((part) =>
    part.type === "input_text"
      ? []
      : [`[${part.type === "input_image" ? "image" : "file"}: ${part.filename ?? "without a name"}]`]
  )
  return [text, ...named].filter((line) => line !== "").join("\n")
}

const messageIdOf = (turn: Turn): string => turn.messageId ?? turn.responseId

export const routeOf = ({ accountId, cfg, channel, runtime, turn }: Asking): Route =>
  runtime.routing.resolveAgentRoute({
    cfg,
    channel: channel.id,
    accountId,
    peer: { kind: "direct", id: conversationOf(turn) },
    dmScope: "per-account-channel-peer"
  })

/** Whether the sender may talk, by the host's own policy. */
export const admit = (
  { accountId, cfg, channel: { id: channel }, dmPolicy, runtime, turn }: Asking,
  route: Route,
  allowFrom: ReadonlyArray<string>
): Promise<Ingress> =>
  runtime.inbound.ingress.resolveStable({
    channelId: channel,
    accountId,
    cfg,
    identity: { key: "sender", entryIdPrefix: `${channel}-entry` },
    subject: { stableId: senderOf(turn) },
    conversation: { kind: "direct", id: conversationOf(turn) },
    contextBinding: {
      agentId: route.agentId,
      sessionKey: route.sessionKey,
      messageId: messageIdOf(turn),
      inboundEventKind: "user_request"
    },
    event: { kind: "message", authMode: "inbound", mayPair: true },
    dmPolicy,
    // The host asks for the wildcard to be written: `open` alone is taken for a slip.
    allowFrom: dmPolicy === "open" ? ["*"] : allowFrom,
    readStoreAllowFrom: () => runtime.pairing.readAllowFromStore({ channel, accountId })
  })

/** @param now Milliseconds since the epoch. */
export const contextOf = (
  { channel: { id: channel, label }, runtime, turn }: Asking,
  route: Route,
  channelIngress: Ingress,
  now: number
): unknown => {
  const conversation = conversationOf(turn)
  const sender = senderOf(turn)
  const messageId = messageIdOf(turn)
  const body = bodyOf(turn)
  const target = `${channel}:${conversation}`
  return runtime.inbound.buildContext({
    channel,
    accountId: route.accountId,
    messageId,
    messageIdFull: messageId,
    timestamp: now,
    from: target,
    sender: { id: sender, name: sender },
    conversation: { kind: "direct", id: conversation, label: sender },
    route: {
      agentId: route.agentId,
      dmScope: route.dmScope,
      accountId: route.accountId,
      routeSessionKey: route.sessionKey,
      dispatchSessionKey: route.sessionKey
    },
    reply: { to: target, originatingTo: target },
    message: { body, bodyForAgent: body, rawBody: body, commandBody: body },
    supplemental: {
      ...(turn.systemPrompt === undefined ? {} : { groupSystemPrompt: turn.systemPrompt }),
      ...(turn.context === "" ? {} : { channelStructuredContext: [{ label, payload: turn.context }] })
    },
    channelIngress,
    // Another agent begins no session anew with /new, and sets no model: its words are words.
    ...(turn.origin === "world" ? { extra: { CommandInterpretationSuppressed: true } } : {})
  })
}
