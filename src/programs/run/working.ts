/** The paid work of the accounts that a program has on the line, beside their chats. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as AccountTasks from "../../layers/channel/AccountTasks.ts"
import * as LiveWorker from "../../layers/channel/LiveWorker.ts"
import * as LiveWorking from "../../layers/channel/LiveWorking.ts"
import * as FileLock from "../../layers/files/FileLock.ts"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { Failure } from "../Failure.ts"

export interface Input {
  readonly work: "off" | "ask" | "auto"
  readonly workCategory: ReadonlyArray<string>
  readonly workMaxBounty: Option.Option<string>
  readonly workLimit: Option.Option<number>
}

export interface Options {
  /** Does the tasks. */
  readonly agent: AgentRuntime["Service"]
  /** `.insta`, or where else the accounts are. */
  readonly root: string
  readonly settings: Settings
  readonly lookEvery: Duration.Input
}

/** One program works with a profile: two would take each other's tasks for their own. */
export const claim = (folder: string) =>
  FileLock.hold(`${folder}/work.lock`, { wait: 0 }).pipe(
    Effect.mapError(
      (error) =>
        new Failure({
          message:
            error._tag === "Held"
              ? `${error.owner} works with this profile already. Stop it first.`
              : `${folder} cannot be written. Mend its permissions, or free some space.`
        })
    )
  )

/** `undefined`: no work is looked for. */
export const make = Effect.fnUntraced(
  function* (input: Input, accounts: Accounts["Service"], options: Options) {
    const { work } = input
    if (work === "off") return undefined
    const { lookEvery, root, settings } = options
    const worker = Effect.fnUntraced(function* (account: Account) {
      const folder = AccountFolders.rootOf(root, account.id)
      const line = SubscriptionRef.get(account.line)
      const desk = yield* AccountTasks.make({ line, settings, folder })
      const market = Effect.gen(function* () {
        const now = yield* line
        const found = yield* desk
        return Option.all({ line: now, desk: found })
      })
      return yield* LiveWorker.make({
        mode: work,
        accountId: account.id,
        folder: `${folder}/work`,
        uid: process.getuid?.(),
        systemPrompt: settings.systemPrompt,
        limits: {
          categories: [...new Set(input.workCategory)],
          maxBounty: Option.getOrUndefined(input.workMaxBounty)
        },
        concurrency: 1,
        limit: Option.getOrUndefined(input.workLimit),
        lookEvery,
        claim: claim(folder).pipe(Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])),
        market: Effect.map(
          market,
          Option.map(({ desk, line }) => ({ api: desk.api, clawId: line.profile.claw_id }))
        )
      })
    })
    return yield* LiveWorking.make(accounts, worker)
  },
  (self, _input, _accounts, { agent }) =>
    self.pipe(
      Effect.provideService(AgentRuntime, agent),
      Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])
    )
)
