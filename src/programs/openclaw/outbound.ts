/**
 * Messages that the host sends by itself: through the gateway's process, which has the line. The host keeps them in a
 * queue of its own until it has our receipt; the key of a message is made of its place in that queue, so that one that
 * is sent again, also after a crash, is said once (law once).
 */
import { createHash, randomUUID } from "node:crypto"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import type { Said } from "../../services/protocol/Sayings.ts"
import { accountIds, channel, defaultAccountId } from "./config.ts"
import * as files from "./files.ts"
import type { Receipt, Sending } from "./host.ts"
import type { File } from "./speaking.ts"
import { hint, normalizeTarget, seatOf } from "./targets.ts"
import * as registry from "./registry.ts"

const keyOf = ({ deliveryPartIndex, deliveryQueueId, mediaUrl }: Sending): string =>
  deliveryQueueId === undefined
    ? `openclaw-${randomUUID()}`
    : `openclaw-${createHash("sha256")
        .update(`${deliveryQueueId}\n${deliveryPartIndex ?? 0}\n${mediaUrl ?? ""}`)
        .digest("hex")}`

const notHere = (cfg: Config, accountId: string): string => {
  const known = accountIds(cfg)
  return known.includes(accountId)
    ? `The InstaClaw account ${accountId} does not run just now, so it can speak to nobody. Look at: openclaw channels status`
    : `There is no InstaClaw account ${accountId}. There are: ${known.join(", ")}.`
}

/** Refused before anybody could have seen it: the host need not wonder, nor try again where that would not help. */
const notSent = async (cause: unknown, retryable: boolean): Promise<Error> => {
  const { PlatformMessageNotDispatchedError } = await import("openclaw/plugin-sdk/error-runtime")
  return new PlatformMessageNotDispatchedError(cause instanceof Error ? cause.message : String(cause), {
    cause,
    retryable
  })
}

const fileOf = ({ mediaAccess, mediaLocalRoots, mediaReadFile, mediaUrl }: Sending): Promise<File | undefined> =>
  mediaUrl === undefined || mediaUrl === ""
    ? Promise.resolve(undefined)
    : files.load(mediaUrl, { mediaAccess, mediaLocalRoots, mediaReadFile })

const send = async (sending: Sending): Promise<Said> => {
  const accountId = sending.accountId ?? defaultAccountId(sending.cfg)
  const seat = seatOf(sending)
  if (seat === undefined) throw await notSent(new Error(notHere(sending.cfg, accountId)), registry.seats.size > 0)
  const target = normalizeTarget(sending.to) ?? ""
  const file = await fileOf(sending).catch(async (cause: unknown) => {
    throw await notSent(cause, false)
  })
  sending.signal?.throwIfAborted()
  await sending.onPlatformSendDispatch?.()
  sending.assertDirectAdapterHandoff?.()
  try {
    return await seat.say({ target, text: sending.text, file, key: keyOf(sending) })
  } catch (cause) {
    // By its shape: the account may be of another instance of these modules.
    if (cause instanceof Error && "transient" in cause && cause.transient === true) throw cause
    throw await notSent(cause, false)
  }
}

const receiptOf = ({ created_at, response_id }: Said, kind: "text" | "media"): Receipt => ({
  primaryPlatformMessageId: response_id,
  platformMessageIds: [response_id],
  parts: [{ platformMessageId: response_id, kind, index: 0 }],
  sentAt: created_at
})

const delivered = (said: Said, kind: "text" | "media") => ({
  channel,
  messageId: said.response_id,
  target: { kind: "conversation", id: said.session_id },
  timestamp: said.created_at,
  receipt: receiptOf(said, kind)
})

const resolveTarget = ({ to }: { readonly to?: string }) => {
  const target = normalizeTarget(to ?? "")
  return target === undefined
    ? { ok: false, error: new Error(`No target is named. Name ${hint}.`) }
    : { ok: true, to: target }
}

const sendText = async (sending: Sending) => delivered(await send(sending), "text")
const sendMedia = async (sending: Sending) => delivered(await send(sending), "media")

export const outbound = {
  // The command line's own process has no line.
  deliveryMode: "gateway",
  // A message is whole on the page, however long; the platform takes this much.
  textChunkLimit: 100_000,
  chunker: null,
  extractMarkdownImages: false,
  resolveTarget,
  sendText,
  sendMedia
}

/** The same, as the host's durable queue asks for it. */
export const message = {
  id: channel,
  durableFinal: {
    capabilities: { text: true, media: true, messageSendingHooks: true, reconcileUnknownSend: true },
    automaticUnknownSendReconciliation: true,
    reconcileUnknownSendKinds: { text: true, media: true },
    // The platform says nothing twice under one key, and the key is the place in the queue: sending again is safe.
    reconcileUnknownSend: () => ({ status: "not_sent" })
  },
  send: {
    text: async (sending: Sending) => {
      const said = await send(sending)
      return { receipt: receiptOf(said, "text"), messageId: said.response_id }
    },
    media: async (sending: Sending) => {
      const said = await send(sending)
      return { receipt: receiptOf(said, "media"), messageId: said.response_id }
    }
  },
  // `session.ack` goes out when the message is in our journal, before the host's agent sees it.
  receive: { defaultAckPolicy: "after_receive_record", supportedAckPolicies: ["after_receive_record"] }
}
