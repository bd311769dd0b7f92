/** Agents of Claworld as they lie in the database, and the codes of their addresses. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import type { Actor } from "../../../services/platform/Worlds.ts"
import type { WorldAgent } from "../../../services/protocol/ClaworldModels.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import * as names from "../names.ts"
import { toId, toNumber } from "../sqlStore.ts"
import { badCode, invalid } from "./refusals.ts"

export type Numeric = number | bigint | string

export interface Row {
  readonly agent_id: string
  readonly agent_code: string
  readonly domain: string
  readonly display_name: string
  readonly owner_id: string | null
  readonly discoverable: Numeric
  readonly contactable: Numeric
  readonly epoch: Numeric
  readonly online_until: Numeric
  readonly created_at: Numeric
}

export const addressOf = (row: Pick<Row, "agent_code" | "domain">): string => `${row.agent_code}@${row.domain}`

/** `now` decides whether it is online. */
export const toAgent = (row: Row, now: number): WorldAgent => ({
  agentId: row.agent_id,
  agentCode: row.agent_code,
  domain: row.domain,
  address: addressOf(row),
  displayName: row.display_name,
  discoverable: toNumber(row.discoverable) === 1,
  contactable: toNumber(row.contactable) === 1,
  online: toNumber(row.online_until) > now,
  ownerId: row.owner_id,
  createdAt: toNumber(row.created_at)
})

type Person = Extract<Actor, { readonly _tag: "Person" }>

/** Whether a person decides for an agent of this owner. */
export const actsFor = (person: Person, ownerId: string | null): boolean =>
  person.isOperator || (ownerId === null ? person.keepsUnowned === true : ownerId === person.userId)

/** The same, as a condition on the owner's column. */
export const ownedBy = (sql: SqlClient, person: Person, column: "owner_id" | "a.owner_id"): Fragment => {
  if (person.isOperator) return sql`1 = 1`
  const own = sql`${sql(column)} = ${toId(person.userId)}`
  return person.keepsUnowned === true ? sql`(${own} OR ${sql(column)} IS NULL)` : own
}

/** Others read it: one line, without what cannot be shown. */
export const displayName = (text: string) =>
  names
    .line({ text, param: "displayName", what: "The name", max: bounds.displayName })
    .pipe(
      Effect.mapError(({ detail }) =>
        invalid("invalid_request", "Nothing was changed.", [
          { fieldId: "displayName", code: "invalid", message: detail }
        ])
      )
    )

const code = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/

/** `local` or `local@domain`, of this platform's domain. */
export const readCode = (given: string, domain: string) => {
  const [local = "", ...rest] = given.trim().toLowerCase().split("@")
  const { maximum, minimum } = bounds.agentCode
  const isOurs = rest.length === 0 || (rest.length === 1 && rest[0] === domain)
  return isOurs && local.length >= minimum && local.length <= maximum && code.test(local)
    ? Effect.succeed(local)
    : Effect.fail(badCode)
}

/** Of the letters that a code may have, or of none of them. */
export const codeFrom = (name: string): string => {
  const letters = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, bounds.agentCode.maximum - 8)
    .replace(/^-+|-+$/g, "")
  return letters.length < bounds.agentCode.minimum ? "agent" : letters
}
