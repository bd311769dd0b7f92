/** How the host names our people and conversations: targets, the directory, and the session that a message belongs to. */
import { buildChannelOutboundSessionRoute } from "openclaw/plugin-sdk/channel-core"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import type { Correspondent } from "../../services/protocol/Sayings.ts"
import { channel, defaultAccountId, isFields, resolveAccount } from "./config.ts"
import { blocking } from "./faults.ts"
import * as registry from "./registry.ts"

export const hint = "the id of a conversation or a person, or a person's name (openclaw directory peers list)"

/** Without the prefixes that the host and people put before it. */
export const normalizeTarget = (raw: string): string | undefined => {
  const target = raw
    .trim()
    .replace(new RegExp(`^${channel}:`, "i"), "")
    .replace(/^(?:user|session|@)[:\s]\s*/i, "")
    .replace(/^@/, "")
    .trim()
  return target === "" ? undefined : target
}

interface Scope {
  readonly cfg: Config
  readonly accountId?: string | null
}

/** Undefined where this process has no account: a command of the host leaves it to the gateway. */
export const seatOf = ({ accountId, cfg }: Scope): registry.Seat | undefined =>
  registry.seats.get(accountId ?? defaultAccountId(cfg))

const resolveTarget = async (
  params: Scope & { readonly input: string; readonly normalized: string }
): Promise<{ to: string; kind: "user"; display: string; source: "directory" } | null> => {
  const seat = seatOf(params)
  const target = normalizeTarget(params.normalized === "" ? params.input : params.normalized)
  if (seat === undefined || target === undefined) return null
  const { name, session_id, user_id } = await seat.findPerson(target)
  return { to: session_id, kind: "user", display: name === "" ? user_id : name, source: "directory" }
}

/** The session of the host in which the answer to it comes: the same as that of the person's own messages. */
const resolveOutboundSessionRoute = (params: Scope & { readonly agentId: string; readonly target: string }) => {
  const id = normalizeTarget(params.target)
  if (id === undefined) return null
  const { session } = params.cfg
  return buildChannelOutboundSessionRoute({
    cfg: { ...params.cfg, session: { ...(isFields(session) ? session : {}), dmScope: "per-account-channel-peer" } },
    agentId: params.agentId,
    channel,
    accountId: params.accountId ?? defaultAccountId(params.cfg),
    peer: { kind: "direct", id },
    chatType: "direct",
    from: `${channel}:${id}`,
    to: `${channel}:${id}`,
    recipientSessionExact: true
  })
}

export const messaging = {
  targetPrefixes: [channel],
  targetIdComparison: "case-sensitive",
  normalizeTarget,
  inferTargetChatType: () => "direct",
  targetResolver: {
    // Names too: who is meant is known where the line is, and said there in words.
    looksLikeId: (raw: string) => raw.trim() !== "",
    hint,
    resolveTarget
  },
  resolveOutboundSessionRoute
}

interface Listing extends Scope {
  readonly query?: string | null
  readonly limit?: number | null
}

/** Where the account runs; else, in a command of the host, with the keys that are written in the configuration. */
const peopleOf = async (params: Scope): Promise<ReadonlyArray<Correspondent>> => {
  const seat = seatOf(params)
  if (seat !== undefined) return seat.people()
  const account = resolveAccount(params.cfg, params.accountId)
  if (account.appKey === undefined || blocking(params.cfg, account.accountId) !== undefined) return []
  const { people } = await import("./probing.ts")
  return people(account)
}

const listPeers = async (params: Listing) => {
  const query = (params.query ?? "").trim().toLowerCase()
  const people = await peopleOf(params)
  return people
    .filter(({ name, session_id, user_id }) =>
      [name, session_id, user_id].some((text) => text.toLowerCase().includes(query))
    )
    .slice(0, params.limit ?? 100)
    .map(({ name, session_id, user_id }, rank) => ({
      kind: "user",
      id: user_id,
      name: name === "" ? user_id : name,
      handle: session_id,
      rank: -rank
    }))
}

export const directory = {
  self: async (params: Scope) => {
    const probe = await seatOf(params)?.probe(2_000)
    return probe?.clawId === undefined ? null : { kind: "user", id: probe.clawId }
  },
  listPeers,
  listPeersLive: listPeers,
  listGroups: async () => []
}
