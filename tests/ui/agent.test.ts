import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Snapshot } from "../../src/services/channel/Control.ts"
import { check } from "../../src/services/protocol/ProfileFields.ts"
import { ceilingOf, figuresOf } from "../../src/ui/places/agent/parts/hour.ts"
import type { ControlFault } from "../../src/ui/places/agent/state/control.ts"
import { applyChanges, makeControl, SILENCE } from "../../src/ui/places/agent/state/control.ts"
import { fromPlatform } from "../../src/ui/i18n/platform.ts"
import { makeReader } from "../../src/ui/places/agent/state/sse.ts"
import { tokenIn } from "../../src/ui/places/agent/state/token.ts"

const account = (id: string, fault: string | null = null): Snapshot["accounts"][number] => ({
  id,
  agent: { description: "offline agent", model: "offline" },
  profile: null,
  registration: {
    account_id: id,
    phase: "absent",
    proposal_id: null,
    proposal: null,
    claw_id: null,
    since: null,
    until: null,
    setback: null
  },
  fault,
  connection: null,
  in_flight: [],
  recent: [],
  counts: { accepted: 0, repeated: 0, refused: 0, completed: 0, failed: {}, running: 0, waiting: 0 },
  samples: [],
  work: null,
  jobs: [],
  ended_jobs: [],
  claworld: null
})

const snapshot: Snapshot = {
  version: "1",
  at: 1,
  started_at: 0,
  accounts: [account("default"), account("ada")],
  settings: []
}

describe("server-sent events", () => {
  const whole =
    'event: snapshot\ndata: {"a":1}\n\n: still here\n\ndata: one\ndata: two\r\n\r\nevent: x\n\nid: 7\ndata:3\n\n'
  const expected = [
    { name: "snapshot", data: '{"a":1}' },
    { name: "message", data: "one\ntwo" },
    { name: "message", data: "3" }
  ]
  it("are the same however they are cut", () => {
    for (let size = 1; size <= whole.length; size++) {
      const events: Array<object> = []
      const read = makeReader((event) => events.push(event))
      for (let at = 0; at < whole.length; at += size) read(whole.slice(at, at + size))
      assert.deepStrictEqual(events, expected, `pieces of ${size}`)
    }
  })
  it("without an end are refused (law bounded)", () => {
    const read = makeReader(() => {})
    const piece = "x".repeat(8 * 1024 * 1024)
    assert.throws(() => {
      for (let count = 0; count < 5; count++) read(piece)
    })
  })
})

describe("what changed", () => {
  it("replaces those fields of those accounts, and nothing else", () => {
    const next = applyChanges(snapshot, { at: 9, accounts: [{ id: "ada", fault: "no" }] })
    assert.deepStrictEqual(next, { ...snapshot, at: 9, accounts: [account("default"), account("ada", "no")] })
    assert.strictEqual(next.accounts[0], snapshot.accounts[0])
  })
})

describe("the line to the program", () => {
  const harness = (answer: (path: string, init: RequestInit) => Promise<Response>) => {
    let now = 0
    const timers: Array<{ at: number; run: () => void; live: boolean }> = []
    const asked: Array<{ path: string; init: RequestInit }> = []
    const control = makeControl({
      token: "the-token",
      fetch: (path, init) => {
        asked.push({ path, init })
        return answer(path, init)
      },
      now: () => now,
      random: () => 0,
      after: (ms, run) => {
        const timer = { at: now + ms, run, live: true }
        timers.push(timer)
        return () => {
          timer.live = false
        }
      }
    })
    const until = async (wanted: () => boolean) => {
      for (let tries = 0; !wanted(); tries++) {
        assert.isBelow(tries, 200)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const pass = (ms: number) => {
      now += ms
      for (const timer of timers.filter(({ at, live }) => live && at <= now)) {
        timer.live = false
        timer.run()
      }
    }
    return { control, asked, until, pass }
  }

  const streaming = (open: { push?: (text: string) => void; end?: () => void }) => () =>
    Promise.resolve(
      new Response(
        new ReadableStream({
          start: (controller) => {
            open.push = (text) => controller.enqueue(new TextEncoder().encode(text))
            open.end = () => controller.close()
          }
        })
      )
    )

  it("keeps the snapshot up to date, dials anew where it ends, and takes silence for an end", async () => {
    const open: { push?: (text: string) => void; end?: () => void } = {}
    const { asked, control, pass, until } = harness(streaming(open))
    control.start()
    await until(() => control.state().link.phase === "open")
    assert.deepStrictEqual(asked[0]?.path, "/control/stream")
    assert.strictEqual(new Headers(asked[0]?.init.headers).get("authorization"), "Bearer the-token")
    open.push?.(`event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`)
    await until(() => control.state().snapshot !== undefined)
    open.push?.('event: changes\ndata: {"at":5,"accounts":[{"id":"ada","fault":"why"}]}\n\n')
    await until(() => control.state().snapshot?.accounts[1]?.fault === "why")
    open.end?.()
    await until(() => control.state().link.phase === "waiting")
    assert.strictEqual(control.state().snapshot?.accounts[1]?.fault, "why")
    pass(60_000)
    await until(() => control.state().link.phase === "open")
    assert.strictEqual(asked.length, 2)
    pass(SILENCE - 1)
    assert.strictEqual(control.state().link.phase, "open")
    pass(1)
    assert.strictEqual(control.state().link.phase, "waiting")
    control.end()
    pass(600_000)
    assert.strictEqual(asked.length, 2)
  })

  it("asks for the details of the account that is chosen", async () => {
    const { asked, control, until } = harness(streaming({}))
    control.start()
    await until(() => control.state().link.phase === "open")
    control.choose("a/b")
    await until(() => asked.length === 2)
    assert.strictEqual(asked[1]?.path, "/control/stream?account=a%2Fb")
    control.end()
  })

  it("stays away where the token is not taken", async () => {
    const { asked, control, pass, until } = harness(() =>
      Promise.resolve(Response.json({ error: { code: "wrong_token", message: "No." } }, { status: 403 }))
    )
    control.start()
    await until(() => control.state().refused !== undefined)
    assert.strictEqual(control.state().refused, "wrong_token")
    pass(600_000)
    assert.strictEqual(asked.length, 1)
  })

  it("gives faults of a call by field, and says where nobody answered", async () => {
    const fields = [{ field: "name", message: "An agent needs a name." }, { field: 5 }]
    const refused = harness(() =>
      Promise.resolve(Response.json({ error: { code: "invalid_params", message: "No.", fields } }, { status: 422 }))
    )
    const faultOf = (promise: Promise<unknown>) =>
      promise.then(
        () => assert.fail("it was carried out"),
        (fault: ControlFault) => fault
      )
    const fault = await faultOf(refused.control.call("instaclaw.registration.submit", {}))
    assert.deepStrictEqual([fault.code, fault.message, fault.fields], ["invalid_params", "No.", fields.slice(0, 1)])
    const away = harness(() => Promise.reject(new TypeError("fetch failed")))
    assert.strictEqual((await faultOf(away.control.call("instaclaw.registration.get", {}))).code, "unreachable")
    const strange = harness(() => Promise.resolve(new Response("<html>", { status: 502 })))
    assert.strictEqual((await faultOf(strange.control.call("instaclaw.registration.get", {}))).code, "unreadable")
  })
})

describe("the token", () => {
  const token = "2_ANb8Q91lnTahg3llousLGeTlmIZVJBDLTEX3FRy8w"
  it("is found in what a person pastes, and nowhere else", () => {
    for (const text of [token, ` ${token}\n`, `http://127.0.0.1:8788/#/agent?token=${token}`, `?token=${token}`]) {
      assert.strictEqual(tokenIn(text), token)
    }
    for (const text of [
      "",
      "x",
      "http://127.0.0.1:8788/",
      "a token with words in it, long enough",
      "?token=<script>"
    ]) {
      assert.isUndefined(tokenIn(text))
    }
  })
})

describe("the faults of fields", () => {
  it("are all known to the page, so that it can say them in its language", () => {
    const long = "x".repeat(70_000)
    const bad: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { name: "" },
      { name: long },
      { description: long },
      { avatar: "ftp://x" },
      { avatar: `data:image/png;base64,${long}` },
      { scene_tags: ["x"] },
      { scene_tags: Array.from({ length: 30 }, (_, index) => String(10_000 + index)) },
      { custom_tags: [long] },
      { custom_tags: Array.from({ length: 30 }, (_, index) => `t${index}`) },
      { hourly_rate: "-1" },
      { hourly_rate: "2000000" },
      { instance_type: "1.5" },
      { instance_type: "x" }
    ]
    for (const patch of bad) {
      const checked = check({ name: "A", ...patch })
      assert.isTrue(Result.isFailure(checked), JSON.stringify(patch).slice(0, 60))
      for (const { message } of Result.isFailure(checked) ? checked.failure : []) {
        assert.match(fromPlatform(message, "zh-CN"), /\p{Script=Han}/u, message)
      }
    }
  })
})

describe("the last hour", () => {
  const sample = (patch: Partial<Snapshot["accounts"][number]["samples"][number]>) => ({
    at: 0,
    completed: 0,
    failed: 0,
    first_delta_ms: null,
    first_delta_max_ms: null,
    reconnects: 0,
    ...patch
  })
  it("is summed up in words that a person can use", () => {
    assert.deepStrictEqual(figuresOf([]), { replies: 0, failed: 0, reconnects: 0, mean: undefined, max: undefined })
    assert.deepStrictEqual(
      figuresOf([
        sample({ completed: 3, first_delta_ms: 400, first_delta_max_ms: 900 }),
        sample({ failed: 1, first_delta_ms: 800, first_delta_max_ms: 800 }),
        sample({ reconnects: 2 })
      ]),
      { replies: 4, failed: 1, reconnects: 2, mean: 500, max: 900 }
    )
  })
  it("is drawn under a round ceiling", () => {
    assert.deepStrictEqual([1, 100, 101, 990, 2_040, 61_000].map(ceilingOf), [100, 100, 150, 1_000, 2_500, 80_000])
  })
})
