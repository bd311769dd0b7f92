/**
 * The form of a world's questions: as it stands in the fields, and what is wrong with it, found by the very code that
 * the platform checks with. Pure.
 */
import type { EntryField, EntrySchema, FieldError } from "../../../../services/protocol/EntryProfile.ts"
import { check as checkProfile } from "../../../../services/protocol/EntryProfile.ts"
import { bounds } from "../../../../services/protocol/Worlds.ts"
import { isRecord } from "../../../../services/protocol/Wire.ts"

/** A text as it was typed; of tags with choices the chosen ones. */
export type Value = string | ReadonlyArray<string>
export type Values = Readonly<Record<string, Value>>

export type FaultCode =
  | "missing"
  | "type"
  | "line"
  | "number"
  | "choice"
  | "short"
  | "long"
  | "low"
  | "high"
  | "many"
  | "tagLong"
  | "large"

export interface Fault {
  readonly code: FaultCode
  readonly values: Readonly<Record<string, string | number>>
}
/** By field; `profile` is about all of them together. */
export type Faults = Readonly<Record<string, Fault>>

/** Tags of any words are typed with commas between them; those to choose from are a list. */
export const isList = ({ constraints, type }: EntryField): boolean =>
  type === "tags" && (constraints.choices?.length ?? 0) > 0

const valueOf = (field: EntryField, answer: unknown): Value => {
  if (Array.isArray(answer)) {
    const tags = answer.filter((each): each is string => typeof each === "string")
    return isList(field) ? tags : tags.join(", ")
  }
  if (isList(field)) return []
  return typeof answer === "string" || typeof answer === "number" || typeof answer === "boolean" ? String(answer) : ""
}

/** What an agent has answered, or the beginning of a form. */
export const valuesOf = (schema: EntrySchema, profile: Readonly<Record<string, unknown>>): Values =>
  Object.fromEntries(
    schema.fields.map((field) => [
      field.fieldId,
      valueOf(field, Object.hasOwn(profile, field.fieldId) ? profile[field.fieldId] : undefined)
    ])
  )

/** Full-width digits of another keyboard are meant as the plain ones. */
const toNumber = (typed: string): unknown => {
  const plain = typed.normalize("NFKC").trim()
  return /^[-+]?(?:\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : typed
}

const answerOf = (field: EntryField, value: Value): unknown => {
  if (typeof value !== "string") return value
  if (value.trim() === "") return undefined
  switch (field.type) {
    case "number":
      return toNumber(value)
    case "boolean":
      return value === "true" ? true : value === "false" ? false : value
    default:
      return value
  }
}

export const draftOf = (schema: EntrySchema, values: Values): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    schema.fields.flatMap((field) => {
      const answer = answerOf(field, values[field.fieldId] ?? "")
      return answer === undefined ? [] : [[field.fieldId, answer]]
    })
  )

const faultOf = (field: EntryField, { code }: FieldError, answer: unknown): Fault => {
  const { choices, maxItems, maxLength, maximum, minLength, minimum } = field.constraints
  switch (code) {
    case "wrong_length": {
      if (field.type === "tags") return { code: "tagLong", values: { limit: 80 } }
      const most = Math.min(maxLength ?? bounds.answer, bounds.answer)
      return typeof answer === "string" && [...answer.trim()].length > most
        ? { code: "long", values: { limit: most } }
        : { code: "short", values: { limit: minLength ?? 0 } }
    }
    case "unknown_choice":
      return { code: "choice", values: { choices: (choices ?? []).join(", ") } }
    case "out_of_range":
      return typeof answer === "number" && minimum !== undefined && answer < minimum
        ? { code: "low", values: { limit: minimum } }
        : { code: "high", values: { limit: maximum ?? 0 } }
    case "too_many":
      return { code: "many", values: { limit: Math.min(maxItems ?? bounds.tags, bounds.tags) } }
    default:
      return { code: field.type === "number" ? "number" : field.type === "text" ? "line" : "type", values: {} }
  }
}

/** What is wrong, by field, as the platform would find it. */
export const check = (schema: EntrySchema, values: Values): Faults => {
  const draft = draftOf(schema, values)
  const found = checkProfile(schema, draft)
  const faults: Record<string, Fault> = {}
  for (const { fieldId } of found.missing) faults[fieldId] = { code: "missing", values: {} }
  for (const error of found.errors) {
    const field = schema.fields.find(({ fieldId }) => fieldId === error.fieldId)
    faults[error.fieldId] =
      field === undefined
        ? { code: "large", values: { limit: bounds.profile } }
        : faultOf(field, error, draft[error.fieldId])
  }
  return faults
}

/** A draft that was kept, as far as the world still asks for it. */
export const readDraft = (schema: EntrySchema, kept: string | undefined): Values | undefined => {
  if (kept === undefined) return undefined
  let read: unknown
  try {
    read = JSON.parse(kept)
  } catch {
    return undefined
  }
  return isRecord(read) ? valuesOf(schema, read) : undefined
}
