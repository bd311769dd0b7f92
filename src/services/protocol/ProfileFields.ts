/**
 * What an agent says of itself, checked in one place: by the tool that proposes it, the form that confirms it, the
 * client that sends it and the platform that takes it. Source of the fields: the seed's profile.json.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isRecord } from "./Wire.ts"

/** Body of `POST /profiles/create`, whole. */
export interface Proposal {
  readonly name: string
  readonly description: string
  /** Empty, an https address, or an inline picture (`data:image/...`). */
  readonly avatar: string
  /** Five-digit scene codes of the platform's list (PROTOCOL A5: 02001 documents, 04003 career, 07001 text). */
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  /** Points per hour, 0 or more. */
  readonly hourly_rate: number
  /** A whole number of 0 or more. */
  readonly instance_type: number
}

/** One field that cannot be taken, in a sentence for the person (or model) who is to mend it. */
export const FieldFault = Schema.Struct({ field: Schema.String, message: Schema.String })
export type FieldFault = typeof FieldFault.Type

export const bounds = {
  name: 64,
  description: 2_000,
  avatarUrl: 2_048,
  avatarData: 64 * 1024,
  tags: 20,
  tag: 32,
  hourlyRate: 1_000_000,
  instanceType: 0x7fff_ffff
} as const

/**
 * Control and format characters would let a name look like another one, or reach into the line beside it. The joiners
 * (U+200C, U+200D) stay: an emoji of several and some scripts need them.
 */
const hidden = /[\p{Cc}\p{Zl}\p{Zp}]|(?![\u200C\u200D])\p{Cf}/gu
const visible = /[^\s\p{Cf}]/u

/** Half a character (a lone surrogate) is none: it becomes U+FFFD. */
const line = (text: string): string => {
  const cleaned = text.toWellFormed().replace(hidden, " ").replace(/\s+/gu, " ").trim().normalize("NFC")
  return visible.test(cleaned) ? cleaned : ""
}

const lengthOf = (text: string): number => [...text].length

/**
 * Reads a proposal out of anything. Descriptive fields that are missing get their empty value, numbers that came as
 * text are numbers; everything that cannot be taken is told at once, by field.
 */
export const check = (input: unknown): Result.Result<Proposal, ReadonlyArray<FieldFault>> => {
  if (!isRecord(input)) return Result.fail([{ field: "", message: "A profile is an object with at least a name." }])
  const faults: Array<FieldFault> = []
  const fault = (field: string, message: string): void => void faults.push({ field, message })

  const textOf = (field: string): string => {
    const value = input[field]
    if (value === undefined || value === null) return ""
    if (typeof value === "string") return value
    fault(field, "This is not text.")
    return ""
  }
  const numberOf = (field: string): number => {
    const value = input[field]
    if (value === undefined || value === null || value === "") return 0
    const number = typeof value === "string" ? Number(value) : value
    if (typeof number === "number" && Number.isFinite(number) && number >= 0) return number
    fault(field, "This is not a number of 0 or more.")
    return 0
  }
  const tagsOf = (field: string): ReadonlyArray<string> => {
    const value = input[field]
    if (value === undefined || value === null) return []
    if (!Array.isArray(value) || value.some((tag) => typeof tag !== "string" && typeof tag !== "number")) {
      fault(field, "This is not a list of words.")
      return []
    }
    const tags = [...new Set(value.map((tag) => line(String(tag))).filter((tag) => tag !== ""))]
    if (tags.length > bounds.tags) fault(field, `There are more than ${bounds.tags}. Keep the ones that say most.`)
    const long = tags.find((tag) => lengthOf(tag) > bounds.tag)
    if (long !== undefined) fault(field, `A tag is longer than ${bounds.tag} characters. Shorten it.`)
    return tags
  }

  const name = line(textOf("name"))
  if (name === "") fault("name", "An agent needs a name.")
  else if (lengthOf(name) > bounds.name) fault("name", `The name is longer than ${bounds.name} characters. Shorten it.`)

  const description = textOf("description").toWellFormed().normalize("NFC").trim()
  if (lengthOf(description) > bounds.description) {
    fault("description", "The description is longer than 2,000 characters. Shorten it.")
  }

  const avatar = textOf("avatar").trim()
  if (/^data:image\/[a-z0-9.+-]+[;,]/i.test(avatar)) {
    if (avatar.length > bounds.avatarData) {
      fault("avatar", "The picture is larger than 64 KiB. Take a smaller one, or give an https address of it.")
    }
  } else if (avatar !== "") {
    const isAddress = URL.canParse(avatar) && new URL(avatar).protocol === "https:"
    if (!isAddress || avatar.length > bounds.avatarUrl) {
      fault("avatar", "The avatar is neither an https address nor an inline picture (data:image/...).")
    }
  }

  const scene_tags = tagsOf("scene_tags")
  if (scene_tags.some((tag) => !/^\d{5}$/.test(tag))) {
    fault("scene_tags", "A scene tag is a code of five digits, like 07001. Words of your own belong into custom_tags.")
  }
  const custom_tags = tagsOf("custom_tags")

  const hourly_rate = numberOf("hourly_rate")
  if (hourly_rate > bounds.hourlyRate) fault("hourly_rate", "The hourly rate is above 1,000,000 points.")

  const instance_type = numberOf("instance_type")
  if (!Number.isInteger(instance_type) || instance_type > bounds.instanceType) {
    fault("instance_type", "The instance type is not a whole number of 0 or more.")
  }

  return faults.length > 0
    ? Result.fail(faults)
    : Result.succeed({ name, description, avatar, scene_tags, custom_tags, hourly_rate, instance_type })
}

/** All faults as one sentence each, for a place that has no fields. */
export const inWords = (faults: ReadonlyArray<FieldFault>): string =>
  faults.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join(" ")
