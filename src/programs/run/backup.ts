/** Everything that a platform keeps, into one file. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Backup from "../../layers/platform/archive/Backup.ts"
import type { Common } from "../Cli.ts"
import * as Output from "../Output.ts"
import * as keeping from "./keeping.ts"

export const run = (input: keeping.Input & Common & { readonly file: string }) =>
  keeping.over(input, { access: "read" }, (place) =>
    Effect.gen(function* () {
      const progress = keeping.progress(input.json)
      const { bytes, files, missing, rows } = yield* Backup.write({
        ...place,
        file: input.file,
        onProgress: progress.tell
      }).pipe(Effect.ensuring(progress.clear))
      const { size } = yield* Effect.orDie(Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(input.file)))
      if (missing > 0) {
        yield* Effect.logWarning(
          `The bytes of ${keeping.count(missing, "file")} are not in ${place.filesFolder}; the backup is without them.`
        )
      }
      if (input.json) {
        return yield* Output.event({
          event: "backup",
          file: input.file,
          rows,
          files,
          bytes,
          missing,
          size: Number(size)
        })
      }
      yield* Output.line(
        `${input.file}: ${keeping.count(rows, "row")} and ${keeping.count(files, "file")} of ${place.name}, ${keeping.sizeOf(Number(size))}. Whoever has it can sign in as anybody: keep it as you keep a key.`
      )
    })
  )
