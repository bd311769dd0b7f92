/** The parts that a simulated world is made of. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as LinkProtocol from "../../src/layers/channel/LinkProtocol.ts"
import type { SocketDriver } from "../../src/layers/channel/SocketDriver.ts"
import * as Supervisor from "../../src/layers/channel/Supervisor.ts"
import * as ReplyEnds from "../../src/layers/platform/ReplyEnds.ts"
import { Chance } from "../../src/layers/simulation/Chance.ts"
import { SimDatabase } from "../../src/layers/simulation/Database.ts"
import { Engine } from "../../src/layers/simulation/Engine.ts"
import { Link } from "../../src/layers/simulation/Network.ts"
import { encodeAutoBound } from "../../src/services/protocol/PlatformFrame.ts"

describe("virtual time", () => {
  it("jumps from timer to timer, in order, and a killed machine hears nothing more", async () => {
    const engine = new Engine({ seed: 1 })
    const [one, two] = [engine.machine("one"), engine.machine("two")]
    const heard: Array<string> = []
    const sleep = (name: string, millis: number) =>
      Effect.andThen(
        Effect.sleep(millis),
        Effect.sync(() => void heard.push(`${name} ${engine.now}`))
      )
    one.fork(sleep("one", 3_000_000))
    one.fork(sleep("one", 10))
    two.fork(sleep("two", 20))
    two.fork(sleep("two", 4_000_000))
    await engine.run(1_000)
    two.kill()
    await engine.run(5_000_000)
    assert.deepStrictEqual(heard, ["one 10", "two 20", "one 3000000"])
    assert.strictEqual(one.timers, 0)
  })

  it("a wall clock may jump, the time that passes does not", async () => {
    const engine = new Engine({ seed: 1 })
    const machine = engine.machine("one")
    const clock = machine.clock()
    const before = clock.currentTimeMillisUnsafe()
    await engine.run(1_000)
    machine.skew = -60_000
    assert.strictEqual(clock.currentTimeMillisUnsafe() - before, 1_000 - 60_000)
    assert.strictEqual(clock.monotonicTimeNanosUnsafe(), 1_000_000_000n)
  })
})

describe("what waits in a product while a wall clock is set", () => {
  it("law one-terminal: an end that the database refuses is tried for a minute, whatever the clock says", async () => {
    for (const jump of [240_000, -240_000]) {
      const engine = new Engine({ seed: 1 })
      const machine = engine.machine("platform")
      const refused = Effect.suspend(() => (engine.now < 30_000 ? Effect.fail("disk full") : Effect.succeed("stored")))
      const given: Array<unknown> = []
      machine
        .fork(Effect.retry(refused, { schedule: ReplyEnds.untilStored }))
        .addObserver((exit) => given.push(exit._tag === "Success" ? exit.value : engine.now))
      await engine.run(5_000)
      machine.skew += jump
      await engine.run(120_000)
      assert.deepStrictEqual(given, ["stored"])
    }
  })
})

describe("a thread that computes", () => {
  it("hears nothing meanwhile; then come its timers, what the network has, and the end of the turn", async () => {
    const engine = new Engine({ seed: 1 })
    const machine = engine.machine("one")
    const heard: Array<string> = []
    const hear = (what: string) => () => void heard.push(`${what} ${engine.now}`)
    machine.after(50, () => {
      hear("timer")()
      machine.after(0, hear("end of turn"))
    })
    const cancel = machine.after(60, hear("cancelled"))
    engine.machine("network").after(70, () => machine.read(hear("frame")))
    engine.busy(machine, 100)
    await engine.run(80)
    assert.deepStrictEqual(heard, [])
    cancel()
    await engine.run(1_000)
    assert.deepStrictEqual(heard, ["timer 100", "frame 100", "end of turn 100"])
    machine.read(hear("frame"))
    assert.deepStrictEqual(heard.at(-1), "frame 1000")
    assert.strictEqual(machine.timers, 0)
  })
})

describe("a process that stops", () => {
  it("is seen to leave a fiber, although that has neither timer nor task", async () => {
    const engine = new Engine({ seed: 1 })
    const machine = engine.machine("one")
    machine.fork(Effect.forkDetach(Effect.never))
    await engine.run(10)
    assert.deepStrictEqual([machine.timers, machine.ready, machine.fibers], [0, 0, 1])
    machine.fork(Effect.scoped(Effect.forkScoped(Effect.never)))
    await engine.run(20)
    assert.strictEqual(machine.fibers, 1)
  })
})

describe("a fiber that has to let others run at any point", () => {
  it("law honest-status: a socket that ends as soon as it has greeted is not called connected", async () => {
    for (let maxOps = 3; maxOps <= 40; maxOps++) {
      const engine = new Engine({ seed: 1, maxOps })
      const machine = engine.machine("agent")
      const idle = () => undefined
      const socket = { send: idle, ping: idle, bufferedBytes: () => 0, pause: idle, resume: idle, close: idle }
      let dials = 0
      const driver: SocketDriver = {
        defer: (task) => void machine.after(0, task),
        dial: (_request, _limits, events) => {
          dials++
          machine.after(5, () => {
            events.opened()
            events.frame(encodeAutoBound({ sessions: [], senderId: "a" }))
            events.ended({ _tag: "Closed", code: 1006 })
          })
          return { ...socket, terminate: idle }
        }
      }
      const request = Effect.succeed({ url: "ws://platform", headers: {}, hello: [] })
      const phases: Array<string> = []
      const program = Effect.gen(function* () {
        const connection = yield* Supervisor.make({ driver, protocol: LinkProtocol.instaclaw(request) })
        machine.after(100, () => phases.push(SubscriptionRef.getUnsafe(connection.state).phase))
        yield* Effect.sleep(5_000)
      })
      machine.fork(Effect.scoped(program))
      await engine.run(10_000)
      assert.deepStrictEqual(phases, ["reconnecting"], `after ${maxOps} operations`)
      assert.isAbove(dials, 1)
    }
  })
})

describe("a network of bytes", () => {
  const make = (seed: number) => {
    const engine = new Engine({ seed })
    const [network, client, server] = [engine.machine("network"), engine.machine("client"), engine.machine("server")]
    const options = { latency: 20, window: 1_000 }
    const chance = new Chance(seed, "link")
    const link = new Link({ number: 1, engine, chance, options, network, client, server, onEnd: () => undefined })
    const got: Array<string> = []
    const closed: Array<number> = []
    link.server.listener = { ...link.server.listener, frame: (text) => void got.push(text) }
    link.client.listener = { ...link.client.listener, closed: (code) => void closed.push(code) }
    return { engine, link, got, closed }
  }
  const sent = Array.from({ length: 50 }, (_, index) => `frame ${index}`)

  it("brings frames in order, and of a connection that is cut the first ones, whole", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { closed, engine, got, link } = make(seed)
      for (const frame of sent) link.client.send(frame)
      if (seed > 1) link.cut(new Chance(seed, "cut"))
      await engine.run(60_000)
      assert.deepStrictEqual(got, sent.slice(0, got.length))
      if (seed === 1) assert.strictEqual(got.length, sent.length)
      else assert.deepStrictEqual(closed, [1006])
    }
  })

  it("a half-open connection swallows everything and tells nobody", async () => {
    const { closed, engine, got, link } = make(1)
    link.halfOpen("up")
    for (const frame of sent) link.client.send(frame)
    await engine.run(600_000)
    assert.deepStrictEqual([got, closed], [[], []])
    assert.isAbove(link.client.buffered, -1)
  })
})

describe("a disk that fails", () => {
  const open = (durability: "normal" | "full") => {
    const engine = new Engine({ seed: 1 })
    const machine = engine.machine("one")
    const database = new SimDatabase("CREATE TABLE t (n INTEGER)", durability)
    const connection = database.connect(machine)
    const run = (text: string) => connection.prepare(text).all()
    const count = () => Number(database.raw.prepare("SELECT count(*) AS n FROM t").get()?.["n"])
    return { count, database, machine, run }
  }

  it("keeps what was committed and loses what was not", () => {
    const { count, database, run } = open("normal")
    run("INSERT INTO t VALUES (1)")
    run("BEGIN")
    run("INSERT INTO t VALUES (2)")
    database.crash()
    assert.strictEqual(count(), 1)
  })

  it("a power cut takes some of what was not synced, and nothing of what was", () => {
    const kept = new Set<number>()
    for (let seed = 1; seed <= 20; seed++) {
      for (const durability of ["normal", "full"] as const) {
        const { count, database, run } = open(durability)
        for (let n = 0; n < 5; n++) run(`INSERT INTO t VALUES (${n})`)
        database.powerCut(new Chance(seed))
        if (durability === "full") assert.strictEqual(count(), 5)
        else kept.add(count())
      }
    }
    assert.isAbove(kept.size, 3)
  })

  it("stops a process at the write that it is told to", () => {
    const { count, database, machine, run } = open("normal")
    database.passing = (when) => when === "after" && machine.kill()
    assert.throws(() => run("INSERT INTO t VALUES (1)"))
    assert.strictEqual(count(), 1)
    assert.throws(() => run("INSERT INTO t VALUES (2)"))
    assert.strictEqual(count(), 1)
  })
})
