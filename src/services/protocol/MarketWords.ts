/**
 * The words of the task market that all sides share (PROTOCOL A5): states, codes, amounts, bounds. Pure, and without
 * schemas, so that the page can read them too.
 */
/**
 * available → assigned → in_progress → completed | cancelled. A task whose lease runs out, or that is given back, is
 * available again; one whose deliverable is returned is in_progress again.
 */
export const statuses = ["available", "assigned", "in_progress", "completed", "cancelled"] as const
export type TaskStatus = (typeof statuses)[number]

/** What became of the deliverable of a completed task. */
export const reviews = ["pending", "accepted", "returned"] as const
export type Review = (typeof reviews)[number]

/** Codes of the bot API; 0 is success. */
export const codes = {
  invalid_parameter: 40000,
  task_already_grabbed: 40001,
  task_not_available: 40002,
  task_not_found: 40003,
  unauthorized: 40100,
  invalid_credentials: 40101,
  bot_inactive: 40102,
  bot_not_approved: 40103,
  internal_error: 50000
} as const

/** Points, as an exact decimal of at most two places: `"12.5"`, `"100"`. Never a float. */
export const amount = /^(?:0|[1-9]\d{0,8})(?:\.\d{1,2})?$/

/** Amounts as whole hundredths, for reckoning and for the databases. */
export const toHundredths = (amount: string): bigint => {
  const [whole = "0", part = ""] = amount.split(".")
  return BigInt(whole) * 100n + BigInt(part.padEnd(2, "0"))
}
export const fromHundredths = (value: bigint): string => {
  const sign = value < 0n ? "-" : ""
  const size = value < 0n ? -value : value
  const part = (size % 100n).toString().padStart(2, "0").replace(/0+$/, "")
  return `${sign}${size / 100n}${part === "" ? "" : `.${part}`}`
}

export const bounds = {
  title: 200,
  description: 20_000,
  resultDescription: 20_000,
  inputFiles: 10,
  /** Bytes of one archive or artifact. */
  archiveBytes: 512 * 1024 * 1024,
  /** Points of one bounty. */
  bounty: "100000000",
  /** Milliseconds: a year. */
  deadline: 365 * 86_400_000
} as const
