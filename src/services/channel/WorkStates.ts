/**
 * The states of the work on one task (services/channel/Work). Pure, and without schemas, so that the page can read them
 * too.
 *
 * chosen → asking → grabbing → grabbed → doing → collecting → archiving → uploading → submitting → reported; before the
 * grab it may be `declined`, after it given back (releasing → released) or lost (`failed`).
 */
export const states = [
  "chosen",
  "asking",
  "grabbing",
  "grabbed",
  "doing",
  "collecting",
  "archiving",
  "uploading",
  "submitting",
  "releasing",
  "reported",
  "released",
  "failed",
  "declined"
] as const
export type State = (typeof states)[number]
