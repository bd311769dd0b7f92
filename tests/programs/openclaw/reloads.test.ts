/**
 * An account of the plugin, started and stopped fifty times against a real platform: nothing of it is left in the
 * process. The host is a small one here (tests/openclaw has the real one), so that what is counted is ours alone.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { EventEmitter, getEventListeners } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { queryObjects } from "node:v8"
import { WebSocket } from "ws"
import type { ChannelRuntime } from "../../../src/layers/channel/openclaw/Host.ts"
import { start } from "../../../src/programs/openclaw/account.ts"
import { resolveAccount } from "../../../src/programs/openclaw/config.ts"
import type { AccountStatus, GatewayContext, PluginRuntime } from "../../../src/programs/openclaw/host.ts"
import * as registry from "../../../src/programs/openclaw/registry.ts"
import { type Keys, Platform } from "../../openclaw/Platform.ts"

let platform: Platform
let keys: Keys
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "clawfiber-reloads-"))
  platform = await Platform.start()
  keys = await platform.register("Reloaded")
})

afterAll(async () => {
  await platform?.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

interface Dispatching {
  readonly delivery: { readonly deliver: (payload: object, info: object) => Promise<void> }
  readonly replyOptions: {
    readonly abortSignal: AbortSignal
    readonly onPartialReply: (payload: { readonly text: string }) => void
  }
}

/** Told of every dispatch that has begun and of every one that was aborted. */
const events = new EventEmitter()

/** Says one word; whether it ever ends is said by `endless`. */
const hostThat = (endless: () => boolean): PluginRuntime => {
  const dispatch = async (input: object) => {
    const { delivery, replyOptions } = input as Dispatching
    replyOptions.onPartialReply({ text: "Yes" })
    events.emit("begun")
    if (endless()) {
      await new Promise<void>((resolve) =>
        replyOptions.abortSignal.addEventListener("abort", () => resolve(), { once: true })
      )
      events.emit("aborted")
    } else await delivery.deliver({ text: "Yes." }, { kind: "final" })
    return { admission: { kind: "dispatch" }, dispatched: true }
  }
  const channel: ChannelRuntime = {
    routing: {
      resolveAgentRoute: ({ accountId, peer }) => ({
        agentId: "main",
        accountId,
        sessionKey: `agent:main:instaclaw:${accountId}:direct:${peer.id}`
      })
    },
    inbound: {
      ingress: { resolveStable: () => Promise.resolve({ ingress: { admission: "dispatch" } }) },
      buildContext: () => ({}),
      dispatch
    },
    pairing: {
      readAllowFromStore: () => Promise.resolve([]),
      upsertPairingRequest: () => Promise.resolve({ code: "CODE", created: true }),
      buildPairingReply: ({ code }) => code
    }
  }
  return {
    channel,
    state: { resolveStateDir: () => folder },
    agent: { session: { listSessionEntries: () => [], patchSessionEntry: () => Promise.resolve(null) } }
  }
}

const config = (appSecret: string, dmPolicy: string) => ({
  channels: { instaclaw: { wsUrl: platform.url, appKey: keys.app_key, appSecret, dmPolicy } }
})

class Running {
  readonly controller = new AbortController()
  readonly settled: Promise<void>
  readonly told: Array<AccountStatus> = []
  private readonly changes = new EventEmitter()

  constructor(host: PluginRuntime, cfg: object) {
    const context: GatewayContext = {
      cfg,
      accountId: "default",
      account: resolveAccount(cfg, "default"),
      abortSignal: this.controller.signal,
      setStatus: (status) => {
        this.told.push(status)
        this.changes.emit("change")
      }
    }
    this.settled = start(context, host)
  }

  async until(holds: (status: AccountStatus) => boolean): Promise<void> {
    while (!this.told.some(holds)) await new Promise((resolve) => this.changes.once("change", resolve))
  }

  /** Gives how many listeners it has left on the host's signal. */
  async stop(): Promise<number> {
    this.controller.abort()
    await this.settled
    return getEventListeners(this.controller.signal, "abort").length
  }
}

const ask = async (person: Awaited<ReturnType<Platform["person"]>>) =>
  person.responses.create({ model: keys.claw_id, input: "Well?" })

/** Of what Node waits for, and of what is on the heap after a collection. */
const kept = (): ReadonlyMap<string, number> => {
  const counted = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counted.set(kind, (counted.get(kind) ?? 0) + 1)
  const fiber = Effect.runFork(Effect.void)
  counted.set("fibers", queryObjects(fiber.constructor as new () => unknown, { format: "count" }))
  return counted.set("sockets", queryObjects(WebSocket, { format: "count" }))
}

describe("an account that is started and stopped", () => {
  it("law stop: fifty times, in all its states, and nothing of it stays", { timeout: 120_000 }, async () => {
    let endless = false
    const host = hostThat(() => endless)
    const person = await platform.person("Ada")
    const round = async (index: number) => {
      endless = index % 5 === 2
      // A policy that is none: the account stays blocked.
      const isBlocked = index % 5 === 3
      const cfg = config(isBlocked ? "" : index % 5 === 4 ? "wrong" : keys.app_secret, "open")
      const running = new Running(host, cfg)
      const answering = async () => {
        await running.until(({ connected }) => connected === true)
        if (!endless) return void (await ask(person))
        const begun = new Promise((resolve) => events.once("begun", resolve))
        const aborted = new Promise((resolve) => events.once("aborted", resolve))
        const answer = ask(person)
        await begun
        const left = await running.stop()
        await aborted
        const { error } = await answer
        assert.include(String(error?.message), "stopped")
        assert.strictEqual(left, 0)
      }
      if (index % 5 === 0 || endless) await answering()
      if (index % 5 > 2) await running.until(({ lifecycle }) => lifecycle === "blocked")
      assert.strictEqual(await running.stop(), 0)
      assert.strictEqual(registry.seats.size, 0)
      assert.strictEqual(running.told.at(-1)?.running, false)
    }
    // What is made once and stays: pools, caches, compiled code.
    for (let index = 0; index < 10; index++) await round(index)
    const before = kept()
    for (let index = 0; index < 50; index++) await round(index)
    // Each of the five states came ten times: what one of them leaves behind is there ten times. The platform's own
    // timers, in the same process, are one more or less.
    for (const [kind, count] of kept()) assert.closeTo(count, before.get(kind) ?? 0, 4, kind)
  })
})
