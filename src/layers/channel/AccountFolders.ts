/** Where the accounts of a working folder are: `default` in `.insta` itself, every other in `.insta/accounts/<id>`. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** The account of `.insta` itself. */
export const defaultId = "default"

/** A name of a folder that is one everywhere, and no way out of it. */
export const isId = (id: string): boolean => /^[A-Za-z0-9][\w.-]{0,63}$/.test(id) && !id.endsWith(".")

/** @param root `.insta`, or where else all of it is. */
export const rootOf = (root: string, id: string): string => (id === defaultId ? root : `${root}/accounts/${id}`)

/** What makes a folder more than an empty one. */
const marks = ["config/profile.json", "pending.json", ".activate_session"]

/**
 * The accounts that there are, in the order of their names. `default` is among them where it has something to go on,
 * and where there is no other.
 */
export const find = Effect.fnUntraced(function* (
  root: string
): Effect.fn.Return<ReadonlyArray<string>, never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory(`${root}/accounts`), (): Array<string> => [])
  const others = yield* Effect.filter(
    names.filter((name) => name !== defaultId && isId(name)).toSorted(),
    (name) =>
      Effect.match(fs.stat(`${root}/accounts/${name}`), {
        onFailure: () => false,
        onSuccess: ({ type }) => type === "Directory"
      }),
    { concurrency: 32 }
  )
  if (others.length === 0) return [defaultId]
  for (const mark of marks) {
    if (yield* Effect.orElseSucceed(fs.exists(`${root}/${mark}`), () => false)) return [defaultId, ...others]
  }
  return others
})
