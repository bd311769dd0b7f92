/**
 * Turns in which an earlier process of the host was killed. The host would take them up again by itself, some seconds
 * after its channels have started, and say what comes of it as a message that nobody asked for; our journal has them
 * too, and ends each, or runs it once more. One of the two has to be quiet, or a person is answered twice and the two
 * runs are in each other's way (law once). So the host's marks of our conversations are taken off as the account starts:
 * the host marks before its channels start, and takes up afterwards.
 */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { isFields } from "./config.ts"
import type { PluginRuntime } from "./host.ts"

/** Milliseconds since the epoch. */
const processStart = Date.now() - process.uptime() * 1000

/** What the host keeps of a turn to take it up again. */
const isMark = (key: string): boolean =>
  key.startsWith("restartRecovery") ||
  ["mainRestartRecovery", "pendingFinalDelivery", "lifecycleRunId", "activeWriterRunId"].includes(key)

const wasCutOff = (entry: Readonly<Record<string, unknown>>): boolean => {
  const { abortedLastRun, startedAt, status } = entry
  if (status !== "running") return false
  // One that runs in this process goes on.
  return abortedLastRun === true || (typeof startedAt === "number" && startedAt < processStart)
}

/** All the host's agents: which of them answers may depend on the conversation. */
const agentsOf = (cfg: Config, routed: string): ReadonlySet<string> => {
  const list = isFields(cfg.agents) ? cfg.agents["list"] : undefined
  const named = Array.isArray(list) ? list.map((agent: unknown) => (isFields(agent) ? agent["id"] : undefined)) : []
  return new Set([routed, ...named.filter((id) => typeof id === "string")])
}

/** Gives the conversations that were closed. Rejects where the host's store cannot be read or written. */
export const close = async (
  { agent, channel: runtime }: PluginRuntime,
  cfg: Config,
  channel: string,
  accountId: string
): Promise<ReadonlyArray<string>> => {
  const closed: Array<string> = []
  const peer = { kind: "direct", id: "x" } as const
  const route = runtime.routing.resolveAgentRoute({
    cfg,
    channel,
    accountId,
    peer,
    dmScope: "per-account-channel-peer"
  })
  const own = route.sessionKey.slice(route.sessionKey.indexOf(`:${channel}:`), -peer.id.length)
  for (const agentId of agentsOf(cfg, route.agentId)) {
    for (const { entry, sessionKey } of agent.session.listSessionEntries({ agentId })) {
      if (!sessionKey.includes(own) || !wasCutOff(entry)) continue
      let taken = false
      await agent.session.patchSessionEntry({
        agentId,
        sessionKey,
        update: (now) => {
          taken = wasCutOff(now)
          if (!taken) return null
          const without = Object.fromEntries(
            Object.keys(now)
              .filter(isMark)
              .map((key) => [key, undefined])
          )
          return { ...without, status: "killed", abortedLastRun: false, endedAt: Date.now() }
        }
      })
      if (taken) closed.push(sessionKey)
    }
  }
  return closed
}
