/** What an agent says of itself before it has an identity: asked of it, and shown to whoever is to confirm it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import type * as LoopRegistrar from "../../layers/channel/LoopRegistrar.ts"
import * as RegistrationAgent from "../../layers/channel/RegistrationAgent.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { Proposal } from "../../services/protocol/ProfileFields.ts"

/** When nobody wrote more than a name. */
export const named = (name: string, description = ""): Proposal => ({
  name,
  description,
  avatar: "",
  scene_tags: [],
  custom_tags: [],
  hourly_rate: 0,
  instance_type: 0
})

/** Lets the agent study the working folder. */
export const ask = (id: string, agent: AgentRuntime["Service"], settings: Settings): LoopRegistrar.Options["propose"] =>
  RegistrationAgent.propose({ accountId: id, folder: ".", systemPrompt: settings.systemPrompt }).pipe(
    Effect.provideService(AgentRuntime, agent),
    Effect.provide([NodeFileSystem.layer, NodePath.layer])
  )

/** `register` for this account. */
export const commandFor = (id: string): string =>
  id === AccountFolders.defaultId ? "clawfiber register" : `clawfiber register --account ${id}`

export const lines = (proposal: Proposal): ReadonlyArray<string> => {
  const rows: Array<readonly [string, string]> = [
    ["Name", proposal.name],
    ["Description", proposal.description.replace(/\s+/gu, " ")],
    ["Avatar", proposal.avatar.startsWith("data:") ? "a picture" : proposal.avatar],
    ["Scene tags", proposal.scene_tags.join(", ")],
    ["Your tags", proposal.custom_tags.join(", ")],
    ["Hourly rate", proposal.hourly_rate === 0 ? "" : `${proposal.hourly_rate} points`],
    ["Type", proposal.instance_type === 0 ? "" : String(proposal.instance_type)]
  ]
  return rows.filter(([, value]) => value !== "").map(([title, value]) => `  ${title.padEnd(13)}${value}`)
}

/** @param page Where it can be confirmed in a browser. */
export const inWords = (id: string, proposal: Proposal, page: string | undefined): string => {
  const who = id === AccountFolders.defaultId ? "The agent" : `The agent of ${id}`
  const where = page === undefined ? [] : [`  on the page   ${page}`]
  return [
    `${who} has no identity yet. It would register as:`,
    ...lines(proposal),
    "Nothing is registered before you confirm it:",
    ...where,
    `  here          ${commandFor(id)}, in another terminal`
  ].join("\n")
}
