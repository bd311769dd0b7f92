/**
 * What a world asks of those who enter: a schema made of fields, drafts collected over several rounds, and what is still
 * missing. Pure; both sides and the page read it.
 */
import { bounds } from "./Worlds.ts"

/**
 * text: one line. long_text: several. number: finite. boolean. choice: one of `constraints.choices`. tags: a list of
 * short texts, of the choices where there are some.
 */
export const fieldTypes = ["text", "long_text", "number", "boolean", "choice", "tags"] as const
export type FieldType = (typeof fieldTypes)[number]

export interface FieldConstraints {
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly choices?: ReadonlyArray<string> | undefined
  readonly maxItems?: number | undefined
}

export interface EntryField {
  /** Letters, digits and `_`, a letter first, at most 40. */
  readonly fieldId: string
  readonly label: string
  readonly type: FieldType
  readonly required: boolean
  readonly description: string
  readonly examples: ReadonlyArray<string>
  readonly constraints: FieldConstraints
}

export interface EntrySchema {
  readonly fields: ReadonlyArray<EntryField>
}

export type Answer = string | number | boolean | ReadonlyArray<string>
export type EntryProfile = Readonly<Record<string, Answer>>

export interface FieldError {
  readonly fieldId: string
  readonly code: string
  readonly message: string
}
export interface MissingField {
  readonly fieldId: string
  readonly label: string
  readonly description: string
}

const fieldId = /^[A-Za-z][A-Za-z0-9_]{0,39}$/
const length = (text: string): number => [...text].length
const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === "string" && value.trim() === "") ||
  (Array.isArray(value) && value.length === 0)

const lengthFault = (text: string, { maxLength, minLength }: FieldConstraints): string | undefined => {
  const size = length(text)
  const most = Math.min(maxLength ?? bounds.answer, bounds.answer)
  if (size > most) return `is ${size} characters long; at most ${most} are taken`
  return minLength !== undefined && size < minLength
    ? `is ${size} characters long; at least ${minLength} are wanted`
    : undefined
}

const isOneOf = (text: string, choices: ReadonlyArray<string> | undefined): boolean =>
  choices === undefined || choices.length === 0 || choices.includes(text)

/** The answer as it is kept, or what is wrong with it, to be put behind the field's label. */
const readAnswer = (
  { constraints, type }: EntryField,
  value: unknown
): { readonly answer: Answer } | { readonly code: string; readonly fault: string } => {
  switch (type) {
    case "text":
    case "long_text":
    case "choice": {
      if (typeof value !== "string") return { code: "wrong_type", fault: "must be a text" }
      const text = value.trim().toWellFormed()
      if (type === "text" && /[\r\n]/.test(text)) return { code: "wrong_type", fault: "must be one line" }
      if (type === "choice" && !isOneOf(text, constraints.choices)) {
        return { code: "unknown_choice", fault: `must be one of: ${(constraints.choices ?? []).join(", ")}` }
      }
      const fault = lengthFault(text, constraints)
      return fault === undefined ? { answer: text } : { code: "wrong_length", fault }
    }
    case "number": {
      if (typeof value !== "number" || !Number.isFinite(value)) return { code: "wrong_type", fault: "must be a number" }
      const { maximum, minimum } = constraints
      if (minimum !== undefined && value < minimum)
        return { code: "out_of_range", fault: `must be at least ${minimum}` }
      if (maximum !== undefined && value > maximum) return { code: "out_of_range", fault: `must be at most ${maximum}` }
      return { answer: value }
    }
    case "boolean":
      return typeof value === "boolean" ? { answer: value } : { code: "wrong_type", fault: "must be true or false" }
    case "tags": {
      const given: unknown = typeof value === "string" ? value.split(/[,\uFF0C\u3001]/) : value
      if (!Array.isArray(given) || !given.every((tag): tag is string => typeof tag === "string")) {
        return { code: "wrong_type", fault: "must be a list of short texts" }
      }
      const tags = [...new Set(given.map((tag) => tag.trim().toWellFormed()).filter((tag) => tag !== ""))]
      const most = Math.min(constraints.maxItems ?? bounds.tags, bounds.tags)
      if (tags.length > most)
        return { code: "too_many", fault: `has ${tags.length} entries; at most ${most} are taken` }
      const long = tags.find((tag) => length(tag) > 80)
      if (long !== undefined) return { code: "wrong_length", fault: "has an entry of more than 80 characters" }
      const unknown = tags.find((tag) => !isOneOf(tag, constraints.choices))
      return unknown === undefined
        ? { answer: tags }
        : { code: "unknown_choice", fault: `may hold only: ${(constraints.choices ?? []).join(", ")}` }
    }
  }
}

export interface Checked {
  /** What can be used of it, by the fields of the schema. */
  readonly profile: EntryProfile
  /** Required ones without an answer, in the order of the schema. */
  readonly missing: ReadonlyArray<MissingField>
  /** Answers that cannot be used, and fields that the world does not have. */
  readonly errors: ReadonlyArray<FieldError>
}

/** Reads a draft against a world's schema. Nothing is dropped in silence. */
export const check = (schema: EntrySchema, draft: Readonly<Record<string, unknown>>): Checked => {
  const profile: Record<string, Answer> = {}
  const missing: Array<MissingField> = []
  const errors: Array<FieldError> = []
  for (const field of schema.fields) {
    const value = Object.hasOwn(draft, field.fieldId) ? draft[field.fieldId] : undefined
    if (isBlank(value)) {
      if (field.required) missing.push({ fieldId: field.fieldId, label: field.label, description: field.description })
      continue
    }
    const read = readAnswer(field, value)
    if ("answer" in read) {
      if (!isBlank(read.answer)) profile[field.fieldId] = read.answer
      else if (field.required) {
        missing.push({ fieldId: field.fieldId, label: field.label, description: field.description })
      }
    } else errors.push({ fieldId: field.fieldId, code: read.code, message: `${field.label} ${read.fault}.` })
  }
  const known = new Set(schema.fields.map((field) => field.fieldId))
  const unknown = Object.keys(draft).filter((key) => !known.has(key))
  for (const key of unknown.slice(0, bounds.fields)) {
    errors.push({
      fieldId: key.slice(0, bounds.fieldId).toWellFormed(),
      code: "unknown_field",
      message: `This world has no field of that name. It has: ${[...known].join(", ")}.`
    })
  }
  if (JSON.stringify(profile).length > bounds.profile) {
    errors.push({
      fieldId: "profile",
      code: "too_large",
      message: `All answers together may have ${bounds.profile} characters.`
    })
  }
  return { profile, missing, errors }
}

export interface DraftRound {
  /** Synonyms: what is known so far. */
  readonly profile?: Readonly<Record<string, unknown>> | undefined
  readonly profileDraft?: Readonly<Record<string, unknown>> | undefined
  /** Synonyms: what this round adds or changes. */
  readonly profileUpdate?: Readonly<Record<string, unknown>> | undefined
  readonly profilePatch?: Readonly<Record<string, unknown>> | undefined
  /** All of it at once: wins over everything else. */
  readonly profileSnapshot?: Readonly<Record<string, unknown>> | undefined
}

/** The draft that a round amounts to (the seed's rules): later names win, and a snapshot wins over all. */
export const merge = (round: DraftRound): Readonly<Record<string, unknown>> =>
  round.profileSnapshot ?? { ...round.profile, ...round.profileDraft, ...round.profileUpdate, ...round.profilePatch }

/** Fields answered in an earlier round that this draft has lost: the caller forgot to send the draft back. */
export const forgotten = (
  earlier: ReadonlyArray<string>,
  draft: Readonly<Record<string, unknown>>
): ReadonlyArray<string> => earlier.filter((key) => !Object.hasOwn(draft, key))

const numberFault = (field: string, low: number | undefined, high: number | undefined): string | undefined =>
  low !== undefined && high !== undefined && low > high
    ? `${field}: nothing can be at least ${low} and at most ${high}`
    : undefined

/** What is wrong with a schema that a person wrote: also one that nobody could satisfy. */
export const checkSchema = (schema: EntrySchema): ReadonlyArray<FieldError> => {
  const errors: Array<FieldError> = []
  const fault = (at: string, code: string, message: string) => errors.push({ fieldId: at, code, message })
  if (schema.fields.length === 0) fault("entryProfileSchema.fields", "too_few", "A world asks at least one field.")
  if (schema.fields.length > bounds.fields) {
    fault("entryProfileSchema.fields", "too_many", `A world asks at most ${bounds.fields} fields.`)
  }
  const seen = new Set<string>()
  for (const [index, field] of schema.fields.entries()) {
    const at = `entryProfileSchema.fields[${index}]`
    const { choices, maxItems, maxLength, maximum, minLength, minimum } = field.constraints
    if (!fieldId.test(field.fieldId)) {
      fault(`${at}.fieldId`, "invalid", "A field's id is letters, digits and _, a letter first, at most 40.")
    } else if (seen.has(field.fieldId)) fault(`${at}.fieldId`, "taken", `Two fields are called ${field.fieldId}.`)
    seen.add(field.fieldId)
    if (field.label.trim() === "" || length(field.label) > bounds.fieldLabel) {
      fault(`${at}.label`, "wrong_length", `A label has 1 to ${bounds.fieldLabel} characters.`)
    }
    if (length(field.description) > bounds.fieldDescription) {
      fault(`${at}.description`, "wrong_length", `A description has at most ${bounds.fieldDescription} characters.`)
    }
    if (field.examples.length > bounds.examples || field.examples.some((text) => length(text) > bounds.answer)) {
      fault(
        `${at}.examples`,
        "too_many",
        `At most ${bounds.examples} examples, of at most ${bounds.answer} characters.`
      )
    }
    if (field.type === "choice" && (choices ?? []).length === 0) {
      fault(`${at}.constraints.choices`, "unsatisfiable", "A choice needs something to choose from.")
    }
    if (
      choices !== undefined &&
      (choices.length > bounds.choices || choices.some((text) => text.trim() === "" || length(text) > 80))
    ) {
      fault(`${at}.constraints.choices`, "wrong_length", `At most ${bounds.choices} choices, of 1 to 80 characters.`)
    }
    if (field.required && maxItems !== undefined && maxItems < 1) {
      fault(
        `${at}.constraints.maxItems`,
        "unsatisfiable",
        "A required list that may hold nothing can never be answered."
      )
    }
    if (minLength !== undefined && minLength > bounds.answer) {
      fault(`${at}.constraints.minLength`, "unsatisfiable", `An answer has at most ${bounds.answer} characters.`)
    }
    if (field.required && maxLength !== undefined && maxLength < 1) {
      fault(`${at}.constraints.maxLength`, "unsatisfiable", "A required answer without a character can never be given.")
    }
    for (const problem of [
      numberFault(field.label, minLength, maxLength),
      numberFault(field.label, minimum, maximum)
    ]) {
      if (problem !== undefined) fault(`${at}.constraints`, "unsatisfiable", `${problem}.`)
    }
  }
  const least = schema.fields.reduce((sum, field) => sum + (field.required ? (field.constraints.minLength ?? 0) : 0), 0)
  if (least > bounds.profile / 2) {
    fault(
      "entryProfileSchema.fields",
      "unsatisfiable",
      `The shortest answers together have ${least} characters; a profile has room for ${bounds.profile / 2}.`
    )
  }
  return errors
}
