/**
 * What the host's agent says to people without having been asked (`openclaw message send`, its `message` tool, a
 * schedule), in the process that holds the line: who is meant, the file put on the platform, the words said once.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Outreach from "../../layers/channel/Outreach.ts"
import type { Desk } from "../../layers/channel/TaskHandlers.ts"
import type { Line } from "../../services/channel/Accounts.ts"
import { FileRefused, NoIdentity, OutreachError, PlatformAway } from "../../services/channel/Outreach.ts"
import type { TaskApiError } from "../../services/channel/TaskApi.ts"
import type { Correspondent, Said } from "../../services/protocol/Sayings.ts"

export interface Options {
  readonly line: Effect.Effect<Option.Option<Pick<Line, "profile" | "url">>>
  /** Uploads files under the account's keys. */
  readonly desk: Effect.Effect<Option.Option<Desk>>
  /** Where a file lies while it is sent. Made where it is not there. */
  readonly folder: string
}

export interface Saying {
  /** The id of a conversation or a person, or a person's name. */
  readonly target: string
  readonly text: string
  readonly file?: File | undefined
  /** Under one key it is said once. 1 to 200 visible characters. */
  readonly key: string
}

export interface File {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Speaking {
  /** Puts a file on the platform for those of a conversation, once under its key. Gives a link to it, as Markdown. */
  readonly put: (file: File, sessionId: string, key: string) => Effect.Effect<string, OutreachError>
  readonly people: Effect.Effect<ReadonlyArray<Correspondent>, OutreachError>
  readonly find: (target: string) => Effect.Effect<Correspondent, OutreachError>
  readonly say: (saying: Saying) => Effect.Effect<Said, OutreachError>
}

const failure = (reason: OutreachError["reason"]) => new OutreachError({ reason })

/** A name that is one of a file, here and wherever it is saved. */
const fileName = (name: string): string => {
  const own = name
    .slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1)
    .replace(/[\p{Cc}\p{Cf}<>:"|?*]+/gu, " ")
    .trim()
    .slice(-120)
  return own === "" || /^\.+$/.test(own) ? "file" : own
}

/** A link as Markdown whose words are the file's name, whatever it is. */
const linkTo = (name: string, url: string): string => `[${name.replace(/[[\]\\`]/g, " ")}](${url})`

const ofUpload = (error: TaskApiError): OutreachError =>
  error.reason._tag === "PlatformFailed" || error.reason._tag === "CircuitOpen"
    ? failure(new PlatformAway({ detail: error.message }))
    : failure(new FileRefused({ detail: error.message }))

export const make = ({ desk, folder, line }: Options): Speaking => {
  const outreach = Effect.gen(function* () {
    const found = yield* line
    if (Option.isNone(found)) return yield* failure(new NoIdentity({}))
    const { profile, url } = found.value
    return yield* Outreach.make({ url, appKey: profile.app_key, appSecret: profile.app_secret }).pipe(
      Effect.provide(NodeHttpClient.layerNodeHttp)
    )
  })

  const put: Speaking["put"] = Effect.fnUntraced(
    function* (file, sessionId, key) {
      const found = yield* desk
      if (Option.isNone(found)) return yield* failure(new NoIdentity({}))
      const fs = yield* FileSystem.FileSystem
      const path = yield* Effect.gen(function* () {
        yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
        const own = yield* fs.makeTempDirectoryScoped({ directory: folder })
        const path = `${own}/${fileName(file.name)}`
        yield* fs.writeFile(path, file.bytes, { mode: 0o600 })
        return path
      }).pipe(
        Effect.mapError(() =>
          failure(
            new FileRefused({ detail: `${fileName(file.name)} could not be kept for sending: is the disk full?` })
          )
        )
      )
      const { filename, url } = yield* Effect.mapError(
        found.value.api.upload({ path, to: { sessionId }, attempt: `${key.slice(0, 190)}.file` }),
        ofUpload
      )
      return linkTo(filename, url)
    },
    Effect.scoped,
    Effect.provide(NodeFileSystem.layer)
  )

  return {
    put,
    people: Effect.flatMap(outreach, ({ people }) => people),
    find: (target) => Effect.flatMap(outreach, ({ find }) => find(target)),
    say: Effect.fn("Speaking.say")(function* ({ file, key, target, text }) {
      const { find, say } = yield* outreach
      const { session_id: sessionId } = yield* find(target)
      const link = file === undefined ? undefined : yield* put(file, sessionId, key)
      const words = [text, link].filter((part) => part !== undefined && part.trim() !== "").join("\n\n")
      return yield* say({ sessionId, text: words, key })
    })
  }
}
