/**
 * Which conversation the host's agent is in. A session of the platform is the thread: its id is the address, so nothing
 * hangs on single messages, and a reply needs no mark of what it answers (the platform knows that by itself).
 */
import { channel } from "./config.ts"
import { normalizeTarget } from "./targets.ts"

/** What the host knows of the message that is being answered, as far as we look at it. */
interface Context {
  readonly To?: string | undefined
  readonly CurrentMessageId?: string | number | undefined
}

interface ToolContext {
  readonly currentChannelId?: string | undefined
  readonly currentMessagingTarget?: string | undefined
}

type Place = { readonly to: string }

export const threading = {
  threadAddressing: "address",
  resolveReplyToMode: () => "off",
  // The host's agent may write a mark of what it answers; there is nothing here that could carry it.
  allowExplicitReplyTagsWhenOff: false,
  /** A target that names no one is the one who is being answered. */
  buildToolContext: ({
    context,
    hasRepliedRef
  }: {
    readonly context: Context
    readonly hasRepliedRef?: { value: boolean }
  }) => {
    const conversation = normalizeTarget(context.To ?? "")
    return {
      currentChatType: "direct",
      currentChannelProvider: channel,
      replyToMode: "off",
      ...(conversation === undefined ? {} : { currentChannelId: conversation, currentMessagingTarget: conversation }),
      ...(context.CurrentMessageId === undefined ? {} : { currentMessageId: context.CurrentMessageId }),
      ...(hasRepliedRef === undefined ? {} : { hasRepliedRef })
    }
  },
  /** Whether a target is the conversation that is being answered, however it is written. */
  matchesToolContextTarget: ({
    target,
    toolContext
  }: {
    readonly target: string
    readonly toolContext: ToolContext
  }) => {
    const wanted = normalizeTarget(target)
    return (
      wanted !== undefined &&
      [toolContext.currentMessagingTarget, toolContext.currentChannelId].some(
        (current) => current !== undefined && normalizeTarget(current) === wanted
      )
    )
  },
  resolveCurrentChannelId: ({ to }: Place) => normalizeTarget(to),
  /** Whatever the host takes for a reply or a thread goes into the conversation itself. */
  resolveReplyTransport: () => ({ replyToId: null, threadId: null })
}
