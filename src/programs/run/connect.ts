/** An agent on the line of any InstaClaw platform, with the profile in `.insta` of the working folder. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as FileLock from "../../layers/files/FileLock.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as agents from "./agents.ts"
import * as line from "./line.ts"
import * as registration from "./registration.ts"

export interface Input {
  readonly url: Option.Option<string>
  readonly register: Option.Option<string>
  readonly trustHost: boolean
  readonly agent: Option.Option<string>
  readonly exec: Option.Option<string>
  readonly sync: Option.Option<"normal" | "full">
}

const root = ".insta"

const fail = (message: string) => Effect.fail(new Failure({ message }))

const addresses = (url: string | undefined, settings: Settings) => {
  if (url === undefined) return Effect.succeed({ wsUrl: settings.wsUrl, profileCreateUrl: settings.profileCreateUrl })
  const parsed = PlatformAddress.parse(url)
  return parsed === undefined
    ? fail(`${url} is no address of a platform. Write it like https://claw.int-os.com.`)
    : Effect.succeed(PlatformAddress.derive(parsed))
}

/** A key is sent to the host that issued it and to no other, unless the operator says so (law secret). */
const checkOrigin = (profile: Profile, wsUrl: URL, input: Input, settings: Settings) => {
  const origin = PlatformAddress.originOf(wsUrl)
  // A profile of the seed does not say where it is from: the addresses in the settings do.
  const issuer = profile.origin ?? PlatformAddress.originOf(settings.wsUrl)
  return input.trustHost || PlatformAddress.sameOrigin(origin, issuer)
    ? Effect.void
    : fail(
        `The key in ${root} was issued by ${issuer}, and ${origin} is another host: it is not sent there. If you trust that host with it, add --trust-host.`
      )
}

const identity = Effect.fnUntraced(function* (input: Input, profileCreateUrl: URL) {
  const store = yield* ProfileStore
  const found = yield* store.load
  const name = Option.getOrUndefined(input.register)
  if (Option.isSome(found)) {
    if (name !== undefined) {
      yield* Effect.logInfo(
        `There is a profile in ${root} already (${found.value.name}): it is used, nothing is registered.`
      )
    }
    return found.value
  }
  if (name === undefined && !PlatformAddress.isLoopback(profileCreateUrl)) {
    return yield* fail(
      `There is no profile in ${root}/config/profile.json. Register with: clawfiber connect --register NAME, or put the profile there that the platform gave you.`
    )
  }
  const profile = yield* registration.register(
    profileCreateUrl,
    registration.proposal(name ?? (basename(process.cwd()) || "agent"), "")
  )
  yield* Effect.logInfo(
    `Registered as ${profile.name} (${profile.claw_id}). The key is in ${root}/config/profile.json.`
  )
  return profile
})

/** Two programs with one key would take the line from each other. */
const alone = FileLock.hold(`${root}/.line.lock`, { wait: 0 }).pipe(
  Effect.mapError((error) =>
    error._tag === "Held"
      ? new Failure({ message: `${error.owner} is on the line with this profile already. Stop it first.` })
      : new Failure({ message: `${root} cannot be written. Mend its permissions, or free some space.` })
  )
)

export const run = (input: Input & Common) =>
  withSettings({ json: input.json }, (settings, environment) =>
    Effect.gen(function* () {
      const { profileCreateUrl, wsUrl } = yield* addresses(Option.getOrUndefined(input.url), settings)
      if (!PlatformAddress.mayCarryKeys(wsUrl)) {
        return yield* fail(
          `${wsUrl.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`
        )
      }
      const chosen = yield* agents.choose({
        agent: Option.getOrUndefined(input.agent),
        exec: Option.getOrUndefined(input.exec),
        settings,
        environment
      })
      const profile = yield* identity(input, profileCreateUrl)
      yield* checkOrigin(profile, wsUrl, input, settings)
      yield* alone
      yield* Cli.serving
      return yield* Effect.gen(function* () {
        const runtime = yield* AgentRuntime
        yield* line.untilOnLine
        if (input.json) {
          yield* Output.event({
            event: "connected",
            url: wsUrl.href,
            claw_id: profile.claw_id,
            name: profile.name,
            agent: runtime.description
          })
        } else {
          yield* Output.line(`${profile.name} (${profile.claw_id}) is on the line at ${wsUrl.host}.`)
          yield* Output.line(`Answers:  ${runtime.description}`)
          if (chosen.note !== undefined) yield* Output.line(`          ${chosen.note}`)
          yield* Output.line("Ctrl-C ends it.")
        }
        return yield* line.untilBlocked
      }).pipe(
        Effect.provide(
          line.layer({
            profile,
            wsUrl,
            settings,
            runtime: chosen.runtime,
            transcripts: `${root}/transcripts`,
            journal: `${root}/journal.sqlite`,
            sync: Option.getOrUndefined(input.sync)
          })
        ),
        Effect.catchTag("AgentError", agents.inWords)
      )
    }).pipe(
      Effect.scoped,
      Effect.provide(FileProfileStore.layer({ root }).pipe(Layer.provideMerge(NodeFileSystem.layer)))
    )
  )
