/**
 * Who one is on the platforms that one has signed in to from this folder: `.insta/people/<platform>.json`, one file for
 * each origin, 0600 in a folder of 0700, and sent to that origin alone (law secret).
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as profileFiles from "../../layers/channel/profileFiles.ts"
import { Failure } from "../Failure.ts"

export const defaultUrl = "http://127.0.0.1:8787"

const folder = ".insta/people"

const SignIn = Schema.Struct({
  origin: Schema.String,
  user_id: Schema.String,
  name: Schema.String,
  token: Schema.RedactedFromValue(Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,4096}$/)))
})
export type SignIn = typeof SignIn.Type

const Stored = Schema.fromJsonString(SignIn)
const decode = Schema.decodeUnknownResult(Stored)
const encode = Schema.encodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ ...SignIn.fields, token: Schema.String }))
)

const unkept = (detail: string) =>
  new Failure({ message: `The sign-in cannot be kept or read: ${detail} Mend that, and run: clawfiber sign-in` })

const files = Effect.map(FileSystem.FileSystem, (fs) => profileFiles.make(fs, process.getuid?.()))

const fileOf = (origin: string): string =>
  `${folder}/${origin.replace(/^https?:\/\//, "").replace(/[^\w.-]/g, "_")}.json`

const read = Effect.fnUntraced(function* (path: string) {
  const { read } = yield* files
  return yield* read(path, (text) =>
    Result.mapError(decode(text), () => "it holds no sign-in, or a damaged one; sign in again")
  ).pipe(Effect.mapError(({ message }) => unkept(message)))
})

/** The platform that an address names, as its files are called. */
export const originOf = (url: string): Effect.Effect<string, Failure> => {
  const parsed = PlatformAddress.parse(url)
  return parsed === undefined
    ? Effect.fail(new Failure({ message: `${url} is no address of a platform. Write it like ${defaultUrl}.` }))
    : Effect.succeed(PlatformAddress.originOf(parsed))
}

/** `None` where nobody signed in there from this folder. */
const find = Effect.fnUntraced(function* (url: string) {
  const origin = yield* originOf(url)
  const found = yield* read(fileOf(origin))
  return Option.filter(found, (one) => one.origin === origin)
}, Effect.provide(NodeFileSystem.layer))

export const tokenOf = (url: string) =>
  Effect.map(find(url), (found) => Option.getOrUndefined(Option.map(found, ({ token }) => token)))

/** The platform that is meant where none is named: the one that there is a sign-in of, or that of this machine. */
export const chosenUrl = Effect.fnUntraced(function* (given: Option.Option<string>) {
  if (Option.isSome(given)) return given.value
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): Array<string> => [])
  const [only, ...others] = names.filter((name) => name.endsWith(".json"))
  if (only === undefined || others.length > 0) return defaultUrl
  return Option.match(yield* read(`${folder}/${only}`), {
    onNone: () => defaultUrl,
    onSome: ({ origin }) => origin
  })
}, Effect.provide(NodeFileSystem.layer))

/** Gives the place where it is kept. */
export const keep = Effect.fnUntraced(function* (signIn: SignIn) {
  const { makeFolder, write } = yield* files
  const path = fileOf(signIn.origin)
  yield* makeFolder(".insta").pipe(
    Effect.andThen(makeFolder(folder)),
    Effect.mapError(({ message }) => unkept(message))
  )
  const text = encode({ ...signIn, token: Redacted.value(signIn.token) })
  yield* Effect.mapError(write(path, `${text}\n`), () => unkept(`${path} cannot be written.`))
  return path
}, Effect.provide(NodeFileSystem.layer))

/** `false`: there was none. */
export const forget = Effect.fnUntraced(function* (url: string) {
  const path = fileOf(yield* originOf(url))
  const fs = yield* FileSystem.FileSystem
  const { remove } = yield* files
  const was = yield* Effect.orElseSucceed(fs.exists(path), () => false)
  yield* Effect.mapError(remove(path), () => unkept(`${path} cannot be removed.`))
  return was
}, Effect.provide(NodeFileSystem.layer))
