/** What a person writes of a task: as it stands in the fields, what is wrong with it, and what is sent. Pure. */
import { amount as shape, bounds, toHundredths } from "../../../../services/protocol/MarketWords.ts"
import type { TaskDetail } from "./model.ts"

export interface Values {
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: string
  /** As the browser's field has it, in the person's own time: `2027-01-31T14:00`; empty: none. */
  readonly deadline: string
}
export type Field = keyof Values | "input_files"

/** From top to bottom. */
export const order: ReadonlyArray<Field> = ["title", "description", "category", "bounty", "deadline", "input_files"]

export type FaultCode =
  | "title.empty"
  | "title.long"
  | "description.empty"
  | "description.long"
  | "category.empty"
  | "bounty.shape"
  | "bounty.nothing"
  | "bounty.large"
  | "bounty.points"
  | "deadline.shape"
  | "deadline.past"
  | "deadline.far"
  | "files.waiting"

export type Faults = Readonly<Partial<Record<Field, FaultCode>>>

export const empty: Values = { title: "", description: "", category: "", bounty: "", deadline: "" }

/** Full-width digits and a stop of another keyboard are meant as the plain ones; so is a comma between two digits. */
const plainAmount = (text: string): string =>
  text
    .normalize("NFKC")
    .trim()
    .replace(/[。．]/g, ".")
    .replace(/^(\d+),(\d{1,2})$/, "$1.$2")

const isAmount = (text: string): boolean => shape.test(text)
const most = toHundredths(bounds.bounty)

const bountyFault = (text: string, points: string | undefined): FaultCode | undefined => {
  const amount = plainAmount(text)
  if (!isAmount(amount)) return /^\d{10,}(?:\.\d{1,2})?$/.test(amount) ? "bounty.large" : "bounty.shape"
  const hundredths = toHundredths(amount)
  if (hundredths === 0n) return "bounty.nothing"
  if (hundredths > most) return "bounty.large"
  return points !== undefined && hundredths > toHundredths(points) ? "bounty.points" : undefined
}

export const timeOf = (deadline: string): number | undefined => {
  const time = deadline === "" ? Number.NaN : new Date(deadline).getTime()
  return Number.isNaN(time) ? undefined : time
}

const two = (value: number): string => String(value).padStart(2, "0")

/** What the browser's field takes. */
export const fieldOf = (at: number): string => {
  const date = new Date(at)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`
}

/** A deadline that nobody touched is not looked at again. */
const deadlineFault = (deadline: string, now: number, before: string): FaultCode | undefined => {
  if (deadline === "" || deadline === before) return undefined
  const at = timeOf(deadline)
  if (at === undefined) return "deadline.shape"
  if (at <= now) return "deadline.past"
  return at > now + bounds.deadline ? "deadline.far" : undefined
}

/** `points`: what there is for a bounty, reserved ones of this task included; undefined: not known. */
export const check = (
  values: Values,
  known: { readonly now: number; readonly points: string | undefined; readonly before?: Values | undefined }
): Faults => {
  const found: Partial<Record<Field, FaultCode>> = {}
  const title = values.title.trim()
  if (title === "") found.title = "title.empty"
  else if (title.length > bounds.title) found.title = "title.long"
  const description = values.description.trim()
  if (description === "") found.description = "description.empty"
  else if (description.length > bounds.description) found.description = "description.long"
  if (!/^\d{5}$/.test(values.category)) found.category = "category.empty"
  const bounty = bountyFault(values.bounty, known.points)
  if (bounty !== undefined) found.bounty = bounty
  const deadline = deadlineFault(values.deadline, known.now, known.before?.deadline ?? "")
  if (deadline !== undefined) found.deadline = deadline
  return found
}

export const bodyOf = (values: Values, files: ReadonlyArray<string>) => ({
  title: values.title.trim(),
  description: values.description.trim(),
  category: values.category,
  bounty: plainAmount(values.bounty),
  deadline: timeOf(values.deadline) ?? null,
  input_files: files
})

export const valuesOf = (task: TaskDetail): Values => ({
  title: task.title,
  description: task.description,
  category: task.category,
  bounty: task.bounty,
  deadline: task.deadline === undefined ? "" : fieldOf(task.deadline)
})

/** What the person changed; what they did not touch is not sent, so that two windows do not undo each other. */
export const changesOf = (
  before: Values,
  after: Values,
  files: { readonly before: ReadonlyArray<string>; readonly after: ReadonlyArray<string> }
): Partial<ReturnType<typeof bodyOf>> => {
  const body = bodyOf(after, files.after)
  const same = files.before.length === files.after.length && files.before.every((id, at) => id === files.after[at])
  return {
    ...(before.title === after.title ? {} : { title: body.title }),
    ...(before.description === after.description ? {} : { description: body.description }),
    ...(before.category === after.category ? {} : { category: body.category }),
    ...(before.bounty === after.bounty ? {} : { bounty: body.bounty }),
    ...(before.deadline === after.deadline ? {} : { deadline: body.deadline }),
    ...(same ? {} : { input_files: files.after })
  }
}

/** What the person may offer while they edit: what they have, and what this task holds already. */
export const pointsWith = (balance: string, reserved: string): string | undefined => {
  if (!isAmount(reserved) || !/^\d+(?:\.\d{1,2})?$/.test(balance)) return undefined
  const sum = toHundredths(balance) + toHundredths(reserved)
  return `${sum / 100n}.${two(Number(sum % 100n))}`
}
