/** The accounts of a folder as a program runs them: their files, their registrars, their lines, over one journal. */
import { setFlagsFromString } from "node:v8"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as AccountLine from "../../layers/channel/AccountLine.ts"
import * as ConnectRate from "../../layers/channel/ConnectRate.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as HttpProfileApi from "../../layers/channel/HttpProfileApi.ts"
import * as LiveAccounts from "../../layers/channel/LiveAccounts.ts"
import * as LoopRegistrar from "../../layers/channel/LoopRegistrar.ts"
import * as QuietRegistrar from "../../layers/channel/QuietRegistrar.ts"
import * as SqlJournal from "../../layers/channel/SqlJournal.ts"
import * as FileLock from "../../layers/files/FileLock.ts"
import * as Rounds from "../../layers/files/Rounds.ts"
import type { DatabaseError } from "../../layers/sql/DatabaseError.ts"
import { type Account, InUse, LineFault, Unready } from "../../services/channel/Accounts.ts"
import type { Journal } from "../../services/channel/Journal.ts"
import type { ProfileApi } from "../../services/channel/ProfileApi.ts"
import { Registrar } from "../../services/channel/Registrar.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { Failure } from "../Failure.ts"
import type { Runtime } from "./agents.ts"

export interface Options {
  /** `.insta`, or where else the accounts are. */
  readonly root: string
  /** The accounts there are at this moment. */
  readonly ids: Effect.Effect<ReadonlyArray<string>, never, FileSystem.FileSystem>
  readonly wsUrl: URL
  readonly profileCreateUrl: URL
  /** See `AccountLine.Options`. */
  readonly issuer: string | undefined
  readonly settings: Settings
  readonly agent: Account["agent"]
  readonly runtime: Runtime
  /** Asks the agent of this account who it is; `undefined`: nobody is asked. */
  readonly propose: (id: string) => LoopRegistrar.Options["propose"]
  /** Who these accounts are, where their folders do not say it. */
  readonly registrar?: ((id: string) => Layer.Layer<Registrar> | undefined) | undefined
  /** Wins over the setting. */
  readonly sync: "normal" | "full" | undefined
  /** How often is looked for accounts that came or went. 10 s by default. */
  readonly lookEvery?: Duration.Input | undefined
  /** Where `up` keeps them: beside the root. By default they are in it. */
  readonly beside?: string | undefined
}

/** Above so many accounts their locks are renewed more seldom: each renewal is a file written. */
const many = 50

/**
 * While many accounts begin, V8 lets its young generation grow to a hundred megabytes of resident memory and keeps them
 * (Node 24), though idle accounts need none of it: from here on it stays as large as it is, about thirty.
 */
const keepYoungSmall = Effect.sync(() => setFlagsFromString("--semi-space-growth-factor=1"))

/** As they are, and in a process of many no more memory than they need. */
const idsOf = ({ ids }: Options) => Effect.tap(ids, (found) => (found.length > many ? keepYoungSmall : Effect.void))

const hold = Effect.fnUntraced(function* (root: string, options: FileLock.Options = {}) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(root, { recursive: true, mode: 0o700 })
  yield* FileLock.hold(`${root}/.line.lock`, { ...options, wait: 0 })
})

/** Two programs with one key would take the line from each other. */
const claim = (root: string, options: FileLock.Options) =>
  Effect.mapError(hold(root, options), (error) => {
    const reason =
      error._tag === "Held"
        ? new InUse({ owner: error.owner })
        : new Unready({ detail: `${root} cannot be written. Mend its permissions, or free some space.` })
    return new LineFault({ reason })
  })

/** Who has a lock of these accounts. */
const ownerOf = Effect.fnUntraced(function* (roots: ReadonlyArray<string>) {
  for (const root of roots) {
    const held = yield* Effect.flip(Effect.scoped(hold(root))).pipe(Effect.option)
    if (held._tag === "Some" && held.value._tag === "Held") return held.value.owner
  }
  return undefined
})

/** A journal in use is the sign of another program on these accounts: it is told by its lock. */
export const inUse =
  ({ ids, root }: Pick<Options, "ids" | "root">) =>
  (error: DatabaseError) =>
    Effect.gen(function* () {
      if (error.reason !== "Locked") return yield* error
      const owner = yield* ownerOf((yield* ids).map((id) => AccountFolders.rootOf(root, id)))
      return yield* new Failure({
        message:
          owner === undefined
            ? `Another program runs accounts of ${root} already, and their journal with them. Stop it first, or run all of them with one command.`
            : new LineFault({ reason: new InUse({ owner }) }).message
      })
    })

const journal = ({ beside, root, settings, sync }: Options) =>
  SqlJournal.layerFile({
    filename: `${beside ?? root}/journal.sqlite`,
    durability: sync ?? settings.sync,
    maxAge: settings.journalMaxAge,
    maxEntries: settings.journalMaxEntries
  })

type Needs = FileSystem.FileSystem | Path.Path | Journal | ProfileApi | SecureRandom.SecureRandom

const layers = (options: Options) => {
  const { beside, profileCreateUrl, root, settings, wsUrl } = options
  return Layer.unwrap(
    Effect.gen(function* () {
      const rate = yield* ConnectRate.make(settings.connectRate)
      const expiry = (yield* options.ids).length > many ? Duration.minutes(5) : Duration.seconds(30)
      const rounds = yield* Rounds.make(Duration.divideUnsafe(expiry, 3))
      const looks = yield* Rounds.make(settings.registrationInterval)
      return LiveAccounts.layer<Needs>({
        ids: idsOf(options),
        lookEvery: options.lookEvery,
        agent: options.agent,
        registrar: (id) => {
          const given = options.registrar?.(id)
          if (given !== undefined) return Effect.map(Layer.build(Layer.fresh(given)), Context.get(Registrar))
          return QuietRegistrar.over<ProfileApi | SecureRandom.SecureRandom>({
            root: AccountFolders.rootOf(root, id),
            rounds: looks,
            store: (root) => FileProfileStore.layer({ root }),
            whole: () =>
              LoopRegistrar.layer({
                propose: options.propose(id),
                interval: settings.registrationInterval,
                cooldown: settings.registrationCooldown
              })
          })
        },
        claim: (id) => claim(AccountFolders.rootOf(root, id), { expiry, rounds }),
        open: (id, profile, latest) => {
          const own = AccountFolders.rootOf(root, id)
          return AccountLine.open({
            profile,
            latest,
            root: own,
            wsUrl,
            issuer: options.issuer,
            settings,
            rate,
            runtime: options.runtime,
            transcripts: `${id === AccountFolders.defaultId ? (beside ?? own) : own}/transcripts`
          })
        }
      }).pipe(
        Layer.provide([
          HttpProfileApi.layer({ url: profileCreateUrl }).pipe(Layer.provide(FetchHttpClient.layer)),
          SecureRandom.layerWebCrypto
        ])
      )
    })
  )
}

/** With the journal: what else a program answers is kept in the same one. */
export const layer = (options: Options) =>
  layers(options).pipe(Layer.provideMerge(journal(options)), Layer.provide([NodeFileSystem.layer, NodePath.layer]))
