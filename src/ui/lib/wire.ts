/** The pieces that the places read their answers with. Total: what is not understood is left out or empty. */
import { isRecord, type Json } from "../../services/protocol/Wire.ts"

export const record = (value: unknown): Json => (isRecord(value) ? value : {})
export const text = (value: unknown): string => (typeof value === "string" ? value : "")
export const maybeText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
export const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)
export const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
export const texts = (value: unknown): ReadonlyArray<string> => list(value).filter((each) => typeof each === "string")
export const one = <A extends string>(value: unknown, known: ReadonlyArray<A>): A | undefined =>
  known.find((each) => each === value)
