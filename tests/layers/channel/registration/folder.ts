import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** Contents of files by their path. */
export type Content = Readonly<Record<string, string | Uint8Array>>

/** A folder with these files, as long as the scope lives. */
export const folderOf = Effect.fnUntraced(function* (content: Content, name = "my-agent") {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(yield* fs.makeTempDirectoryScoped(), name)
  yield* fs.makeDirectory(folder)
  for (const [file, bytes] of Object.entries(content)) {
    const at = path.join(folder, file)
    yield* fs.makeDirectory(path.dirname(at), { recursive: true })
    yield* fs.writeFile(at, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes)
  }
  return folder
})
