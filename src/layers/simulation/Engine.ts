/**
 * Virtual time and the one queue of everything that is ready to run. All ready tasks run, in an order that the seed
 * decides; then time jumps to the next timer. Nothing waits for the wall clock, so the same seed gives the same
 * history, task by task.
 *
 * What runs belongs to a `Machine`: a simulated process with a clock of its own that may be wrong. A machine that is
 * killed runs no task and hears no timer any more, which is what `kill -9` does: no finalizer, no last word.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import { Chance, secureRandom } from "./Chance.ts"

/** 2026-01-01. Milliseconds since the epoch at which every world begins. */
export const epoch = 1_767_225_600_000

interface Timer {
  at: number
  order: number
  readonly run: () => void
  readonly machine: Machine
  done: boolean
}

const before = (left: Timer, right: Timer): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order)

/** A binary heap: the earliest timer first. Timers that were cancelled stay until it is their turn. */
class Timers {
  readonly #heap: Array<Timer> = []

  get first(): Timer | undefined {
    return this.#heap[0]
  }

  push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]!
      if (!before(timer, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  shift(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = at * 2 + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && before(heap[right]!, heap[left]!) ? right : left
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

/** A history in which so many tasks run without time going on does not end by itself. */
const livelock = 400_000

export class Livelock extends Error {}

export interface EngineOptions {
  readonly seed: number | string
  /** How often a ready task is overtaken by another one. 0 = strictly in order. */
  readonly disorder?: number | undefined
  /** Operations of a fiber before it has to let others run. */
  readonly maxOps?: number | undefined
  /** Where agents are plain promises: each step of time waits for the event loop of the real process. */
  readonly promises?: boolean | undefined
  /** From which level on is logged; warnings unless it says so. */
  readonly logLevel?: LogLevel | undefined
}

export class Engine {
  /** Virtual milliseconds since the beginning. */
  now = 0
  readonly chance: Chance
  readonly #seed: number | string
  readonly #disorder: number
  readonly #maxOps: number
  readonly #promises: boolean
  readonly #logLevel: LogLevel
  /** Whose timers none of the simulated processes owns. */
  readonly #own: Machine
  readonly #timers = new Timers()
  #tasks: Array<() => void> = []
  #owners: Array<Machine> = []
  #head = 0
  #order = 0
  #tasksRun = 0
  #still = 0

  constructor(options: EngineOptions) {
    this.#seed = options.seed
    this.chance = new Chance(options.seed, "schedule")
    this.#disorder = options.disorder ?? 0
    this.#maxOps = options.maxOps ?? 2048
    this.#promises = options.promises ?? false
    this.#logLevel = options.logLevel ?? "Warn"
    this.#own = this.machine("engine")
  }

  get tasksRun(): number {
    return this.#tasksRun
  }

  machine(name: string): Machine {
    return new Machine(this, name, this.#seed, this.#maxOps, this.#logLevel)
  }

  /** Ready now. */
  soon(machine: Machine, task: () => void): void {
    machine.ready++
    this.#tasks.push(task)
    this.#owners.push(machine)
  }

  /** Ready after so many milliseconds; the function takes it back. */
  after(machine: Machine, millis: number, run: () => void): () => void {
    const timer: Timer = { at: this.now + Math.max(0, millis), order: this.#order++, run, machine, done: false }
    machine.timers++
    this.#timers.push(timer)
    return () => {
      if (timer.done) return
      timer.done = true
      machine.timers--
    }
  }

  /**
   * Its one thread computes for so long: no timer of it rings and nothing that arrives is read. Afterwards, as Node does
   * it: first the timers that are due, then what the network has for it, then what waited for the end of the turn.
   */
  busy(machine: Machine, millis: number): void {
    if (!machine.alive || machine.isBusy) return
    machine.isBusy = true
    machine.busyUntil = this.now + millis
    this.after(this.#own, millis, () => this.#free(machine))
  }

  #free(machine: Machine): void {
    machine.isBusy = false
    for (const timer of machine.late.splice(0)) {
      if (timer.done) continue
      timer.at = this.now
      timer.order = this.#order++
      this.#timers.push(timer)
    }
    for (const read of machine.unread.splice(0)) this.after(machine, 0, read)
  }

  #drain(): void {
    const begun = this.#tasksRun
    while (this.#head < this.#tasks.length) {
      if (this.#disorder > 0 && this.chance.flip(this.#disorder)) {
        // Another machine's turn: which of several goes first nobody knows, but each keeps its own order.
        const machine = this.#owners[this.chance.int(this.#head, this.#tasks.length - 1)]!
        const first = this.#owners.indexOf(machine, this.#head)
        this.#tasks.splice(this.#head, 0, ...this.#tasks.splice(first, 1))
        this.#owners.splice(this.#head, 0, ...this.#owners.splice(first, 1))
      }
      const task = this.#tasks[this.#head]!
      const owner = this.#owners[this.#head]!
      this.#head++
      owner.ready--
      this.#tasksRun++
      if (owner.alive) task()
      if (this.#tasksRun - begun > livelock) throw new Livelock(`${livelock} tasks ran and time stood still`)
    }
    this.#tasks = []
    this.#owners = []
    this.#head = 0
  }

  /** What the real process still owes: microtasks, and where agents are promises the turn of its event loop. */
  #settle(): Promise<void> {
    return this.#promises ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve()
  }

  /** Runs until this virtual time, or until `done` says so (asked after each step of time). */
  async run(until: number, done?: () => boolean): Promise<void> {
    for (;;) {
      this.#drain()
      await this.#settle()
      if (this.#head < this.#tasks.length) continue
      if (done?.() === true) return
      let timer = this.#timers.first
      while (timer !== undefined && (timer.done || !timer.machine.alive)) {
        this.#timers.shift()
        timer = this.#timers.first
      }
      if (timer === undefined || timer.at > until) {
        this.now = Math.max(this.now, until)
        return
      }
      this.#timers.shift()
      this.#still = timer.at > this.now ? 0 : this.#still + 1
      if (this.#still > livelock) throw new Livelock(`${livelock} timers rang and time stood still`)
      this.now = Math.max(this.now, timer.at)
      if (timer.machine.isBusy) {
        timer.machine.late.push(timer)
        continue
      }
      timer.done = true
      timer.machine.timers--
      timer.run()
    }
  }
}

export class Machine {
  readonly engine: Engine
  readonly name: string
  alive = true
  /** Timers that are set, and tasks that are ready: both 0 once it has stopped cleanly. */
  timers = 0
  ready = 0
  /** Fibers that have not ended: as many as before it began, once it has stopped cleanly. */
  fibers = 0
  /** How far its wall clock is off, in milliseconds. */
  skew = 0
  /** Its thread computes and hears nothing, until then; see `Engine.busy`. */
  isBusy = false
  busyUntil = 0
  readonly late: Array<Timer> = []
  readonly unread: Array<() => void> = []
  /** What it logged, if anybody listens; `whole` with cause and annotations, and with ids that no seed repeats. */
  onLog: ((text: string, whole: string) => void) | undefined
  readonly context: Context.Context<SecureRandom.SecureRandom>

  constructor(engine: Engine, name: string, seed: number | string, maxOps: number, logLevel: LogLevel) {
    this.engine = engine
    this.name = name
    const chance = new Chance(seed, `machine ${name}`)
    const random: Random.Random = {
      nextIntUnsafe: () => Math.floor((chance.next() * 2 - 1) * Number.MAX_SAFE_INTEGER),
      nextDoubleUnsafe: () => chance.next()
    }
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => engine.soon(this, task),
      flush: () => undefined
    }
    const scheduler: Scheduler.Scheduler = {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= maxOps,
      makeDispatcher: () => dispatcher
    }
    const logger = Logger.make<unknown, void>((options) => {
      if (this.onLog === undefined) return
      const { logLevel, message } = options
      const text = `${logLevel}: ${Array.isArray(message) ? message.map(String).join(" ") : String(message)}`
      this.onLog(text, Logger.formatSimple.log(options))
    })
    this.context = Context.empty().pipe(
      Context.add(Clock.Clock, this.clock()),
      Context.add(Random.Random, random),
      Context.add(Scheduler.Scheduler, scheduler),
      Context.add(References.TracerEnabled, false),
      Context.add(References.MinimumLogLevel, logLevel),
      Context.add(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => void this.fibers++,
        recordFiberEnd: () => void this.fibers--
      }),
      Context.add(Logger.CurrentLoggers, new Set([logger])),
      Context.add(SecureRandom.SecureRandom, secureRandom(new Chance(seed, `secrets ${name}`)))
    )
  }

  /** Its wall clock, which may jump, and its monotonic one, which may not. */
  get wall(): number {
    return epoch + Math.floor(this.engine.now) + this.skew
  }

  /** `kill -9`. */
  kill(): void {
    this.alive = false
  }

  fork<A, E>(effect: Effect.Effect<A, E, SecureRandom.SecureRandom>): Fiber.Fiber<A, E> {
    return Effect.runForkWith(this.context)(effect)
  }

  after(millis: number, run: () => void): () => void {
    return this.engine.after(this, millis, run)
  }

  /** Something of the network's is there for it: read now, or when its thread is free. */
  read(task: () => void): void {
    if (this.isBusy) this.unread.push(task)
    else task()
  }

  clock(): Clock.Clock {
    const { engine } = this
    const wall = () => this.wall
    const nanos = () => BigInt(wall()) * 1_000_000n
    const monotonic = () => BigInt(Math.floor(engine.now * 1_000_000))
    return {
      currentTimeMillisUnsafe: wall,
      currentTimeMillis: Effect.sync(wall),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) => {
        const millis = Duration.toMillis(duration)
        if (!Number.isFinite(millis)) return Effect.never
        return Effect.callback<void>((resume) => {
          const cancel = this.after(millis, () => resume(Effect.void))
          return Effect.sync(cancel)
        })
      }
    }
  }
}
