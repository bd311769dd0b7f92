/** A name under which a file may be saved on any system. */
import { cut } from "./names.ts"

/** Control characters, those that turn the reading direction (`exe.gpj` read as `jpg.exe`), and what systems forbid. */
const forbidden = /[\p{Cc}\p{Cs}\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029<>:"|?*]/gu
const maxLength = 120
const maxExtension = 16
const empty = "file"

/** The last step of a path only; never empty, never hidden, its ending kept when it is cut. */
export const sanitizeFilename = (given: string): string => {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? ""
  const name = last
    .normalize("NFC")
    .replaceAll(forbidden, "")
    .replaceAll(/\s+/g, " ")
    .replace(/^[. ]+/, "")
    .replace(/[. ]+$/, "")
  if (name === "") return empty
  if (name.length <= maxLength) return name
  const dot = name.lastIndexOf(".")
  const extension = dot > 0 && name.length - dot <= maxExtension ? name.slice(dot) : ""
  return cut(name.slice(0, name.length - extension.length), maxLength - extension.length) + extension
}
