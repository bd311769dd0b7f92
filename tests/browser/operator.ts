/** The operator's place on an agent's own control server, over accounts whose every state the test sets. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BrowserContextOptions } from "playwright-core"
import * as ControlDesk from "../../src/layers/channel/ControlDesk.ts"
import * as ControlServer from "../../src/layers/channel/ControlServer.ts"
import * as Methods from "../../src/layers/channel/Methods.ts"
import type { ConnectionState } from "../../src/services/channel/Connection.ts"
import type { AccountView, Snapshot } from "../../src/services/channel/Control.ts"
import type { WorkState, Working } from "../../src/services/channel/Working.ts"
import type { RegistrationState } from "../../src/services/channel/Registration.ts"
import * as scripted from "../layers/channel/control/scripted.ts"
import { launch } from "./chromium.ts"
import type { Window } from "./stage.ts"
import { buildPage, openWindow, wire } from "./stage.ts"

export const token = "test-token-of-the-control-page-0000000000000"

export const settings: Snapshot["settings"] = [
  {
    name: "INSTACLAW_WS_URL",
    value: "ws://127.0.0.1:8787/ws/chat",
    source: "flag",
    description: "The platform's socket."
  },
  {
    name: "INSTACLAW_HEARTBEAT_INTERVAL",
    value: "30000",
    source: "default",
    description: "Milliseconds between two pings. Three without an answer end the link."
  },
  {
    name: "OPENAI_API_KEY",
    value: "set",
    source: "environment",
    description: "The key of the model's provider. Without one the offline agent answers."
  },
  { name: "MAX_CONCURRENT_REQUESTS", value: "4", source: "file", description: "How many replies run at once." },
  { name: "CLAWFIBER_TOKEN", value: "not set", source: "default", description: "Your own token or key on a platform." }
]

export interface OperatorStage {
  /** Where the browser goes. */
  readonly page: string
  readonly accounts: ReadonlyArray<scripted.Scripted>
  /** The first one. */
  readonly one: scripted.Scripted
  readonly set: (state: RegistrationState) => void
  readonly connection: (patch: Partial<ConnectionState>) => void
  readonly onLine: (since: number) => void
  /** The last hour: what the recorder has seen is not shown. */
  readonly hour: (samples: AccountView["samples"]) => void
  /** The paid work of the first account; undefined: it looks for none. */
  readonly work: (state: WorkState | undefined) => void
  /** What the operator wanted of the work, in words. */
  readonly worked: Array<string>
  readonly cut: () => void
  readonly mend: () => void
  /** Opens at the operator's place; with the token unless said otherwise. */
  readonly window: (options?: BrowserContextOptions, at?: string) => Promise<Window>
  readonly close: () => Promise<void>
}

export const pending = (id = "p1", proposal = scripted.proposal): RegistrationState => ({
  _tag: "pending",
  proposal,
  proposalId: id,
  proposedAt: Date.now(),
  setback: undefined
})

/** The recorder cannot look back: an hour of it would take an hour. */
const withSamples = (desk: ControlDesk.ControlDesk, samples: () => AccountView["samples"]): ControlDesk.ControlDesk => {
  const shown = (view: AccountView): AccountView => ({ ...view, samples: samples() })
  return {
    ...desk,
    view: (account, detailed) => Effect.map(desk.view(account, detailed), shown),
    snapshot: (chosen) =>
      Effect.map(desk.snapshot(chosen), (snapshot) => ({ ...snapshot, accounts: snapshot.accounts.map(shown) }))
  }
}

export const setOperatorStage = async (ids: ReadonlyArray<string> = ["default"]): Promise<OperatorStage> => {
  const folder = await mkdtemp(join(tmpdir(), "clawfiber-operator-"))
  const [browser] = await Promise.all([launch(), buildPage(folder)])
  const scope = Scope.makeUnsafe()
  const work: { state: WorkState | undefined } = { state: undefined }
  const worked: Array<string> = []
  const did = (what: string) => Effect.sync(() => worked.push(what) > 0)
  const working: Working["Service"] = {
    of: (id) =>
      Effect.sync(() => {
        const { state } = work
        if (state === undefined || id !== ids[0]) return undefined
        return {
          state: Effect.succeed(state),
          look: Effect.asVoid(did("look")),
          answer: (taskId, take) => did(`${take ? "take" : "decline"} ${taskId}`),
          stop: (taskId) => did(`stop ${taskId}`)
        }
      })
  }
  const samples: { shown: AccountView["samples"] } = { shown: [] }
  const made = await Effect.runPromise(
    Scope.provide(
      Effect.gen(function* () {
        const all = yield* Effect.forEach(ids, (id) => scripted.account(id))
        const desk = withSamples(yield* ControlDesk.make({ version: "0.1.0", settings }), () => samples.shown)
        const accounts = yield* scripted.accounts(all)
        const other = scripted.methods(all, () => Date.now())
        const { call } = Methods.make(accounts, working)
        desk.attach(
          accounts,
          (method, params) => (method.startsWith("instaclaw.work.") ? call(method, params) : other(method, params)),
          working
        )
        const server = yield* ControlServer.make({ desk, token: Redacted.make(token), port: 0, uiRoot: folder })
        return { all, server }
      }),
      scope
    )
  )
  const [one] = made.all
  if (one === undefined) throw new Error("there is no account")
  const line = await wire(made.server.port)
  const page = `http://127.0.0.1:${line.port}`
  const run = (effect: Effect.Effect<void>) => void Effect.runSync(effect)
  return {
    page,
    accounts: made.all,
    one,
    set: (state) => run(SubscriptionRef.set(one.registration, state)),
    connection: (patch) => run(SubscriptionRef.update(one.connection, (state) => ({ ...state, ...patch }))),
    onLine: (since) => run(one.goOnLine(scripted.profileOf(scripted.proposal), since)),
    hour: (shown) => void (samples.shown = shown),
    work: (state) => void (work.state = state),
    worked,
    cut: line.cut,
    mend: line.mend,
    window: (options, at = `/#/agent?token=${token}`) => openWindow(browser, page, options, at),
    close: async () => {
      await browser.close()
      line.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await rm(folder, { recursive: true, force: true })
    }
  }
}
