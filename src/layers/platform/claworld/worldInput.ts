/**
 * A new world, or what is to change of one, as somebody wrote it: read by name, and every fault is told with its field.
 * What is not named keeps its value, or a new world's default.
 */
import { check, checkSchema, fieldTypes, type FieldError } from "../../../services/protocol/EntryProfile.ts"
import { isRecord } from "../../../services/protocol/Wire.ts"
import { bounds, defaultPolicy, handSummaries, raiseHandModes, searchModes } from "../../../services/protocol/Worlds.ts"
import { type Given, isText, Reader } from "./InputReader.ts"
import type { World } from "./worldRows.ts"

type EntryField = World["entryProfileSchema"]["fields"][number]

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
  if (!isRecord(given)) {
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
