/**
 * What a gateway lives through: killed in the middle of a reply, its account restarted, its configuration edited, the
 * platform away and back. Every message has one end, and people are answered afterwards.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Gateway } from "./Gateway.ts"
import { lastWords, Model } from "./Model.ts"
import { Person, until } from "./Person.ts"
import { type Keys, Platform } from "./Platform.ts"
import { Stage } from "./Stage.ts"

let stage: Stage
let model: Model
let gateway: Gateway
let keys: Keys
let ada: Person
let data: string

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "clawfiber-openclaw-data-"))
  stage = await Stage.set(async (stage) => {
    keys = await stage.open("Survivor", {
      counted: true,
      // The operator's choice: what nothing was shown of is run again after a crash.
      env: { CLAWFIBER_RERUN_INTERRUPTED: "if-silent" }
    })
  }, data)
  ;({ gateway, model } = stage)
  ada = await Person.on(stage.platform, "Ada", keys)
})

afterAll(async () => {
  await stage?.strike()
  rmSync(data, { recursive: true, force: true, maxRetries: 5 })
})

const log = () => stage.log()

/** How often the model was asked about this. */
const asked = (words: string) => model.asked.filter((request) => lastWords(request).includes(words)).length

const config = () => readFileSync(join(gateway.home, "openclaw.json"), "utf8")

const isOnline = async () => {
  const agent = await stage.platform.get("Watcher", `/api/agents/${keys.claw_id}`)
  return (agent as { readonly online: boolean }).online
}

/** A conversation that goes on through all of it. */
const talk = async (session: string, words: string) => {
  const answered = await ada.ask(session, words, { background: true })
  assert.isUndefined(answered.failure, `${words}\n${log()}`)
  assert.include(answered.done, words)
  assert.strictEqual(answered.ends, 1)
  assert.strictEqual(answered.deltas.join(""), answered.done)
}

describe("kill -9 of the gateway", () => {
  it("every message it had taken has one end after it returns, and none is lost", { timeout: 200_000 }, async () => {
    const [shown, silent] = [await ada.begin(), await ada.begin()]
    model.otherwise = (request) => {
      const words = lastWords(request)
      if (words.includes("Shown.")) return { pieces: ["The beginning of it", ", never the end."], gate: Model.never }
      if (words.includes("Silent.")) return { pieces: ["nothing"], gate: Model.never, gateAt: 0 }
      return undefined
    }
    let begun = () => {}
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const first = ada.ask(shown, "Shown.", { background: true, onDelta: () => begun() })
    await hasBegun
    const behind = ada.ask(shown, "Behind it.", { background: true })
    const other = ada.ask(silent, "Silent.", { background: true })
    await until("the model is asked", () => asked("Silent.") === 1)
    await until("the agent has all three", async () =>
      [...(await ada.history(shown)), ...(await ada.history(silent))].every(({ status }) => status !== "waiting")
    )
    await gateway.stop("SIGKILL")
    model.otherwise = undefined
    await gateway.start()

    const [cut, late, again] = await Promise.all([first, behind, other])
    assert.deepInclude(cut.failure, { code: "INTERRUPTED" })
    assert.strictEqual(cut.deltas.join(""), "The beginning of it")
    assert.isUndefined(late.failure, log())
    assert.include(late.done, "Behind it.")
    assert.isUndefined(again.failure, log())
    assert.include(again.done, "Silent.")
    for (const answered of [cut, late, again]) assert.strictEqual(answered.ends, 1)
    // Law once: what was shown is not asked of the model again, also not by the host itself.
    await talk(shown, "Are you there again?")
    assert.strictEqual(asked("Shown."), 1)
    assert.strictEqual(asked("Silent."), 2)

    const told = await ada.history(shown)
    assert.deepStrictEqual(
      told.map(({ status }) => status),
      ["failed", "completed", "completed"]
    )
    assert.strictEqual(told[0]?.error?.code, "INTERRUPTED")
    assert.strictEqual((await ada.history(silent)).length, 1)

    // A second start finds nothing left to end.
    await gateway.stop("SIGKILL")
    await gateway.start()
    await talk(silent, "And after the second time?")
    assert.deepStrictEqual(await ada.history(shown), told)
  })
})

describe("half an hour of a host, compressed", () => {
  it("the account restarts by the host's own method", { timeout: 90_000 }, async () => {
    const session = await ada.begin()
    await talk(session, "Before.")
    for (let round = 0; round < 3; round++) {
      await gateway.call("channels.stop", { channel: "instaclaw" })
      await until("away", async () => !(await isOnline()))
      await gateway.call("channels.start", { channel: "instaclaw" })
      await talk(session, `After restart ${round}.`)
    }
    assert.strictEqual((await ada.history(session)).length, 4)
  })

  it(
    "an edit of our configuration restarts the account with it, and a message of that moment is answered",
    {
      timeout: 120_000
    },
    async () => {
      const session = await ada.begin()
      const edited = JSON.parse(config()) as { readonly channels: { readonly instaclaw: object } }
      Object.assign(edited.channels.instaclaw, { systemPrompt: "You are an agent that was edited." })
      writeFileSync(join(gateway.home, "openclaw.json"), JSON.stringify(edited, undefined, 2))
      await until("edited", async () => {
        await ada.ask(session, "Is it so?", { background: true })
        return JSON.stringify(model.asked.at(-1)?.messages).includes("an agent that was edited")
      })
      await talk(session, "Edited?")
      for (const { error, status } of await ada.history(session)) {
        // At most the one that the restart came upon, in words.
        assert.isTrue(status === "completed" || error?.code === "INTERRUPTED", JSON.stringify(error))
      }
    }
  )

  it("law stop: fifty restarts by the host's own method leave nothing behind", { timeout: 400_000 }, async () => {
    const session = await ada.begin()
    const round = async (index: number) => {
      await gateway.call("channels.stop", { channel: "instaclaw" })
      await gateway.call("channels.start", { channel: "instaclaw" })
      // Now with a line and a turn on it, now stopped while it is being brought up.
      if (index % 5 === 0) await talk(session, `Round ${index}.`)
    }
    for (let index = 0; index < 10; index++) await round(index)
    await talk(session, "Warm.")
    const before = await gateway.counts()
    for (let index = 0; index < 50; index++) await round(index)
    await talk(session, "Still warm.")
    const after = await gateway.counts()
    assert.isAbove(before["fibers"] ?? 0, 0)
    // What one round leaves is there fifty times; the host's own timers and sockets come and go by a few.
    for (const kind of new Set([...Object.keys(before), ...Object.keys(after)])) {
      assert.isBelow(
        (after[kind] ?? 0) - (before[kind] ?? 0),
        20,
        `${kind}: ${JSON.stringify(before)}\n${JSON.stringify(after)}`
      )
    }
  })

  it(
    "the plugin is loaded anew while its account runs; not in the middle of a turn, which goes on, and that is said",
    { timeout: 400_000 },
    async () => {
      const session = await ada.begin()
      const reload = () =>
        gateway.call("plugins.reload", { plugins: [{ pluginId: "clawfiber" }] }).then(
          () => "loaded",
          (cause: unknown) => String(cause)
        )
      let go = () => {}
      const gate = new Promise<void>((resolve) => (go = resolve))
      model.otherwise = (request) =>
        lastWords(request).includes("At work.") ? { pieces: ["I am", " at work."], gate } : undefined
      let begun = () => {}
      const hasBegun = new Promise<void>((resolve) => (begun = resolve))
      const working = ada.ask(session, "At work.", { background: true, onDelta: () => begun() })
      await hasBegun
      assert.match(await reload(), /still has active retained work; retry after the work finishes/)
      go()
      const worked = await working
      model.otherwise = undefined
      assert.strictEqual(worked.done, "I am at work.", worked.failure?.message)

      let said = await reload()
      // The turn's own work is put away by the host a moment after its last word.
      for (let attempt = 0; attempt < 20 && said.includes("retained work"); attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        said = await reload()
      }
      if (said !== "loaded") {
        // On a busy machine the host may not clear away its copy of the old code within its five seconds.
        assert.match(said, /timed out/, log())
        await gateway.stop()
        await gateway.start()
      }
      await talk(session, "With the code of now.")
      const status = (await gateway.call("channels.status", { probe: false })) as {
        readonly channelAccounts: { readonly instaclaw: ReadonlyArray<{ readonly connected?: boolean }> }
      }
      assert.isTrue(status.channelAccounts.instaclaw[0]?.connected)
      assert.deepStrictEqual(
        (await ada.history(session)).map((message) => message.status),
        ["completed", "completed"]
      )
    }
  )

  it("the platform goes away and comes back with everything it had", { timeout: 120_000 }, async () => {
    const session = await ada.begin()
    await talk(session, "Before it goes.")
    const port = Number(new URL(stage.platform.url).port)
    await stage.platform.stop()
    const status = async () => {
      const answer = (await gateway.call("channels.status", { probe: false })) as {
        readonly channelAccounts: { readonly instaclaw: ReadonlyArray<{ readonly lifecycle?: string }> }
      }
      return answer.channelAccounts.instaclaw[0]?.lifecycle
    }
    await until("recovering", async () => (await status()) === "recovering")
    stage.platform = await Platform.start(port, data)
    ada = await Person.on(stage.platform, "Ada", keys)
    await talk(session, "Back again.")
    assert.strictEqual(await status(), "ready")
    assert.deepStrictEqual(
      (await ada.history(session)).map((message) => message.status),
      ["completed", "completed"]
    )
  })
})
