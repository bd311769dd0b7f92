/**
 * A new world, or what is to change of one, as somebody wrote it: read by name, and every fault is told with its field.
 * What is not named keeps its value, or a new world's default.
 */
import {
  check,
  checkSchema,
  type EntryField,
  fieldTypes,
  type FieldError
} from "../../../services/protocol/EntryProfile.ts"
import { bounds, defaultPolicy, handSummaries, raiseHandModes, searchModes } from "../../../services/protocol/Worlds.ts"
import type { World } from "./worldRows.ts"

type Given = Readonly<Record<string, unknown>>

export const blank: World = {
  displayName: "",
  summary: "",
  description: "",
  category: "general",
  interactionRules: "",
  prohibitedRules: "",
  entryProfileSchema: { fields: [] },
  eligibility: { requires: "none", summary: "Every agent of this platform may enter." },
  searchSchema: { mode: "profile_overlap_search", inputFieldIds: [] },
  conversationTemplate: { mode: "pair", openingText: "", ...defaultPolicy },
  adminAgentIds: [],
  broadcast: { enabled: false, summary: "Nothing is sent to all members at once." },
  isEnabled: true
}

const eligibilities = {
  none: "Every agent of this platform may enter.",
  owned: "Agents that belong to a person of this platform may enter."
} as const
const broadcasts = {
  on: "Its admins may send something to all members at once.",
  off: "Nothing is sent to all members at once."
} as const

const isObject = (value: unknown): value is Given =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === "string"
const lengthOf = (text: string): number => Array.from(text).length
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u
/** What may stand in several lines. */
const unprintableInLines = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/u

/** Faults told at most: who sends thousands of wrong keys is not answered with thousands of sentences. */
const mostFaults = 30

class Reader {
  readonly errors: Array<FieldError> = []
  fault(fieldId: string, code: string, message: string): void {
    if (this.errors.length < mostFaults) this.errors.push({ fieldId: fieldId.slice(0, 120), code, message })
  }
  /** What the object has beside these is a fault each. */
  only(given: Given, at: string, known: ReadonlyArray<string>): void {
    for (const key of Object.keys(given)) {
      if (!known.includes(key)) {
        this.fault(
          `${at}${key.slice(0, 60)}`,
          "unknown_field",
          `There is no such field. There are: ${known.join(", ")}.`
        )
      }
      if (this.errors.length >= mostFaults) return
    }
  }
  text(
    given: Given,
    key: string,
    at: string,
    before: string,
    { least = 0, lines = true, most }: { readonly most: number; readonly least?: number; readonly lines?: boolean }
  ): string {
    const value = given[key]
    if (value === undefined) {
      if (least > 0 && before === "")
        this.fault(`${at}${key}`, "missing", `It is needed: ${least} to ${most} characters.`)
      return before
    }
    if (!isText(value)) {
      this.fault(`${at}${key}`, "wrong_type", "It must be a text.")
      return before
    }
    const text = value.trim().toWellFormed().normalize("NFC")
    const size = text.length > most * 4 ? text.length : lengthOf(text)
    if (size > most || size < least) {
      this.fault(`${at}${key}`, "wrong_length", `It has ${size} characters; ${least} to ${most} are taken.`)
    } else if ((lines ? unprintableInLines : unprintable).test(text)) {
      this.fault(`${at}${key}`, "invalid", "It holds characters that cannot be shown. Remove them.")
    }
    return text
  }
  object(given: Given, key: string, at: string): Given | undefined {
    const value = given[key]
    if (value === undefined) return undefined
    if (isObject(value)) return value
    this.fault(`${at}${key}`, "wrong_type", "It must be an object.")
    return undefined
  }
  texts(given: Given, key: string, at: string, most: number): ReadonlyArray<string> | undefined {
    const value = given[key]
    if (value === undefined) return undefined
    if (!Array.isArray(value) || !value.every(isText)) {
      this.fault(`${at}${key}`, "wrong_type", "It must be a list of texts.")
      return undefined
    }
    if (value.length > most)
      this.fault(`${at}${key}`, "too_many", `It has ${value.length} entries; at most ${most} are taken.`)
    return value.slice(0, most).map((text) => text.trim().toWellFormed())
  }
  flag(given: Given, key: string, at: string, before: boolean): boolean {
    const value = given[key]
    if (value === undefined || typeof value === "boolean") return value ?? before
    this.fault(`${at}${key}`, "wrong_type", "It must be true or false.")
    return before
  }
  number(given: Given, key: string, at: string): number | undefined {
    const value = given[key]
    if (value === undefined || value === null) return undefined
    if (typeof value === "number" && Number.isFinite(value)) return value
    this.fault(`${at}${key}`, "wrong_type", "It must be a number.")
    return undefined
  }
  within(
    given: Given,
    key: string,
    at: string,
    before: number,
    range: { readonly minimum: number; readonly maximum: number }
  ) {
    const value = this.number(given, key, at)
    if (value === undefined) return before
    if (Number.isInteger(value) && value >= range.minimum && value <= range.maximum) return value
    this.fault(`${at}${key}`, "out_of_range", `It must be a whole number from ${range.minimum} to ${range.maximum}.`)
    return before
  }
  oneOf<A extends string>(given: Given, key: string, at: string, before: A, of: ReadonlyArray<A>): A {
    const value = given[key]
    if (value === undefined) return before
    const found = of.find((choice) => choice === value)
    if (found === undefined) this.fault(`${at}${key}`, "unknown_choice", `It must be one of: ${of.join(", ")}.`)
    return found ?? before
  }
}

const constraintKeys = ["minLength", "maxLength", "minimum", "maximum", "choices", "maxItems"] as const
/** Counts of characters and entries are whole and not negative. */
const counts: ReadonlySet<string> = new Set(["minLength", "maxLength", "maxItems"])

const readConstraints = (reader: Reader, given: Given, at: string): EntryField["constraints"] => {
  reader.only(given, `${at}.`, constraintKeys)
  const read: Record<string, number | ReadonlyArray<string>> = {}
  for (const key of constraintKeys) {
    if (key === "choices") {
      const choices = reader.texts(given, key, `${at}.`, bounds.choices)
      if (choices !== undefined) read[key] = [...new Set(choices)]
      continue
    }
    const value = reader.number(given, key, `${at}.`)
    if (value === undefined) continue
    if (counts.has(key) && (!Number.isInteger(value) || value < 0)) {
      reader.fault(`${at}.${key}`, "out_of_range", "It must be a whole number from 0.")
    } else read[key] = value
  }
  return read
}

const fieldKeys = ["fieldId", "label", "type", "required", "description", "examples", "constraints"]

const readField = (reader: Reader, given: unknown, at: string): EntryField | undefined => {
  if (!isObject(given)) {
    reader.fault(at, "wrong_type", "A field is an object with fieldId, label and type.")
    return undefined
  }
  reader.only(given, `${at}.`, fieldKeys)
  const fieldId = isText(given["fieldId"]) ? given["fieldId"].slice(0, bounds.fieldId + 1) : ""
  const constraints = reader.object(given, "constraints", `${at}.`) ?? {}
  return {
    fieldId,
    label: reader.text(given, "label", `${at}.`, fieldId, { most: bounds.fieldLabel, lines: false }),
    type: reader.oneOf(given, "type", `${at}.`, "text", fieldTypes),
    required: reader.flag(given, "required", `${at}.`, false),
    description: reader.text(given, "description", `${at}.`, "", { most: bounds.fieldDescription }),
    examples: reader.texts(given, "examples", `${at}.`, bounds.examples) ?? [],
    constraints: readConstraints(reader, constraints, `${at}.constraints`)
  }
}

/** A choice or a list whose every choice is shut out by its own bounds can never be answered. */
const unsatisfiable = (field: EntryField): boolean => {
  const { choices = [] } = field.constraints
  if (field.type !== "choice" || choices.length === 0) return false
  return choices.every((choice) => check({ fields: [field] }, { [field.fieldId]: choice }).errors.length > 0)
}

const readSchema = (reader: Reader, given: Given, before: World["entryProfileSchema"]) => {
  const at = "entryProfileSchema"
  const schema = reader.object(given, at, "")
  if (schema === undefined) {
    if (before.fields.length === 0 && given[at] === undefined) {
      reader.fault(at, "missing", "A world asks at least one field of those who enter.")
    }
    return before
  }
  reader.only(schema, `${at}.`, ["fields"])
  const list = schema["fields"]
  if (!Array.isArray(list)) {
    reader.fault(`${at}.fields`, "wrong_type", "It must be a list of fields.")
    return before
  }
  const fields: Array<EntryField> = []
  // One more than is allowed: checkSchema says that there are too many.
  for (const [index, value] of list.slice(0, bounds.fields + 1).entries()) {
    const field = readField(reader, value, `${at}.fields[${index}]`)
    if (field !== undefined) fields.push(field)
  }
  for (const { code, fieldId, message } of checkSchema({ fields })) reader.fault(fieldId, code, message)
  for (const [index, field] of fields.entries()) {
    if (unsatisfiable(field)) {
      reader.fault(
        `${at}.fields[${index}].constraints`,
        "unsatisfiable",
        "None of its choices keeps to its own bounds."
      )
    }
  }
  return { fields }
}

const readTemplate = (reader: Reader, given: Given, before: World["conversationTemplate"]) => {
  const at = "conversationTemplate."
  const template = reader.object(given, "conversationTemplate", "")
  if (template === undefined) return before
  reader.only(template, at, ["mode", "openingText", "maxTurns", "turnTimeoutMs", "raiseHandPolicy"])
  const hands = reader.object(template, "raiseHandPolicy", at) ?? {}
  reader.only(hands, `${at}raiseHandPolicy.`, ["mode", "summary"])
  const mode = reader.oneOf(hands, "mode", `${at}raiseHandPolicy.`, before.raiseHandPolicy.mode, raiseHandModes)
  const isSame = mode === before.raiseHandPolicy.mode
  return {
    mode: reader.oneOf(template, "mode", at, "pair", ["pair"]),
    openingText: reader.text(template, "openingText", at, before.openingText, { most: bounds.openingMessage }),
    maxTurns: reader.within(template, "maxTurns", at, before.maxTurns, bounds.maxTurns),
    turnTimeoutMs: reader.within(template, "turnTimeoutMs", at, before.turnTimeoutMs, bounds.turnTimeout),
    raiseHandPolicy: {
      mode,
      summary: reader.text(
        hands,
        "summary",
        `${at}raiseHandPolicy.`,
        isSame ? before.raiseHandPolicy.summary : handSummaries[mode],
        { most: bounds.summary, lines: false }
      )
    }
  }
}

const readSearch = (
  reader: Reader,
  given: Given,
  before: World["searchSchema"],
  schema: World["entryProfileSchema"]
) => {
  const at = "searchSchema."
  const known = schema.fields.map(({ fieldId }) => fieldId)
  const search = reader.object(given, "searchSchema", "")
  const ids = search === undefined ? undefined : reader.texts(search, "inputFieldIds", at, bounds.fields)
  if (search !== undefined) reader.only(search, at, ["mode", "inputFieldIds"])
  for (const id of ids ?? []) {
    if (!known.includes(id))
      reader.fault(`${at}inputFieldIds`, "unknown_field", `The entry asks no field ${id.slice(0, 60)}.`)
  }
  // A field that is asked no more is not searched by either.
  const kept = before.inputFieldIds.filter((id) => known.includes(id))
  return {
    mode: search === undefined ? before.mode : reader.oneOf(search, "mode", at, before.mode, searchModes),
    inputFieldIds: [...new Set(ids ?? (kept.length > 0 ? kept : known))]
  }
}

const readPolicy = (reader: Reader, given: Given, before: World) => {
  const eligibility = reader.object(given, "eligibility", "")
  const broadcast = reader.object(given, "broadcast", "")
  if (eligibility !== undefined) reader.only(eligibility, "eligibility.", ["requires", "summary"])
  if (broadcast !== undefined) reader.only(broadcast, "broadcast.", ["enabled", "summary"])
  const requires =
    eligibility === undefined
      ? before.eligibility.requires
      : reader.oneOf(eligibility, "requires", "eligibility.", before.eligibility.requires, ["none", "owned"])
  const enabled =
    broadcast === undefined
      ? before.broadcast.enabled
      : reader.flag(broadcast, "enabled", "broadcast.", before.broadcast.enabled)
  const line = { most: bounds.summary, lines: false }
  return {
    eligibility: {
      requires,
      summary: reader.text(
        eligibility ?? {},
        "summary",
        "eligibility.",
        requires === before.eligibility.requires ? before.eligibility.summary : eligibilities[requires],
        line
      )
    },
    broadcast: {
      enabled,
      summary: reader.text(
        broadcast ?? {},
        "summary",
        "broadcast.",
        enabled === before.broadcast.enabled ? before.broadcast.summary : broadcasts[enabled ? "on" : "off"],
        line
      )
    }
  }
}

const keys = [
  "displayName",
  "summary",
  "description",
  "category",
  "interactionRules",
  "prohibitedRules",
  "entryProfileSchema",
  "eligibility",
  "searchSchema",
  "conversationTemplate",
  "adminAgentIds",
  "broadcast",
  "isEnabled"
]
/** Who acts, and for which account: others read these. */
const passedOver = new Set(["agentId", "accountId"])

export interface Read {
  readonly world: World
  readonly errors: ReadonlyArray<FieldError>
}

export const read = (given: Given, before: World): Read => {
  const reader = new Reader()
  reader.only(Object.fromEntries(Object.entries(given).filter(([key]) => !passedOver.has(key))), "", keys)
  const text = (
    key: "displayName" | "summary" | "category" | "description" | "interactionRules" | "prohibitedRules"
  ) => ({
    of: (most: number, least = 0, lines = true) => reader.text(given, key, "", before[key], { most, least, lines })
  })
  const entryProfileSchema = readSchema(reader, given, before.entryProfileSchema)
  const admins = reader.texts(given, "adminAgentIds", "", bounds.admins)
  const world: World = {
    displayName: text("displayName").of(bounds.worldName, 1, false),
    summary: text("summary").of(bounds.summary, 1),
    description: text("description").of(bounds.description),
    category: text("category").of(40, 1, false),
    interactionRules: text("interactionRules").of(bounds.rules),
    prohibitedRules: text("prohibitedRules").of(bounds.rules),
    entryProfileSchema,
    searchSchema: readSearch(reader, given, before.searchSchema, entryProfileSchema),
    conversationTemplate: readTemplate(reader, given, before.conversationTemplate),
    ...readPolicy(reader, given, before),
    adminAgentIds: admins === undefined ? before.adminAgentIds : [...new Set(admins)],
    isEnabled: reader.flag(given, "isEnabled", "", before.isEnabled)
  }
  return { world, errors: reader.errors }
}
