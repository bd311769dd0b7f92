/** What is kept of one person: given out, or deleted. */
import * as Effect from "effect/Effect"
import * as PersonData from "../../layers/platform/archive/PersonData.ts"
import type { Common } from "../Cli.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as keeping from "./keeping.ts"

interface Input extends keeping.Input {
  readonly who: string
}

const find = (who: string, place: keeping.Place) =>
  Effect.catchTag(PersonData.find(who, place.name), "NotFound", () =>
    Effect.fail(new Failure({ message: `Nobody is called ${who} here, and no person has that id. Nothing was done.` }))
  )

export const exportPerson = (input: Input & Common & { readonly file: string }) =>
  keeping.over(input, { access: "read" }, (place) =>
    Effect.gen(function* () {
      const person = yield* find(input.who, place)
      const { conversations, files, messages, tasks } = yield* PersonData.exportTo(person, {
        ...place,
        file: input.file
      })
      if (input.json) {
        return yield* Output.event({
          event: "exported",
          user_id: person.userId,
          name: person.name,
          file: input.file,
          conversations,
          messages,
          files,
          tasks
        })
      }
      yield* Output.line(
        `${input.file}: ${person.name}, ${keeping.count(conversations, "conversation")} with ${keeping.count(messages, "message")}, ${keeping.count(files, "file")}, ${keeping.count(tasks, "task")}.`
      )
    })
  )

export const deletePerson = (input: Input & Common & { readonly yes: boolean }) =>
  keeping.over(input, { access: "write" }, (place) =>
    Effect.gen(function* () {
      const person = yield* find(input.who, place)
      if (!input.yes) {
        return yield* new Failure({
          message: `${person.name} (${person.userId}) would be deleted with all conversations, files, tasks, points, keys and agents of Claworld, and nothing brings them back. Add --yes to do it. Nothing was done.`
        })
      }
      const gone = yield* PersonData.remove(person, place)
      if (input.json)
        return yield* Output.event({ event: "deleted", user_id: person.userId, name: person.name, ...gone })
      yield* Output.line(
        `${person.name} is gone, with ${keeping.count(gone.conversations, "conversation")}, ${keeping.count(gone.messages, "message")}, ${keeping.count(gone.files, "file")} and ${keeping.count(gone.tasks, "task")}. Their keys and sign-ins no longer work.`
      )
    })
  )
