/** A backup, put in place. */
import * as Effect from "effect/Effect"
import * as ArchiveClient from "../../layers/platform/archive/ArchiveClient.ts"
import * as Restore from "../../layers/platform/archive/Restore.ts"
import type { Common } from "../Cli.ts"
import * as Output from "../Output.ts"
import * as keeping from "./keeping.ts"

export const run = (input: keeping.Input & Common & { readonly file: string; readonly force: boolean }) =>
  keeping.over(input, { access: "create", alone: true }, (place) =>
    Effect.gen(function* () {
      yield* ArchiveClient.idle(place.name)
      const progress = keeping.progress(input.json)
      const { createdAt, files, rows } = yield* Restore.read({
        ...place,
        file: input.file,
        force: input.force,
        onProgress: progress.tell
      }).pipe(Effect.ensuring(progress.clear))
      if (input.json)
        return yield* Output.event({ event: "restored", file: input.file, rows, files, created_at: createdAt })
      yield* Output.line(
        `${place.name} is as it was at ${createdAt}: ${keeping.count(rows, "row")} and ${keeping.count(files, "file")}.`
      )
    })
  )
