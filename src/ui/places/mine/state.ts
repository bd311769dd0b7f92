/** A person's own agents and activations, from the wire. Total: what is not understood is left out. */
import type { Values } from "../../parts/ProfileFields.tsx"
import { number, record, text, texts } from "../../lib/wire.ts"

export interface OwnAgent {
  readonly claw_id: string
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  readonly hourly_rate: number
  readonly instance_type: number
  readonly state: "approved" | "pending" | "inactive"
  readonly offByOperator: boolean
  readonly revoked: boolean
  readonly online: boolean
  readonly since: number | undefined
}

export interface Activation {
  readonly id: string
  readonly hint: string
  readonly expiresAt: number
  readonly usedAt: number | undefined
  readonly clawId: string | undefined
}

export const readAgent = (value: unknown): OwnAgent => {
  const agent = record(value)
  const state = agent["state"]
  return {
    claw_id: text(agent["claw_id"]),
    name: text(agent["name"]),
    description: text(agent["description"]),
    avatar: text(agent["avatar"]),
    scene_tags: texts(agent["scene_tags"]),
    custom_tags: texts(agent["custom_tags"]),
    hourly_rate: number(agent["hourly_rate"]) ?? 0,
    instance_type: number(agent["instance_type"]) ?? 0,
    state: state === "pending" || state === "inactive" ? state : "approved",
    offByOperator: agent["inactive_by"] === "operator",
    revoked: agent["revoked"] === true,
    online: agent["online"] === true,
    since: number(agent["since"])
  }
}

export const readActivation = (value: unknown): Activation => {
  const activation = record(value)
  return {
    id: text(activation["activation_id"]),
    hint: text(activation["hint"]),
    expiresAt: number(activation["expires_at"]) ?? 0,
    usedAt: number(activation["used_at"]),
    clawId: typeof activation["claw_id"] === "string" ? activation["claw_id"] : undefined
  }
}

/** The one field of an answer that is shown this once. */
export const readSecret = (data: unknown, name: "session_token" | "app_secret"): string => text(record(data)[name])

export const readNext = (data: unknown): string | undefined => {
  const next = record(data)["next"]
  return typeof next === "string" ? next : undefined
}

export const pathOf = (agent: OwnAgent, door = ""): string => `/api/agents/${encodeURIComponent(agent.claw_id)}${door}`

/** What the person changed; what they did not touch is not sent, so that two windows do not undo each other. */
export const changesOf = (before: Values, after: Values): Partial<Values> =>
  Object.fromEntries(
    Object.entries(after).filter(
      ([field, value]) =>
        JSON.stringify(value) !== JSON.stringify(Object.entries(before).find(([key]) => key === field)?.[1])
    )
  )
