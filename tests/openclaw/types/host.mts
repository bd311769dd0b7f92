/**
 * What we say of the host (`Host.ts`, `host.ts`) beside what the installed host says of itself: where one of these lines
 * does not compile, the host has changed. Compiled by types.test.ts, with the host's own types; never run.
 */
import type {
  ChannelAccountSnapshot,
  ChannelGatewayContext,
  ChannelOutboundContext,
  ChannelStatusIssue
} from "openclaw/plugin-sdk/channel-contract"
import type { PluginRuntime } from "openclaw/plugin-sdk/channel-core"
import type * as Ours from "../../../src/layers/channel/openclaw/Host.ts"
import type { AccountStatus, Sending } from "../../../src/programs/openclaw/host.ts"

/** The host's function takes what we give it. */
type Takes<Fn extends (...args: never) => unknown, Given extends Parameters<Fn>[0]> = Given
/** What comes of the host's function, or is the host's, is what we read. */
type Gives<Theirs extends Read, Read> = readonly [Theirs, Read]
type Result<Fn extends (...args: never) => unknown> = Awaited<ReturnType<Fn>>

type Channel = PluginRuntime["channel"]
type Routing = Channel["routing"]
type Inbound = Channel["inbound"]
type Pairing = Channel["pairing"]
type OurPairing = Ours.ChannelRuntime["pairing"]

export type Checks = [
  Gives<Result<Routing["resolveAgentRoute"]>, Ours.Route>,
  Gives<Result<Inbound["ingress"]["resolveStable"]>, Ours.Ingress>,
  Gives<Result<Inbound["dispatch"]>, Ours.Dispatched>,
  Takes<Pairing["upsertPairingRequest"], Parameters<OurPairing["upsertPairingRequest"]>[0]>,
  Gives<Result<Pairing["upsertPairingRequest"]>, Result<OurPairing["upsertPairingRequest"]>>,
  Takes<Pairing["buildPairingReply"], Parameters<OurPairing["buildPairingReply"]>[0]>,
  Gives<Result<Pairing["readAllowFromStore"]>, Result<OurPairing["readAllowFromStore"]>>,
  Gives<ReturnType<PluginRuntime["state"]["resolveStateDir"]>, string>,
  // What our adapters give the host, and get from it.
  Takes<ChannelGatewayContext["setStatus"], AccountStatus>,
  Gives<Pick<ChannelGatewayContext, "accountId" | "abortSignal">, { accountId: string; abortSignal: AbortSignal }>,
  Gives<Omit<ChannelOutboundContext, "cfg">, Omit<Sending, "cfg">>,
  Gives<ChannelAccountSnapshot, { connected?: boolean; lastError?: string | null; probe?: unknown }>,
  Gives<ChannelStatusIssue["kind"], "intent" | "permissions" | "config" | "auth" | "runtime">
]
