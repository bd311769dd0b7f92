/** The confirmation form in a terminal: look at the proposal, change its fields, register it or leave it. */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Registrar } from "../../services/channel/Registrar.ts"
import * as Output from "../Output.ts"
import * as fields from "./proposalFields.ts"

export interface Options {
  readonly registrar: Pick<Registrar["Service"], "submit" | "cancel">
  readonly start: fields.Draft
  readonly proposalId: string | undefined
}

type Choice = fields.Field | "register" | "drop" | "leave"

const titles: ReadonlyArray<readonly [fields.Field, string]> = [
  ["name", "Name"],
  ["description", "Description"],
  ["avatar", "Avatar"],
  ["scene_tags", "Scene tags"],
  ["custom_tags", "Your tags"],
  ["hourly_rate", "Hourly rate"],
  ["instance_type", "Type"]
]

const hints: Partial<Record<fields.Field, string>> = {
  description: " (Ctrl-U clears it; - for none)",
  avatar: " (an https address; - for none)",
  scene_tags: " (codes of five digits, with commas; - for none)",
  custom_tags: " (words, with commas; - for none)",
  hourly_rate: " (points)",
  instance_type: " (a whole number)"
}

const shown = (value: unknown): string => {
  const text = fields.write(value).replace(/\s+/gu, " ")
  if (text === "") return "(empty)"
  return text.startsWith("data:") ? "a picture" : text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const menu = (draft: fields.Draft, proposed: boolean) =>
  Prompt.Select<Choice>({
    message: "This is how the agent will introduce itself",
    maxPerPage: 12,
    choices: [
      { title: "Register it like this", value: "register" },
      ...titles.map(([field, title]) => ({ title: `Change ${title}: ${shown(draft[field])}`, value: field })),
      ...(proposed ? [{ title: "Drop this proposal; the agent makes another one later", value: "drop" as const }] : []),
      { title: "Leave it for now", value: "leave" }
    ]
  })

/** The prompt takes an empty line for the text it began with, so nothing has to be written somehow. */
const typed = (field: fields.Field, text: string): unknown => fields.read(field, text.trim() === "-" ? "" : text)

const edit = (draft: fields.Draft, field: fields.Field, title: string) =>
  Effect.map(
    Prompt.String({
      message: `${title}${hints[field] ?? ""}`,
      default: fields.write(draft[field]),
      validate: (text) => {
        const fault = fields.faultOf({ ...draft, [field]: typed(field, text) }, field)
        return fault === undefined ? Effect.succeed(text) : Effect.fail(fault)
      }
    }),
    (text): fields.Draft => ({ ...draft, [field]: typed(field, text) })
  )

/** `undefined`: nothing was registered. What the platform refuses is said, and can be changed. */
export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Profile | undefined, never, Prompt.Environment> {
  const { proposalId, registrar } = options
  let draft = options.start
  const round = Effect.gen(function* () {
    for (;;) {
      const choice = yield* menu(draft, proposalId !== undefined)
      if (choice === "leave") return undefined
      if (choice === "drop") {
        const dropped = yield* Effect.result(registrar.cancel({ proposalId }))
        if (dropped._tag === "Success") return undefined
        yield* Output.problem(dropped.failure.message)
      } else if (choice === "register") {
        const registered = yield* Effect.result(registrar.submit({ proposalId, proposal: draft }))
        if (registered._tag === "Success") return registered.success
        yield* Output.problem(registered.failure.message)
        const { _tag } = registered.failure.reason
        if (_tag === "AlreadyRegistered" || _tag === "NothingPending") return undefined
      } else {
        const title = titles.find(([field]) => field === choice)?.[1] ?? choice
        draft = yield* edit(draft, choice, title)
      }
    }
  })
  // Ctrl-C and Ctrl-D leave it as it is.
  return yield* Effect.catchTag(round, "QuitError", () => Effect.undefined)
})
