/** Reads what somebody wrote by name, and gathers every fault with its field: nothing is thrown. */
import type { FieldError } from "../../../services/protocol/EntryProfile.ts"
import { isRecord, type Json } from "../../../services/protocol/Wire.ts"

export type Given = Json

export const isText = (value: unknown): value is string => typeof value === "string"
const lengthOf = (text: string): number => Array.from(text).length
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u
/** What may stand in several lines. */
const unprintableInLines = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/u

/** Faults told at most: who sends thousands of wrong keys is not answered with thousands of sentences. */
const mostFaults = 30

export class Reader {
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
    if (isRecord(value)) return value
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
