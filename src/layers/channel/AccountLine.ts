/** The line of one account over the network: its connection, its dispatcher, its agent, put together. */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ForeignHost, type Line, LineFault, Unready } from "../../services/channel/Accounts.ts"
import { AgentError, AgentRuntime, Unavailable } from "../../services/channel/AgentRuntime.ts"
import type { Attachments } from "../../services/channel/Attachments.ts"
import { Connection } from "../../services/channel/Connection.ts"
import { Dispatcher, type DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import { Journal } from "../../services/channel/Journal.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { Transcripts } from "../../services/channel/Transcripts.ts"
import * as Account from "./Account.ts"
import type { ConnectRate } from "./ConnectRate.ts"
import * as FileTranscripts from "./FileTranscripts.ts"
import { LazyDispatcher } from "./LazyDispatcher.ts"
import * as PlatformAddress from "./PlatformAddress.ts"
import * as PlatformAttachments from "./PlatformAttachments.ts"
import * as StreamingDispatcher from "./StreamingDispatcher.ts"
import * as WsConnection from "./WsConnection.ts"

export interface Options {
  readonly profile: Profile
  /** The profile as it is by then. */
  readonly latest: () => Profile
  /** The folder of its key, as error texts name it. */
  readonly root: string
  readonly wsUrl: URL
  /**
   * The origin to which a key belongs that does not say so itself; `undefined`: the key may go to `wsUrl` whoever
   * issued it (law secret: only where the operator said so, or runs the platform).
   */
  readonly issuer: string | undefined
  readonly settings: Settings
  readonly rate: ConnectRate
  readonly runtime: Layer.Layer<AgentRuntime, AgentError, Attachments | Transcripts>
  /** The folder in which conversations are kept. */
  readonly transcripts: string
}

const unready = (detail: string) => new LineFault({ reason: new Unready({ detail }) })

/** What may be said of a profile beside the operator's own words. */
export const systemPromptOf = (
  settings: Settings,
  profile: Pick<Profile, "name" | "description">
): string | undefined => {
  const lines = [settings.systemPrompt, profile.name === "" ? undefined : `Your name is ${profile.name}.`]
  if (profile.description !== "") lines.push(`What you are for: ${profile.description}`)
  const text = lines.filter((line) => line !== undefined).join("\n\n")
  return text === "" ? undefined : text
}

const checkIssuer = ({ issuer, profile, root, wsUrl }: Options): Effect.Effect<void, LineFault> => {
  if (issuer === undefined) return Effect.void
  const platform = PlatformAddress.originOf(wsUrl)
  const from = profile.origin ?? issuer
  return PlatformAddress.sameOrigin(platform, from)
    ? Effect.void
    : Effect.fail(new LineFault({ reason: new ForeignHost({ root, issuer: from, platform }) }))
}

type Needs = Journal | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path

/** In words to whoever asks: the credentials are good, and the operator reads why in the log. */
const broken = (detail: string): Layer.Layer<AgentRuntime> => {
  const error = new AgentError({ reason: new Unavailable({ detail }) })
  return Layer.unwrap(
    Effect.as(
      Effect.logError(detail),
      Layer.succeed(AgentRuntime, { description: "no agent", model: "none", reply: () => Stream.fail(error) })
    )
  )
}

const dispatcherOptions = (options: Options): DispatcherOptions => {
  const { profile, settings } = options
  return {
    accountId: profile.claw_id,
    maxConcurrent: settings.maxConcurrent,
    maxQueued: settings.maxQueued,
    requestTimeout: settings.requestTimeout,
    stallTimeout: settings.stallTimeout,
    grace: settings.grace,
    deltaSize: settings.deltaSize,
    maxReplyCharacters: settings.maxFrameBytes,
    dialect: settings.dialect,
    get systemPrompt() {
      return systemPromptOf(settings, options.latest())
    },
    staleAfter: settings.staleAfter,
    rerunInterrupted: settings.rerunInterrupted
  }
}

/** The dispatcher with the agent and what that needs, for an account that has something to do. */
const dispatcherOf = (
  options: Options,
  connection: Connection["Service"]
): Effect.Effect<Dispatcher["Service"], never, Needs | Scope.Scope> => {
  const { profile, transcripts, wsUrl } = options
  const kept = Layer.effect(
    Transcripts,
    Effect.mapError(FileTranscripts.make({ folder: transcripts }), () =>
      unready(`${transcripts} cannot be written. Mend its permissions, or free some space.`)
    )
  )
  // Fresh: another account's would be taken else, with that account's conversations.
  const runtime = Layer.fresh(options.runtime).pipe(
    Layer.provide([
      kept,
      PlatformAttachments.layer({
        platformUrl: PlatformAddress.originOf(wsUrl),
        appKey: profile.app_key,
        appSecret: profile.app_secret
      })
    ]),
    Layer.catch((error) =>
      broken(error._tag === "AgentError" && "detail" in error.reason ? error.reason.detail : error.message)
    )
  )
  return Effect.map(
    Layer.build(
      StreamingDispatcher.layer(dispatcherOptions(options)).pipe(
        Layer.provide([runtime, Layer.succeed(Connection, connection)])
      )
    ),
    Context.get(Dispatcher)
  )
}

/** Begins to connect; how that goes is told by the connection's state. */
export const open = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Line, LineFault, Needs | Scope.Scope> {
  yield* checkIssuer(options)
  const { profile, settings, wsUrl } = options
  const context = yield* Effect.context<Needs | Scope.Scope>()
  const connection = yield* WsConnection.make({
    url: wsUrl.href,
    credentials: { appKey: profile.app_key, appSecret: profile.app_secret },
    // A platform that knows the header speaks the shortest dialect; one that does not speaks as it always did.
    headers: { "x-claw-dialect": "gateway" },
    heartbeatInterval: settings.heartbeatInterval,
    timeoutThreshold: settings.timeoutThreshold,
    maxFrameBytes: settings.maxFrameBytes,
    outboxBytes: settings.maxOutboxBytes,
    // Shorter than the time a program has to end.
    closeTimeout: "500 millis",
    rate: options.rate,
    name: profile.claw_id
  })
  const dispatcher = new LazyDispatcher({
    accountId: profile.claw_id,
    staleAfter: settings.staleAfter,
    journal: Context.get(context, Journal),
    make: () => Effect.provideContext(dispatcherOf(options, connection), context)
  })
  yield* Account.attend(connection, dispatcher)
  return { profile, url: wsUrl, connection, dispatcher }
})
