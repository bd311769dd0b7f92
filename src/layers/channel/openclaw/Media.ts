/**
 * Files of an answer, as words: a chat of the platform is text, so a file is a link in it. What cannot be brought there
 * is said in words. Nothing of an answer goes away in silence, and no path of the machine is shown (law secret): where a
 * file lies is nobody's business but the operator's.
 */
import type { Payload } from "./Host.ts"

export interface Medium {
  /** An address, or a path of this machine that the host has let through. */
  readonly url: string
  /** What a person calls it: one line without a folder. */
  readonly name: string
}

/** The last part of a path or an address, as a plain word. */
const nameIn = (url: string): string => {
  if (/^data:/i.test(url)) return ""
  const path = /^[a-z][\w+.-]*:\/\//i.test(url) ? (URL.parse(url)?.pathname ?? "") : url
  const last = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

/** Of a name that a model or a stranger may have chosen: no line break, no folder, nothing that is Markdown. */
const plain = (name: string): string =>
  name
    .slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1)
    .replaceAll("[", "(")
    .replaceAll("]", ")")
    .replace(/[\s\p{Cc}\p{Cf}`<>]+/gu, " ")
    .trim()
    .slice(0, 120)

/** Each once, in order: the host names the first one twice. */
export const mediaOf = ({ attachments, mediaUrl, mediaUrls }: Payload): ReadonlyArray<Medium> => {
  const urls = mediaUrls === undefined || mediaUrls.length === 0 ? [mediaUrl] : mediaUrls
  const seen = new Set<string>()
  return urls.flatMap((url, index) => {
    if (url === undefined || url.trim() === "" || seen.has(url)) return []
    seen.add(url)
    const name = plain(attachments?.[index]?.name ?? "")
    return [{ url, name: name === "" ? plain(nameIn(url)) : name }]
  })
}

/** What anybody may open by its address alone. */
export const isAddress = ({ url }: Medium): boolean => /^https?:\/\//i.test(url)

const called = ({ name }: Medium): string => (name === "" ? "A file" : `The file ${name}`)

/** It was meant to go along, and something was in the way. */
export const notSent = (medium: Medium): string =>
  `${called(medium)} belongs to this answer and could not be sent. Ask for it again, or ask the operator of this agent.`

/** The operator has not let this person in by name, so nothing of the machine goes to them (law confined). */
export const notForStrangers = (medium: Medium): string =>
  `${called(medium)} was not sent: this agent gives files only to people whom its operator has let in by name.`
