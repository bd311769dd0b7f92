/**
 * The operator's token, `<root>/control.token` (or another file, for another door): 32 random bytes, 0600, the same from start to start so that the link
 * stays good. One that others could read is thrown away and drawn anew.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** The token cannot be kept: the folder is not ours, or the disk says no. */
export class TokenError extends Schema.TaggedError<TokenError>()("TokenError", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} cannot be read or written. Mend the permissions of its folder, or free some space.`
  }
}

const shape = /^[A-Za-z0-9_-]{43}$/

export const load = Effect.fn("ControlToken.load")(function* (
  root: string,
  name = "control.token"
): Effect.fn.Return<Redacted.Redacted<string>, TokenError, FileSystem.FileSystem | SecureRandom.SecureRandom> {
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const path = `${root}/${name}`
  const uid = process.getuid?.()

  const read = Effect.gen(function* () {
    const info = yield* fs.stat(path)
    const text = (yield* fs.readFileString(path)).trim()
    if (!shape.test(text)) return undefined
    if (uid === undefined) return text
    const ours = Option.isNone(info.uid) || info.uid.value === uid
    if (ours && (info.mode & 0o077) === 0) return text
    yield* Effect.logWarning(`${path} was open to other users of this machine. There is a new token, and a new link.`)
    return undefined
  }).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "NotFound",
      () => Effect.undefined
    )
  )

  const write = Effect.gen(function* () {
    const token = Base64Url.encode(yield* random.randomBytes(32))
    yield* fs.makeDirectory(root, { recursive: true, mode: 0o700 })
    const temporary = `${path}.${process.pid}.tmp`
    yield* fs.remove(temporary, { force: true })
    yield* fs.writeFileString(temporary, `${token}\n`, { flag: "wx", mode: 0o600 }).pipe(
      Effect.andThen(fs.rename(temporary, path)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
    return token
  })

  return yield* read.pipe(
    Effect.filterOrElse(
      (found): found is string => found !== undefined,
      () => write
    ),
    Effect.map((token) => Redacted.make(token, { label: "control token" })),
    Effect.mapError(() => new TokenError({ path }))
  )
})
