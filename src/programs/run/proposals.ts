/** What an agent says of itself before it has an identity: asked of it, and shown to whoever is to confirm it. */
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import type * as LoopRegistrar from "../../layers/channel/LoopRegistrar.ts"
import type { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
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

export const ask = (id: string, _agent: AgentRuntime["Service"]): LoopRegistrar.Options["propose"] =>
  Effect.sync(() => named(id === AccountFolders.defaultId ? basename(process.cwd()) || "agent" : id))

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
