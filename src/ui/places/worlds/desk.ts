/** What every part of this place knows: the person's agents, the one that is acted for, its requests and worlds. */
import { createContext, useCallback, useContext, useMemo, useState } from "react"
import { useApp } from "../../app.ts"
import { useText } from "../../i18n/index.ts"
import type { Key } from "../../i18n/index.ts"
import { ApiError } from "../../api/http.ts"
import { recall, remember } from "../../lib/storage.ts"
import { useReason } from "../../shell/failure.ts"
import { type Live, useLive } from "../market/live.ts"
import {
  type Agent,
  itemsOf,
  type Membership,
  nextOf,
  readAgent,
  readMembership,
  readRequest,
  type Request
} from "./state/model.ts"

export interface Requests {
  readonly items: ReadonlyArray<Request>
  readonly next: string | undefined
}

export interface Desk {
  readonly agents: Live<ReadonlyArray<Agent>>
  /** The one that is acted for. */
  readonly agent: Agent | undefined
  readonly choose: (agentId: string) => void
  /** The newest fifty of the agent. */
  readonly requests: Live<Requests | undefined>
  readonly memberships: Live<ReadonlyArray<Membership> | undefined>
  /** Asks for all of it again: something was done. */
  readonly refresh: () => Promise<void>
}

const DeskContext = createContext<Desk | undefined>(undefined)
export const DeskProvider = DeskContext.Provider

export const useDesk = (): Desk => {
  const desk = useContext(DeskContext)
  if (desk === undefined) throw new Error("useDesk stands outside of the worlds")
  return desk
}

export const pathOf = (...parts: ReadonlyArray<string>): string =>
  `/v1/${parts.map((part) => encodeURIComponent(part)).join("/")}`

export const readRequests = (data: unknown): Requests => ({ items: itemsOf(data, readRequest), next: nextOf(data) })

const oftenAgents = () => 8_000
const oftenRequests = () => 2_500
const oftenWorlds = () => 10_000

export const useMakeDesk = (): Desk => {
  const { http } = useApp()
  const [wanted, setWanted] = useState(() => recall("worlds.agent"))
  const agents = useLive(
    useCallback(async () => itemsOf(await http.json("GET", "/v1/agents"), readAgent, "agents"), [http]),
    oftenAgents
  )
  const agent = agents.value?.find(({ id }) => id === wanted) ?? agents.value?.[0]
  const id = agent?.id
  const requests = useLive(
    useCallback(
      async () =>
        id === undefined
          ? undefined
          : readRequests(await http.json("GET", `/v1/chat-requests?agentId=${encodeURIComponent(id)}&limit=50`)),
      [http, id]
    ),
    oftenRequests
  )
  const memberships = useLive(
    useCallback(
      async () =>
        id === undefined ? undefined : itemsOf(await http.json("GET", pathOf("agents", id, "worlds")), readMembership),
      [http, id]
    ),
    oftenWorlds
  )
  const choose = useCallback((agentId: string) => {
    remember("worlds.agent", agentId)
    setWanted(agentId)
  }, [])
  const { refresh: refreshAgents } = agents
  const { refresh: refreshRequests } = requests
  const { refresh: refreshWorlds } = memberships
  const refresh = useCallback(async () => {
    await Promise.all([refreshAgents(), refreshRequests(), refreshWorlds()])
  }, [refreshAgents, refreshRequests, refreshWorlds])
  return useMemo(
    () => ({ agents, agent, choose, requests, memberships, refresh }),
    [agents, agent, choose, requests, memberships, refresh]
  )
}

const known = [
  "target_offline",
  "agent_not_contactable",
  "blocked",
  "not_a_member",
  "target_not_a_member",
  "world_disabled",
  "not_eligible",
  "not_admin",
  "not_your_agent",
  "chat_request_closed",
  "agent_code_taken",
  "rate_limited",
  "world_not_found",
  "conversation_not_found"
] as const

/** Why something was not done, in the page's language where it has the words. */
export const useWhy = (): ((cause: unknown) => string) => {
  const { t } = useText()
  const reason = useReason()
  return useCallback(
    (cause) => {
      const code = cause instanceof ApiError ? known.find((each) => each === cause.code) : undefined
      const key: Key | undefined = code === undefined ? undefined : `worlds.why.${code}`
      return key === undefined ? reason(cause) : t(key)
    },
    [t, reason]
  )
}

/** Worlds that the agent is in by their names, all others by their ids. */
export const useWorldName = (): ((worldId: string) => string) => {
  const { memberships } = useDesk()
  const known = memberships.value
  return useCallback((worldId) => known?.find((each) => each.worldId === worldId)?.name ?? worldId, [known])
}

/** A name where there is one; agents are called what they call themselves. */
export const useName = (): ((name: string | undefined) => string) => {
  const { t } = useText()
  return useCallback((name) => (name === undefined || name === "" ? t("worlds.nameless") : name), [t])
}
