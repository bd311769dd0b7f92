/** Replies that are ended: by the person, by the host, by the operator; what comes after them; and what comes at once. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Gateway } from "./Gateway.ts"
import { lastWords, Model } from "./Model.ts"
import { Person, until } from "./Person.ts"
import type { Keys, Platform } from "./Platform.ts"
import { Stage } from "./Stage.ts"

let stage: Stage
let model: Model
let platform: Platform
let gateway: Gateway
let keys: Keys
let ada: Person

beforeAll(async () => {
  stage = await Stage.set(async (stage) => {
    keys = await stage.open("Interrupted", { timeoutSeconds: 15, tools: {} })
  })
  ;({ gateway, model, platform } = stage)
  ada = await Person.on(platform, "Ada", keys)
})

afterAll(() => stage?.strike())

const log = () => stage.log()

/** The model begins, and goes on when it is let: never, by default. */
const stalls = (words: string, gate = Model.never) => {
  model.otherwise = (asked) =>
    lastWords(asked).includes(words) ? { pieces: ["It begins", " and ends."], gate } : undefined
}

const wasCut = (words: string) =>
  until("the host's run stops", () => model.cut.some((said) => said.includes(words)), 20_000)

const answers = async (session: string, words: string) => {
  const next = await ada.ask(session, words)
  assert.isUndefined(next.failure, `${next.failure?.message}\n${log()}`)
  assert.include(next.done, words)
}

describe("ended by the person", () => {
  it("by the page's cancel: the host's run stops, the reply ends once, the next is answered", async () => {
    const session = await ada.begin()
    let go = () => {}
    stalls("Cancel me.", new Promise<void>((resolve) => (go = resolve)))
    const cancelled = await ada.ask(session, "Cancel me.", {
      onDelta: (_text, responseId) => void ada.client.responses.cancel(responseId)
    })
    assert.strictEqual(cancelled.failure?.code, "CANCELLED")
    assert.strictEqual(cancelled.ends, 1)
    await wasCut("Cancel me.")
    // What comes after the end changes nothing.
    go()
    await answers(session, "And now?")
    const [first, ...others] = await ada.history(session)
    assert.deepInclude(first, { status: "failed", reply_text: "It begins" })
    assert.strictEqual(others.length, 1)
  })

  it("law stop: by /stop, which waits behind nothing", async () => {
    const session = await ada.begin()
    stalls("Stop me.")
    let order: Promise<unknown> | undefined
    const stopped = await ada.ask(session, "Stop me.", { onDelta: () => (order ??= ada.ask(session, "/stop")) })
    assert.strictEqual(stopped.failure?.code, "CANCELLED")
    await wasCut("Stop me.")
    const said = (await order) as Awaited<ReturnType<Person["ask"]>>
    assert.isUndefined(said.failure, JSON.stringify(said))
    await answers(session, "And after it?")
  })
})

describe("ended by the host", () => {
  it("a model that stalls: the host's timeout, in words", { timeout: 90_000 }, async () => {
    const session = await ada.begin()
    stalls("Stall.")
    const stalled = await ada.ask(session, "Stall.")
    assert.isDefined(stalled.failure, log())
    assert.strictEqual(stalled.ends, 1)
    assert.match(String(stalled.failure?.message), /try again|timed? ?out|in a moment/i)
    assert.notInclude(String(stalled.failure?.message), "127.0.0.1")
    model.otherwise = undefined
    await answers(session, "Better now?")
  })
})

describe("messages at once", () => {
  it("of one conversation keep their order, and none is lost; another conversation does not wait", async () => {
    const [busy, free] = [await ada.begin(), await ada.begin()]
    let go = () => {}
    stalls("First.", new Promise<void>((resolve) => (go = resolve)))
    let begun = () => {}
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const first = ada.ask(busy, "First.", { onDelta: () => begun() })
    await hasBegun
    const second = ada.ask(busy, "Second.", { background: true })
    await until("the second is there", async () => (await ada.history(busy)).length === 2)
    const third = ada.ask(busy, "Third.", { background: true })
    await until("the third is there", async () => (await ada.history(busy)).length === 3)
    await answers(free, "Elsewhere.")
    go()
    assert.strictEqual((await first).done, "It begins and ends.")
    for (const [words, answered] of [
      ["Second.", await second],
      ["Third.", await third]
    ] as const) {
      assert.isUndefined(answered.failure, log())
      assert.include(answered.done, words)
    }
    const order = model.asked.map(lastWords).filter((words) => /First\.|Second\.|Third\./.test(words))
    assert.deepStrictEqual(
      order.map((words) => /(First|Second|Third)\./.exec(words)?.[1]),
      ["First", "Second", "Third"]
    )
  })
})

describe("methods, and what is said unasked", () => {
  it("a method of the gateway without the right to it, or with rubbish, is refused and harms nothing", async () => {
    const refusal = (params: object) =>
      gateway.call("instaclaw.registration.submit", params).then(
        () => "taken",
        (cause: unknown) => String(cause)
      )
    assert.match(await refusal({ proposal_id: 7 }), /proposal|registered/i)
    assert.match(await refusal({ account_id: "nobody" }), /account/i)
    const reader = await gateway.client(["operator.read"])
    const refused = await reader.call("instaclaw.registration.submit", {}).then(
      () => "taken",
      (cause: unknown) => String(cause)
    )
    reader.close()
    assert.match(refused, /scope|operator\.write/i)
    await answers(await ada.begin(), "Still there?")
  })

  it("what the agent says unasked is in the person's history, and not in what the model reads later", async () => {
    const session = await ada.begin()
    const send = (message: string) =>
      gateway.call("send", { channel: "instaclaw", to: session, message, idempotencyKey: crypto.randomUUID() })
    await send("Unasked at first.")
    await answers(session, "Between.")
    await send("Unasked later.")
    await answers(session, "Did you say something?")
    const [first, , later] = await ada.history(session)
    assert.strictEqual(first?.reply_text, "Unasked at first.")
    assert.strictEqual(later?.reply_text, "Unasked later.")
    assert.notInclude(JSON.stringify(model.asked.at(-1)?.messages), "Unasked")
  })
})
