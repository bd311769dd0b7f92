/**
 * What is wrong in a channel's part of the host's configuration, as far as both channels say it alike. The manifest's
 * schemas let everything through, for one that refuses keeps the whole host, all its channels included, from starting.
 */
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import { type Fields, isFields } from "./config.ts"

export interface Fault {
  /** What is wrong and what it means. Never shows a value that may be a secret. */
  readonly message: string
  readonly fix: string
  /** The account cannot run with it. */
  readonly blocks: boolean
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? "a list" : value === null ? "null" : typeof value)

/** @param means What becomes of it, where it blocks nothing. */
export const expected = (path: string, what: string, value: unknown, blocks: boolean, means = ""): Fault => ({
  message: `${path} must be ${what} and is ${kindOf(value)}${means}.`,
  fix: `Write ${path} as ${what}, or leave it out.`,
  blocks
})

export const passedOver = "; it is passed over"

/** An account has a folder under its name. */
export const nameFaults = (accountId: string): ReadonlyArray<Fault> =>
  AccountFolders.isId(accountId)
    ? []
    : [
        {
          message: `The account ${JSON.stringify(accountId.slice(0, 80))} has a name that cannot be one of a folder.`,
          fix: "Use letters, digits, dots and dashes.",
          blocks: true
        }
      ]

export const accountsFaults = (base: string, section: Fields): ReadonlyArray<Fault> =>
  section["accounts"] === undefined || isFields(section["accounts"])
    ? []
    : [expected(`${base}.accounts`, "an object", section["accounts"], false, passedOver)]

/** What an account has of its own, and what of the base concerns it: what it says itself counts. */
export const levels = (section: Fields, given: unknown): { readonly own: Fields; readonly inherited: Fields } => {
  const own = isFields(given) ? given : {}
  const inherited = Object.fromEntries(Object.entries(section).filter(([key]) => !Object.hasOwn(own, key)))
  return { own, inherited }
}

/** The first that keeps the account from running, as one text. */
export const blockingOf = (faults: ReadonlyArray<Fault>): string | undefined => {
  const fault = faults.find(({ blocks }) => blocks)
  return fault === undefined ? undefined : `${fault.message} ${fault.fix}`
}

/**
 * Said when an account starts: by then the host has put in what its secret references stand for.
 *
 * @param what What lies there: "The app secret", say.
 */
export const unresolved = (
  what: string,
  { accountId, secretReference }: { readonly accountId: string; readonly secretReference: string | undefined }
): string | undefined =>
  secretReference === undefined
    ? undefined
    : `${what} of the account ${accountId} lies in ${secretReference}, and the host could not read it there. Put it there, or write another reference.`
