/** The accounts of a program in Claworld: each that has an identity there is on the line there too. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import { systemPromptOf } from "../../layers/channel/AccountLine.ts"
import * as FileTranscripts from "../../layers/channel/FileTranscripts.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as PlatformAttachments from "../../layers/channel/PlatformAttachments.ts"
import { version } from "../../layers/version.ts"
import * as activation from "../../layers/worlds/activation.ts"
import * as FileWorldIdentities from "../../layers/worlds/FileWorldIdentities.ts"
import * as Mingle from "../../layers/worlds/Mingle.ts"
import * as WorldLine from "../../layers/worlds/WorldLine.ts"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { EntryProfile } from "../../services/protocol/EntryProfile.ts"
import type { InWorlds, WorldSeat } from "../../services/worlds/InWorlds.ts"
import type { Handled } from "../../services/worlds/Relay.ts"
import { WorldIdentities, type WorldIdentity } from "../../services/worlds/Identity.ts"
import type { Runtime } from "./agents.ts"
import * as proposals from "./proposals.ts"

export interface Options {
  /** `.insta`, or where else the accounts are. */
  readonly root: string
  readonly runtime: Runtime
  readonly settings: Settings
  /**
   * Where an account without an identity gets one by itself: a service on this machine. Elsewhere a person does that
   * (`clawfiber worlds activate`).
   */
  readonly serverUrl: URL | undefined
  /** This program runs the service itself, on whatever port there was: identities move there with it. */
  readonly isOwn?: boolean | undefined
  /** An identity that somebody made while this program runs is taken up after so long. */
  readonly lookEvery: Duration.Input
  /** Accounts that go among people by themselves: what they say of themselves, and want to talk about. */
  readonly mingle?:
    | ((id: string) => { readonly answers: EntryProfile; readonly opening: string } | undefined)
    | undefined
}

/** Of the accounts that are in Claworld; all others have nothing here, and cost nothing but a look now and then. */
export interface Seats {
  readonly lines: Effect.Effect<ReadonlyArray<readonly [accountId: string, WorldLine.WorldLine]>>
}

export const noIdentity = (accountId: string): string =>
  `The account ${accountId} has no identity in Claworld yet. Its operator makes one with: clawfiber worlds activate`

/** The identity on disk, or a new one where this machine's own service gives one to anybody. */
const identityOf = Effect.fnUntraced(function* (account: Account, { isOwn, serverUrl }: Options) {
  const identities = yield* WorldIdentities
  const found = yield* identities.load(account.id)
  if (Option.isSome(found) && isOwn === true && serverUrl !== undefined && found.value.serverUrl !== serverUrl.href) {
    const moved = { ...found.value, serverUrl: serverUrl.href }
    yield* identities.save(account.id, moved)
    return Option.some(moved)
  }
  if (Option.isSome(found) || serverUrl === undefined || !PlatformAddress.isLoopback(serverUrl)) return found
  const line = yield* SubscriptionRef.get(account.line)
  // Under the name that it is registered by; so not before it is.
  if (Option.isNone(line)) return Option.none()
  const { name } = line.value.profile
  const made = yield* activation.activate({ serverUrl, displayName: name === "" ? account.id : name })
  yield* identities.save(account.id, made)
  return Option.some(made)
})

/** The agent with a memory of its talks, apart from that of its chats. */
const agentOf = ({ root, runtime }: Options, id: string) =>
  Effect.map(
    Layer.build(
      Layer.fresh(runtime).pipe(
        Layer.provide([
          FileTranscripts.layer({ folder: `${AccountFolders.rootOf(root, id)}/worlds` }),
          PlatformAttachments.layerWithoutPlatform
        ])
      )
    ),
    Context.get(AgentRuntime)
  )

const sit = Effect.fnUntraced(function* (account: Account, identity: WorldIdentity, options: Options) {
  const profile = Option.getOrUndefined(yield* SubscriptionRef.get(account.line))?.profile
  const line = yield* WorldLine.open({
    accountId: account.id,
    identity,
    runtime: yield* agentOf(options, account.id),
    systemPrompt: systemPromptOf(options.settings, profile ?? proposals.named(identity.displayName)),
    version
  })
  yield* Effect.logInfo(`${identity.displayName} is in Claworld as ${identity.address}.`)
  const mingle = options.mingle?.(account.id)
  if (mingle !== undefined) {
    yield* Effect.forkScoped(
      Mingle.run({ agentId: identity.agentId, api: line.api, every: "3 seconds", most: 20, ...mingle })
    )
  }
  return line
})

/** Looks in the background for accounts that have an identity; one that fails is told of in the log, and tried again. */
export const make = Effect.fnUntraced(
  function* (accounts: Accounts["Service"], options: Options) {
    const scope = yield* Effect.scope
    const seats = new Map<string, { readonly line: WorldLine.WorldLine; readonly scope: Scope.Closeable }>()
    const reasons = new Map<string, string>()

    const failed = (account: Account, reason: string) =>
      Effect.suspend(() => {
        const isNew = reasons.get(account.id) !== reason
        reasons.set(account.id, reason)
        return isNew ? Effect.annotateLogs(Effect.logWarning(reason), { account: account.id }) : Effect.void
      })

    const open = Effect.fnUntraced(function* (account: Account) {
      const identity = yield* identityOf(account, options)
      if (Option.isNone(identity)) return
      const own = yield* Scope.fork(scope)
      const line = yield* Scope.provide(sit(account, identity.value, options), own).pipe(
        Effect.annotateLogs({ account: account.id }),
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
      seats.set(account.id, { line, scope: own })
      reasons.delete(account.id)
    })

    const look = Effect.gen(function* () {
      const all = yield* SubscriptionRef.get(accounts.all)
      const there = new Set(all.map(({ id }) => id))
      for (const [id, seat] of seats) {
        if (there.has(id)) continue
        seats.delete(id)
        yield* Scope.close(seat.scope, Exit.void)
      }
      for (const account of all) {
        if (seats.has(account.id)) continue
        yield* open(account).pipe(Effect.catch((error) => failed(account, error.message)))
      }
    })

    yield* look.pipe(
      Effect.catchDefect((defect) => Effect.logError("Looking after Claworld failed by a fault of our own.", defect)),
      Effect.andThen(Effect.sleep(options.lookEvery)),
      Effect.forever,
      Effect.forkScoped
    )
    const result: Seats = {
      lines: Effect.sync(() => Array.from(seats, ([id, { line }]) => [id, line] as const))
    }
    return result
  },
  (self, _accounts, options) =>
    self.pipe(
      Effect.provide([
        FileWorldIdentities.layer({ root: options.root }).pipe(Layer.provide(NodeFileSystem.layer)),
        FetchHttpClient.layer,
        SecureRandom.layerWebCrypto,
        NodeFileSystem.layer,
        NodePath.layer
      ])
    )
)

/** What the operator's page sees of these accounts. */
export const inWorlds = (seats: Seats): InWorlds["Service"] => ({
  of: (accountId) =>
    Effect.map(seats.lines, (lines): WorldSeat | undefined => {
      const line = lines.find(([id]) => id === accountId)?.[1]
      if (line === undefined) return undefined
      const { api, identity, relay } = line
      return {
        state: Effect.gen(function* () {
          const latest = new Map<string, Handled>()
          for (const one of yield* SubscriptionRef.get(relay.recent)) {
            if (!latest.has(one.conversationKey)) latest.set(one.conversationKey, one)
          }
          return {
            address: identity.address,
            displayName: identity.displayName,
            connection: yield* SubscriptionRef.get(relay.state),
            talks: [...latest.values()]
          }
        }),
        end: api.endConversation,
        block: (otherId) => api.block(identity.agentId, otherId)
      }
    })
})
