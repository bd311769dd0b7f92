/**
 * The form of a world: as it stands in the fields, what is wrong with it (its questions by the code that the platform
 * checks with), and what is sent. Faults go by the names of the wire. Pure.
 */
import type {
  EntryField,
  EntrySchema,
  FieldConstraints,
  FieldType
} from "../../../../services/protocol/EntryProfile.ts"
import { checkSchema } from "../../../../services/protocol/EntryProfile.ts"
import type { RaiseHandMode, SearchMode } from "../../../../services/protocol/Worlds.ts"
import { bounds, defaultPolicy } from "../../../../services/protocol/Worlds.ts"
import type { World } from "./model.ts"

export interface FieldValues {
  /** Of this form alone. */
  readonly key: string
  readonly fieldId: string
  readonly label: string
  readonly type: FieldType
  readonly required: boolean
  readonly description: string
  /** One to a line. */
  readonly examples: string
  readonly choices: string
  readonly least: string
  readonly most: string
}

export interface Values {
  readonly displayName: string
  readonly summary: string
  readonly description: string
  readonly category: string
  readonly interactionRules: string
  readonly prohibitedRules: string
  readonly requires: "none" | "owned"
  readonly searchMode: SearchMode
  readonly opening: string
  readonly maxTurns: string
  /** Seconds. */
  readonly turnTimeout: string
  readonly hands: RaiseHandMode
  readonly fields: ReadonlyArray<FieldValues>
}

export type FaultCode =
  | "empty"
  | "long"
  | "number"
  | "range"
  | "fields.none"
  | "fields.many"
  | "fields.long"
  | "id.shape"
  | "id.taken"
  | "examples"
  | "choices.none"
  | "choices.shape"
  | "bounds.order"
  | "bounds.nothing"
  | "bounds.far"

export interface Fault {
  readonly code: FaultCode
  readonly values: Readonly<Record<string, number>>
}
/** By the names of the wire: `summary`, `entryProfileSchema.fields[0].label` ... */
export type Faults = Readonly<Record<string, Fault>>

let keys = 0
export const freshField = (): FieldValues => ({
  key: `field-${++keys}`,
  fieldId: "",
  label: "",
  type: "text",
  required: true,
  description: "",
  examples: "",
  choices: "",
  least: "",
  most: ""
})

export const empty = (): Values => ({
  displayName: "",
  summary: "",
  description: "",
  category: "general",
  interactionRules: "",
  prohibitedRules: "",
  requires: "none",
  searchMode: "profile_overlap_search",
  opening: "",
  maxTurns: String(defaultPolicy.maxTurns),
  turnTimeout: String(defaultPolicy.turnTimeoutMs / 1000),
  hands: defaultPolicy.raiseHandPolicy.mode,
  fields: [freshField()]
})

/** Which two bounds a type has. */
const boundsOf = {
  text: ["minLength", "maxLength"],
  long_text: ["minLength", "maxLength"],
  number: ["minimum", "maximum"],
  tags: [undefined, "maxItems"],
  boolean: [undefined, undefined],
  choice: [undefined, undefined]
} as const satisfies Record<
  FieldType,
  readonly [keyof FieldConstraints | undefined, keyof FieldConstraints | undefined]
>

export const hasLeast = (type: FieldType): boolean => boundsOf[type][0] !== undefined
export const hasMost = (type: FieldType): boolean => boundsOf[type][1] !== undefined
export const hasChoices = (type: FieldType): boolean => type === "choice" || type === "tags"

const linesOf = (text: string): ReadonlyArray<string> =>
  text
    .split(/\r\n|[\n\r]/)
    .map((line) => line.trim())
    .filter((line) => line !== "")

const plain = (typed: string): string => typed.normalize("NFKC").trim()
const numberOf = (typed: string): number | undefined =>
  /^-?\d+(?:\.\d+)?$/.test(plain(typed)) ? Number(plain(typed)) : undefined

/** A name for programs, of the letters of the label; another one where it has none of them. */
export const idFor = (label: string, place: number): string => {
  const letters = label
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .toLowerCase()
    .slice(0, bounds.fieldId)
  return /^[a-z]/.test(letters) ? letters : `field_${place + 1}`
}

const idOf = (field: FieldValues, place: number): string =>
  field.fieldId.trim() === "" ? idFor(field.label, place) : field.fieldId.trim()

const toField = (field: FieldValues, place: number): EntryField => {
  const [least, most] = boundsOf[field.type]
  const low = least === undefined ? undefined : numberOf(field.least)
  const high = most === undefined ? undefined : numberOf(field.most)
  const choices = linesOf(field.choices)
  return {
    fieldId: idOf(field, place),
    label: field.label.trim(),
    type: field.type,
    required: field.required,
    description: field.description.trim(),
    examples: linesOf(field.examples),
    constraints: {
      ...(least === undefined || low === undefined ? {} : { [least]: low }),
      ...(most === undefined || high === undefined ? {} : { [most]: high }),
      ...(hasChoices(field.type) && (choices.length > 0 || field.type === "choice") ? { choices } : {})
    }
  }
}

const schemaOf = ({ fields }: Values): EntrySchema => ({ fields: fields.map(toField) })

const length = (text: string): number => [...text.trim()].length

const textFault = (value: string, most: number, least: 0 | 1): Fault | undefined =>
  least === 1 && value.trim() === ""
    ? { code: "empty", values: {} }
    : length(value) > most
      ? { code: "long", values: { limit: most } }
      : undefined

const wholeFault = (typed: string, { maximum, minimum }: { minimum: number; maximum: number }): Fault | undefined => {
  const value = numberOf(typed)
  return value === undefined || !Number.isInteger(value) || value < minimum || value > maximum
    ? { code: "range", values: { minimum, maximum } }
    : undefined
}

const schemaFault = (path: string, code: string): Fault => {
  const end = path.replace(/^entryProfileSchema\.fields(?:\[\d+\])?\.?/, "")
  switch (end) {
    case "":
      return code === "too_few"
        ? { code: "fields.none", values: {} }
        : code === "too_many"
          ? { code: "fields.many", values: { limit: bounds.fields } }
          : { code: "fields.long", values: {} }
    case "fieldId":
      return { code: code === "taken" ? "id.taken" : "id.shape", values: {} }
    case "label":
      return { code: "long", values: { limit: bounds.fieldLabel } }
    case "description":
      return { code: "long", values: { limit: bounds.fieldDescription } }
    case "examples":
      return { code: "examples", values: { limit: bounds.examples } }
    case "constraints.choices":
      return code === "unsatisfiable"
        ? { code: "choices.none", values: {} }
        : { code: "choices.shape", values: { limit: bounds.choices } }
    case "constraints.minLength":
      return { code: "bounds.far", values: { limit: bounds.answer } }
    case "constraints.maxLength":
    case "constraints.maxItems":
      return { code: "bounds.nothing", values: {} }
    default:
      return { code: "bounds.order", values: {} }
  }
}

const boundFaults = (fields: ReadonlyArray<FieldValues>): Faults => {
  const found: Record<string, Fault> = {}
  for (const [place, field] of fields.entries()) {
    const names = boundsOf[field.type]
    for (const [index, typed] of [field.least, field.most].entries()) {
      const name = names[index]
      if (name === undefined || typed.trim() === "") continue
      const value = numberOf(typed)
      const isCount = field.type !== "number"
      if (value === undefined || (isCount && (!Number.isInteger(value) || value < 0))) {
        found[`entryProfileSchema.fields[${place}].constraints.${name}`] = { code: "number", values: {} }
      }
    }
  }
  return found
}

/** What the platform would find, by the same names. */
export const check = (values: Values): Faults => {
  const found: Record<string, Fault> = {}
  const add = (path: string, fault: Fault | undefined) => {
    if (fault !== undefined) found[path] ??= fault
  }
  add("displayName", textFault(values.displayName, bounds.worldName, 1))
  add("summary", textFault(values.summary, bounds.summary, 1))
  add("category", textFault(values.category, 40, 1))
  add("description", textFault(values.description, bounds.description, 0))
  add("interactionRules", textFault(values.interactionRules, bounds.rules, 0))
  add("prohibitedRules", textFault(values.prohibitedRules, bounds.rules, 0))
  add("conversationTemplate.openingText", textFault(values.opening, bounds.openingMessage, 0))
  add("conversationTemplate.maxTurns", wholeFault(values.maxTurns, bounds.maxTurns))
  const { maximum, minimum } = bounds.turnTimeout
  add(
    "conversationTemplate.turnTimeoutMs",
    wholeFault(values.turnTimeout, { minimum: minimum / 1000, maximum: maximum / 1000 })
  )
  for (const [path, fault] of Object.entries(boundFaults(values.fields))) add(path, fault)
  for (const { code, fieldId } of checkSchema(schemaOf(values))) {
    const place = /^entryProfileSchema\.fields\[(\d+)\]\.label$/.exec(fieldId)?.[1]
    const isBlank = place !== undefined && values.fields[Number(place)]?.label.trim() === ""
    add(fieldId, isBlank ? { code: "empty", values: {} } : schemaFault(fieldId, code))
  }
  return found
}

/** All of it: what a form shows is what the world is to be. */
export const bodyOf = (values: Values) => ({
  displayName: values.displayName.trim(),
  summary: values.summary.trim(),
  description: values.description.trim(),
  category: values.category.trim(),
  interactionRules: values.interactionRules.trim(),
  prohibitedRules: values.prohibitedRules.trim(),
  entryProfileSchema: schemaOf(values),
  eligibility: { requires: values.requires },
  searchSchema: { mode: values.searchMode },
  conversationTemplate: {
    openingText: values.opening.trim(),
    maxTurns: numberOf(values.maxTurns),
    turnTimeoutMs: (numberOf(values.turnTimeout) ?? 0) * 1000,
    raiseHandPolicy: { mode: values.hands }
  }
})

const typed = (value: number | undefined): string => (value === undefined ? "" : String(value))

export const valuesOf = (world: World): Values => ({
  displayName: world.name,
  summary: world.summary,
  description: world.description,
  category: world.category,
  interactionRules: world.rules,
  prohibitedRules: world.prohibited,
  requires: world.requires,
  searchMode: world.searchMode,
  opening: world.opening,
  maxTurns: String(world.policy.maxTurns),
  turnTimeout: String(world.policy.turnTimeout / 1000),
  hands: world.policy.hands,
  fields: world.schema.fields.map((field): FieldValues => {
    const { choices, maxItems, maxLength, maximum, minLength, minimum } = field.constraints
    return {
      key: `field-${++keys}`,
      fieldId: field.fieldId,
      label: field.label,
      type: field.type,
      required: field.required,
      description: field.description,
      examples: field.examples.join("\n"),
      choices: (choices ?? []).join("\n"),
      least: typed(minLength ?? minimum),
      most: typed(maxLength ?? maximum ?? maxItems)
    }
  })
})
