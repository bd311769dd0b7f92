/** What came of the planted bugs, as tables: all of them, by law, and by complaint. */
import { texts } from "../../../src/programs/simulation/Laws.ts"
import type { Mutant } from "./jobs.ts"
import { complaints } from "./mutants.ts"

export interface Row {
  readonly mutant: Mutant
  /** Of the seeds that were run, those in which the right law caught it, and which hold every law without it. */
  readonly run: number
  readonly caught: number
  readonly first: { readonly seed: number; readonly profile: string; readonly message: string } | undefined
  /** Laws that broke. */
  readonly laws: ReadonlyArray<string>
  /** Why it was not caught. */
  readonly why: string | undefined
}

/** The laws that are the project's own promise; each has at least two bugs. */
export const promised = [
  "one-terminal",
  "once",
  "stream",
  "bounded",
  "one-socket",
  "drain",
  "stop",
  "secret",
  "confined",
  "whole-file",
  "honest-status",
  "one-winner",
  "ledger-zero",
  "one-conversation",
  "turn-order",
  "hands",
  "online-only",
  "kickoff-once"
] as const

export const isRare = (row: Row): boolean => row.caught > 0 && row.caught / row.run < 0.1

const line = (...cells: ReadonlyArray<string | number>): string => `| ${cells.join(" | ")} |`
const head = (...cells: ReadonlyArray<string>): ReadonlyArray<string> => [
  line(...cells),
  line(...cells.map(() => "---"))
]

const byBug = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  ...head("planted bug", "law", "first caught", "caught in", "other laws that broke"),
  ...rows.map((row) =>
    row.first === undefined
      ? line(row.mutant.name, row.mutant.law, "**escaped**", row.why ?? "", row.laws.join(", "))
      : line(
          row.mutant.name,
          row.mutant.law,
          `seed ${row.first.seed}, ${row.first.profile}`,
          `${row.caught} of ${row.run}${isRare(row) ? " (rare)" : ""}`,
          row.laws.filter((law) => law !== row.mutant.law).join(", ")
        )
  )
]

const names = (rows: ReadonlyArray<Row>): string =>
  rows.map((row) => (row.first === undefined ? `**${row.mutant.name}** (escaped)` : row.mutant.name)).join("; ")

const byLaw = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  ...head("law", "caught", "bugs"),
  ...Object.keys(texts).map((law) => {
    const own = rows.filter((row) => row.mutant.law === law)
    return line(law, own.filter((row) => row.first !== undefined).length, names(own))
  })
]

const byComplaint = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  ...head("", "what users of such connectors suffer from", "bugs"),
  ...complaints.map((text, index) =>
    line(index + 1, text, names(rows.filter((row) => row.mutant.complaint === index + 1)))
  )
]

export const print = (rows: ReadonlyArray<Row>): string =>
  [...byBug(rows), "", ...byLaw(rows), "", ...byComplaint(rows)].join("\n")

/** What is missing for the whole list to be good. */
export const lacking = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const caught = rows.filter((row) => row.first !== undefined)
  return [
    ...promised
      .filter((law) => caught.filter((row) => row.mutant.law === law).length < 2)
      .map((law) => `law ${law} caught fewer than two bugs`),
    ...complaints.flatMap((_, index) =>
      caught.some((row) => row.mutant.complaint === index + 1) ? [] : [`no bug of complaint ${index + 1} was caught`]
    )
  ]
}

/** Bugs that show at once prove little of the seeds. */
export const tooEasy = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const rare = rows.filter(isRare).length
  return rare < 5 ? [`only ${rare} bugs are rare (caught by fewer than one seed in ten)`] : []
}
