import { assert, describe, it } from "@effect/vitest"
import type { Dialled, Heard } from "../../src/ui/link/ChatSocket.ts"
import { makeChatSocket } from "../../src/ui/link/ChatSocket.ts"
import type { LinkState } from "../../src/ui/link/link.ts"
import { STABLE, next, waitFor } from "../../src/ui/link/link.ts"

const harness = (answers: { ticket: () => Promise<{ ticket: string } | "refused"> }) => {
  let now = 1_000
  const timers: Array<{ at: number; run: () => void; off: boolean }> = []
  const dialled: Array<{ heard: Heard; sent: Array<string>; closed: boolean; ticket: string }> = []
  const states: Array<LinkState> = []
  const frames: Array<unknown> = []
  const socket = makeChatSocket({
    ticket: answers.ticket,
    dial: (ticket, heard): Dialled => {
      const one = { heard, sent: new Array<string>(), closed: false, ticket }
      dialled.push(one)
      return { send: (data) => one.sent.push(data), close: () => (one.closed = true) }
    },
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
    now: () => now,
    random: () => 0,
    after: (ms, run) => {
      const timer = { at: now + ms, run, off: false }
      timers.push(timer)
      return () => (timer.off = true)
    }
  })
  return {
    socket,
    dialled,
    states,
    frames,
    /** Lets promises that have settled be heard. */
    settle: async () => {
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    },
    advance: (ms: number) => {
      now += ms
      for (const timer of timers.splice(0)) {
        if (timer.off) continue
        if (timer.at <= now) timer.run()
        else timers.push(timer)
      }
    },
    live: () => timers.filter((timer) => !timer.off).length
  }
}

let tickets = 0
const good = { ticket: async () => ({ ticket: `t${++tickets}` }) }

describe("the page's line", () => {
  it("waits longer each time, at most half a minute, and begins anew once it held", () => {
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5, 6, 60].map((attempt) => waitFor(attempt, 0)),
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    )
    assert.strictEqual(waitFor(6, 0.5), 30_500)
    const lost = { type: "lost", at: 0, jitter: 0 } as const
    assert.deepStrictEqual(next({ phase: "open" }, { ...lost, stableFor: STABLE }), {
      phase: "waiting",
      attempt: 1,
      retryAt: 1_000
    })
    assert.deepStrictEqual(next({ phase: "open" }, { ...lost, stableFor: 1 }), {
      phase: "waiting",
      attempt: 2,
      retryAt: 2_000
    })
  })

  it("hears nothing after it was stopped", () => {
    for (const event of [{ type: "opened" }, { type: "try" }, { type: "refused" }] as const) {
      assert.deepStrictEqual(next({ phase: "idle" }, event), { phase: "idle" })
    }
  })

  it("dials with a fresh ticket each time and says its states", async () => {
    const h = harness(good)
    h.socket.start()
    await h.settle()
    assert.isFalse(h.socket.send({}))
    h.dialled[0]?.heard.onOpen()
    assert.isTrue(h.socket.send({ a: 1 }))
    assert.deepStrictEqual(h.dialled[0]?.sent, ['{"a":1}'])
    h.dialled[0]?.heard.onClose()
    assert.strictEqual(h.socket.state().phase, "waiting")
    h.advance(2_000)
    await h.settle()
    assert.strictEqual(h.dialled.length, 2)
    assert.notStrictEqual(h.dialled[0]?.ticket, h.dialled[1]?.ticket)
    assert.deepStrictEqual(
      h.states.map((state) => state.phase),
      ["connecting", "open", "waiting", "connecting"]
    )
  })

  it("does not hear a socket of the past", async () => {
    const h = harness(good)
    h.socket.start()
    await h.settle()
    h.dialled[0]?.heard.onOpen()
    h.socket.distrust()
    h.socket.tryNow()
    await h.settle()
    h.dialled[0]?.heard.onMessage('{"type":"late"}')
    h.dialled[0]?.heard.onClose()
    assert.deepStrictEqual(h.frames, [])
    h.dialled[1]?.heard.onOpen()
    h.dialled[1]?.heard.onMessage('{"type":"now"}')
    h.dialled[1]?.heard.onMessage("not json")
    assert.deepStrictEqual(h.frames, [{ type: "now" }])
    assert.isTrue(h.dialled[0]?.closed)
  })

  it("gives up a dial that never opens, and a ticket that never comes", async () => {
    const h = harness({ ticket: () => new Promise(() => {}) })
    h.socket.start()
    h.advance(10_000)
    assert.strictEqual(h.socket.state().phase, "waiting")
  })

  it("stops trying where the sign-in is no longer good", async () => {
    const h = harness({ ticket: async () => "refused" })
    h.socket.start()
    await h.settle()
    assert.strictEqual(h.socket.state().phase, "signed-out")
    assert.strictEqual(h.live(), 0)
  })

  it("leaves no timer and no socket behind", async () => {
    const h = harness(good)
    h.socket.start()
    await h.settle()
    h.dialled[0]?.heard.onOpen()
    h.dialled[0]?.heard.onClose()
    h.socket.stop()
    assert.strictEqual(h.live(), 0)
    h.advance(60_000)
    await h.settle()
    assert.strictEqual(h.dialled.length, 1)
  })
})
