/** One account on the line: its connection, its dispatcher, its agent, put together. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Account from "../../layers/channel/Account.ts"
import * as FileTranscripts from "../../layers/channel/FileTranscripts.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as PlatformAttachments from "../../layers/channel/PlatformAttachments.ts"
import * as SqlJournal from "../../layers/channel/SqlJournal.ts"
import * as WsConnection from "../../layers/channel/WsConnection.ts"
import { Connection, type ConnectionError } from "../../services/channel/Connection.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { Transcripts } from "../../services/channel/Transcripts.ts"
import { Failure } from "../Failure.ts"
import type { Runtime } from "./agents.ts"

export interface Options {
  readonly profile: Profile
  readonly wsUrl: URL
  readonly settings: Settings
  readonly runtime: Runtime
  /** Where conversations are kept. */
  readonly transcripts: string
  /** The file that says what was taken and how it ended. */
  readonly journal: string
  /** Wins over the setting. */
  readonly sync: "normal" | "full" | undefined
}

/** What may be said of a profile beside the operator's own words. */
const systemPromptOf = ({ profile, settings }: Options): string | undefined => {
  const lines = [settings.systemPrompt, profile.name === "" ? undefined : `Your name is ${profile.name}.`]
  if (profile.description !== "") lines.push(`What you are for: ${profile.description}`)
  const text = lines.filter((line) => line !== undefined).join("\n\n")
  return text === "" ? undefined : text
}

const transcripts = (folder: string) =>
  Layer.effect(
    Transcripts,
    Effect.mapError(
      FileTranscripts.make({ folder }),
      () => new Failure({ message: `${folder} cannot be written. Mend its permissions, or free some space.` })
    )
  ).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))

const journal = ({ journal, settings, sync }: Options) =>
  SqlJournal.layerFile({
    filename: journal,
    durability: sync ?? settings.sync,
    maxAge: settings.journalMaxAge,
    maxEntries: settings.journalMaxEntries
  })

export const layer = (options: Options) => {
  const { profile, settings, wsUrl } = options
  const credentials = { appKey: profile.app_key, appSecret: profile.app_secret }
  const connection = WsConnection.layer({
    url: wsUrl.href,
    credentials,
    // A platform that knows the header speaks the shortest dialect; one that does not speaks as it always did.
    headers: { "x-claw-dialect": "gateway" },
    heartbeatInterval: settings.heartbeatInterval,
    timeoutThreshold: settings.timeoutThreshold,
    maxFrameBytes: settings.maxFrameBytes,
    outboxBytes: settings.maxOutboxBytes,
    // Shorter than the time a program has to end.
    closeTimeout: "500 millis",
    name: profile.claw_id
  })
  const runtime = options.runtime.pipe(
    Layer.provide([
      transcripts(options.transcripts),
      PlatformAttachments.layer({ platformUrl: PlatformAddress.originOf(wsUrl), ...credentials })
    ])
  )
  return Account.layer({
    accountId: profile.claw_id,
    maxConcurrent: settings.maxConcurrent,
    maxQueued: settings.maxQueued,
    requestTimeout: settings.requestTimeout,
    stallTimeout: settings.stallTimeout,
    grace: settings.grace,
    deltaSize: settings.deltaSize,
    maxReplyCharacters: settings.maxFrameBytes,
    dialect: settings.dialect,
    systemPrompt: systemPromptOf(options),
    staleAfter: settings.staleAfter,
    rerunInterrupted: settings.rerunInterrupted
  }).pipe(Layer.provideMerge([connection, runtime]), Layer.provide([journal(options), SecureRandom.layerWebCrypto]))
}

/** Ends with the first connection; fails when the platform says what only a person can mend. */
export const untilOnLine: Effect.Effect<void, ConnectionError, Connection> = Effect.flatMap(Connection, ({ state }) =>
  SubscriptionRef.changes(state).pipe(
    Stream.filter(({ phase }) => phase === "connected" || phase === "blocked"),
    Stream.take(1),
    Stream.runForEach(({ lastFailure, phase }) =>
      phase === "blocked" && lastFailure !== undefined ? Effect.fail(lastFailure) : Effect.void
    )
  )
)

/** Never ends by itself; fails when the connection needs a person. Until then it mends itself. */
export const untilBlocked: Effect.Effect<never, ConnectionError, Connection> = Effect.flatMap(Connection, ({ state }) =>
  SubscriptionRef.changes(state).pipe(
    Stream.runForEach(({ lastFailure, phase }) =>
      phase === "blocked" && lastFailure !== undefined ? Effect.fail(lastFailure) : Effect.void
    ),
    Effect.andThen(Effect.never)
  )
)
