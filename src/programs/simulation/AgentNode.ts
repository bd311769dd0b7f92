/**
 * One account of one agent's program: the real supervisor, dispatcher and journal over a simulated network and disk,
 * and an agent that does what the plan says. It may be stopped, restarted, or die at any write.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Account from "../../layers/channel/Account.ts"
import * as LinkProtocol from "../../layers/channel/LinkProtocol.ts"
import * as MemoryJournal from "../../layers/channel/MemoryJournal.ts"
import type { DialRequest, Socket, SocketDriver } from "../../layers/channel/SocketDriver.ts"
import * as SqlJournal from "../../layers/channel/SqlJournal.ts"
import * as StreamingDispatcher from "../../layers/channel/StreamingDispatcher.ts"
import * as Supervisor from "../../layers/channel/Supervisor.ts"
import * as WsDriver from "../../layers/channel/WsDriver.ts"
import { SimDatabase } from "../../layers/simulation/Database.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Link } from "../../layers/simulation/Network.ts"
import * as SqliteClient from "../../layers/sql/SqliteClient.ts"
import { AgentRuntime, type Turn } from "../../services/channel/AgentRuntime.ts"
import { Connection, type ConnectionState } from "../../services/channel/Connection.ts"
import { Dispatcher } from "../../services/channel/Dispatcher.ts"
import { Journal } from "../../services/channel/Journal.ts"
import { features, featuresHeader, readGap, readResponseAck } from "../../services/protocol/Control.ts"
import { decodeInbound } from "../../services/protocol/Inbound.ts"
import * as ClientSocket from "./ClientSocket.ts"
import { confine } from "./confined.ts"
import { type AccountPlan, systemPrompt } from "./Plan.ts"
import type { PlatformNode } from "./PlatformNode.ts"
import type { Stage } from "./Stage.ts"
import { type End, Wiretap } from "./Wiretap.ts"

const heartbeatInterval = 30_000
const timeoutThreshold = 60_000
const maxFrameBytes = 48 * 1024
const grace = 2_000
/** How long a link that is not greeted waits before it is written to. */
const greetingTimeout = 2_000
/** Grace, what an agent may take to stop, the closing handshake, and a little. */
const stopBound = 15_000
const restartAfter = 1_500
/** Longer than it takes to find out that a socket is dead, and to dial again. */
const quietAfter = 180_000
/** A link is stable after so long; until then each failure doubles the wait. */
const stableAfter = 30_000
const backoff = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 30_000)

/** What became of one turn, as the agent itself knows it. */
export interface Taken {
  readonly messageId: string
  readonly responseId: string
  readonly life: number
  readonly memory: number
  readonly begunAt: number
  text: string
  end: "running" | "completed" | "failed" | "interrupted"
}

interface Running {
  readonly machine: Machine
  readonly connection: Connection["Service"]
  readonly dispatcher: Dispatcher["Service"]
  readonly journal: Journal["Service"]
  readonly stop: Deferred.Deferred<void>
}

/** What one process sees of its sockets. */
interface Sockets {
  /** The newest link that anything was written to. */
  written: number
  /** When each link was greeted. */
  readonly greeted: Map<number, number>
  /** Links that have opened, and to which nothing has come yet that would let them be written to. */
  readonly fresh: Map<number, number>
  heardAt: number
  readonly pongs: Set<number>
  open: number
}

export type Refusing = { readonly how: "status" | "network" | "silence" | "credentials"; readonly until: number }

export class AgentNode {
  readonly stage: Stage
  readonly platform: PlatformNode
  readonly index: number
  readonly name: string
  readonly plan: AccountPlan
  readonly runtime: AgentRuntime["Service"]
  readonly tap: Wiretap
  /** The turns of this account, in the order in which they began. */
  readonly turns: Array<Taken> = []
  /** How often each message has reached a process of this account, by message id. */
  readonly deliveries = new Map<string, number>()
  readonly responseOf = new Map<string, string>()
  readonly messageOf = new Map<string, string>()
  readonly links = new Set<Link>()
  refusing: Refusing | undefined
  /** When something last went wrong for it. */
  disturbedAt = Number.NEGATIVE_INFINITY
  /** Frames of the platform's that came last, for those who repeat them. */
  recent: Array<string> = []
  lives = 0
  /** Told when a frame of a reply leaves. */
  onFrame: ((messageId: string, frames: number) => void) | undefined
  readonly frames = new Map<string, number>()
  #running: Running | undefined
  #ended = false
  #turnsNow = 0
  readonly #sessionsNow = new Map<string, number>()
  #failures = 0
  #lastDialAt = Number.NEGATIVE_INFINITY
  #renewals = 0
  /** When the socket ended that had taken over, while older ones were left that only drain. */
  #idleSince: number | undefined
  readonly #wrongSecret: string

  /** Where its journal is kept; undefined = in the memory of the process. */
  readonly database: SimDatabase | undefined

  constructor(
    stage: Stage,
    platform: PlatformNode,
    index: number,
    plan: AccountPlan,
    runtime: AgentRuntime["Service"],
    journal: string | undefined
  ) {
    this.stage = stage
    this.platform = platform
    this.index = index
    this.name = `agent ${index}`
    this.#wrongSecret = `a secret of agent ${index} that is no longer good`
    stage.secrets.add(this.#wrongSecret)
    this.plan = plan
    this.database = journal === undefined ? undefined : new SimDatabase(journal, plan.durability)
    this.runtime = this.#watched(runtime)
    this.tap = new Wiretap(stage, this.name, {
      frame: (responseId) => {
        const messageId = this.messageOf.get(responseId)
        if (messageId === undefined) return
        const count = (this.frames.get(messageId) ?? 0) + 1
        this.frames.set(messageId, count)
        this.onFrame?.(messageId, count)
      },
      deliveries: (responseId) => this.deliveries.get(this.messageOf.get(responseId) ?? "") ?? 0,
      knows: (messageId, responseId, sure) => {
        this.messageOf.set(responseId, messageId)
        if (sure) this.#name(messageId, responseId)
      },
      written: (responseId) => this.#written(responseId)
    })
  }

  get machine(): Machine | undefined {
    return this.#running?.machine
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  get turnsNow(): number {
    return this.#turnsNow
  }

  get state(): ConnectionState | undefined {
    const running = this.#running
    return running === undefined ? undefined : SubscriptionRef.getUnsafe(running.connection.state)
  }

  /** The key under which a turn and a reply of it are one. */
  #name(messageId: string, responseId: string): void {
    const known = this.responseOf.get(messageId)
    if (known === undefined) {
      this.responseOf.set(messageId, responseId)
      this.messageOf.set(responseId, messageId)
      return
    }
    this.stage.laws.check(
      "once",
      known === responseId,
      () => `${this.name} answers ${messageId} as ${responseId.slice(0, 13)} and as ${known.slice(0, 13)}`
    )
  }

  // ---- the agent ----

  #watched(runtime: AgentRuntime["Service"]): AgentRuntime["Service"] {
    return AgentRuntime.of({
      ...runtime,
      reply: (turn) =>
        Stream.unwrap(
          Effect.sync(() => {
            const { life, taken } = this.#begin(turn)
            return runtime.reply(turn).pipe(
              Stream.mapArray((parts) => {
                for (const part of parts) if (part._tag === "Text") taken.text += part.text
                return parts
              }),
              Stream.onExit((exit) =>
                Effect.sync(() => {
                  if (life !== this.lives) return
                  const interrupted = exit._tag === "Failure" && exit.cause.reasons.every((r) => r._tag === "Interrupt")
                  this.#end(turn, taken, exit._tag === "Success" ? "completed" : interrupted ? "interrupted" : "failed")
                })
              )
            )
          })
        )
    })
  }

  #begin(turn: Turn) {
    const { laws } = this.stage
    const messageId = turn.messageId ?? "?"
    const taken: Taken = {
      messageId,
      responseId: turn.responseId,
      life: this.lives,
      // What a journal in memory has promised ends with its process.
      memory: this.database === undefined ? this.lives : 0,
      begunAt: this.stage.now,
      text: "",
      end: "running"
    }
    this.stage.trace(this.name, `turn ${messageId}`)
    const before = this.turns.find((other) => other.messageId === messageId && other.memory === taken.memory)
    laws.check("once", before === undefined, () => `${this.name} ran ${messageId} a second time`)
    this.#name(messageId, turn.responseId)
    this.turns.push(taken)
    this.#turnsNow++
    const { maxConcurrent } = this.plan
    const now = this.#turnsNow
    laws.check("bounded", now <= maxConcurrent, () => `${this.name} runs ${now} replies; ${maxConcurrent} is its limit`)
    confine(this.stage, this, turn)
    const inSession = (this.#sessionsNow.get(turn.sessionKey) ?? 0) + 1
    this.#sessionsNow.set(turn.sessionKey, inSession)
    laws.check("order", inSession === 1, () => `${this.name} runs ${inSession} replies of one session at once`)
    return { taken, life: this.lives }
  }

  #end(turn: Turn, taken: Taken, end: Taken["end"]): void {
    this.stage.trace(this.name, `turn ${taken.messageId} ${end}`)
    taken.end = end
    this.#turnsNow--
    this.#sessionsNow.set(turn.sessionKey, (this.#sessionsNow.get(turn.sessionKey) ?? 1) - 1)
  }

  // ---- its life ----

  start(): void {
    if (this.#running !== undefined || this.#ended) return
    const life = ++this.lives
    const machine = this.stage.engine.machine(`${this.name}/${life}`)
    machine.onLog = (text, whole) => {
      this.stage.trace(this.name, text)
      this.stage.guard(`${this.name} logged`, whole)
    }
    this.stage.trace(this.name, `starts, life ${life}`)
    this.#turnsNow = 0
    this.#sessionsNow.clear()
    this.#failures = 0
    this.#lastDialAt = Number.NEGATIVE_INFINITY
    this.#idleSince = undefined
    if (this.database === undefined) this.responseOf.clear()
    const stop = Deferred.makeUnsafe<void>()
    const { plan } = this
    const { narrow } = this.stage.plan.profile
    const main = Effect.gen({ self: this }, function* () {
      const sockets: Sockets = {
        written: 0,
        greeted: new Map(),
        fresh: new Map(),
        heardAt: 0,
        pongs: new Set(),
        open: 0
      }
      const connection = yield* Supervisor.make({
        driver: this.#driver(machine, sockets),
        protocol: LinkProtocol.instaclaw(Effect.sync(() => this.#request())),
        heartbeatInterval,
        timeoutThreshold,
        maxFrameBytes,
        outboxBytes: plan.outboxBytes,
        socketBytes: narrow ? 512 : 8 * 1024,
        closeTimeout: 500,
        stableAfter,
        name: this.name
      })
      const journal = yield* this.#journal(machine)
      const services = Context.empty().pipe(
        Context.add(Connection, connection),
        Context.add(Journal, journal),
        Context.add(AgentRuntime, this.runtime)
      )
      const dispatcher = yield* StreamingDispatcher.make({
        accountId: this.name,
        maxConcurrent: plan.maxConcurrent,
        maxQueued: plan.maxQueued,
        requestTimeout: plan.requestTimeout,
        stallTimeout: plan.stallTimeout,
        grace,
        deltaSize: 50,
        dialect: undefined,
        systemPrompt
      }).pipe(Effect.provideContext(services))
      yield* Effect.forkScoped(Account.run.pipe(Effect.provideContext(Context.add(services, Dispatcher, dispatcher))))
      this.#running = { machine, connection, dispatcher, journal, stop }
      this.#sample(machine, sockets)
      yield* Deferred.await(stop)
    }).pipe(Effect.scoped)
    const fiber = machine.fork(main)
    fiber.addObserver((exit) => {
      if (!machine.alive) return
      if (exit._tag === "Success") return this.stage.trace(this.name, "has stopped")
      // A program that cannot start, or that a fault of its own brings down.
      this.stage.trace(this.name, `breaks down: ${Cause.pretty(exit.cause)}`)
      this.stage.guard(`${this.name} ended with`, Cause.pretty(exit.cause))
      this.crash(machine)
    })
  }

  /** Stops in order. */
  stop(again: boolean): void {
    const running = this.#running
    if (!again) this.#ended = true
    if (running === undefined) return
    const { dispatcher, journal, machine, stop } = running
    // Who computes hears no signal.
    if (machine.isBusy)
      return void this.stage.outside.after(machine.busyUntil - this.stage.now + 1, () => this.stop(again))
    this.#running = undefined
    this.stage.trace(this.name, "is asked to stop")
    this.stage.guard(`${this.name} shows`, JSON.stringify(Effect.runSync(dispatcher.recent)))
    const asked = this.stage.now
    machine.fork(Deferred.succeed(stop, undefined))
    this.stage.outside.after(stopBound, () => {
      if (!machine.alive) return
      const { laws } = this.stage
      laws.check("stop", machine.timers === 0 && machine.ready === 0, () => {
        return `${this.name} left ${machine.timers} timers and ${machine.ready} tasks ${stopBound / 1000} s after it was asked to stop at ${asked / 1000} s`
      })
      laws.check("stop", machine.fibers === 0, () => `${this.name} left ${machine.fibers} fibers when it stopped`)
      laws.check("stop", this.#turnsNow === 0, () => `${this.name} left ${this.#turnsNow} replies running`)
      for (const link of this.links) {
        laws.check("stop", link.client.over, () => `${this.name} left socket ${link.number} behind`)
      }
      const left = this.#unfinished(journal)
      // What the disk refused to the last can be written by nobody.
      laws.check("one-terminal", left === 0 || this.database?.refusedLast === true, () => {
        return `${this.name} stopped and left ${left} replies without an end`
      })
      this.tap.died()
      machine.kill()
      if (again) this.stage.outside.after(restartAfter, () => this.start())
    })
  }

  /** `kill -9`, and started again after a while. */
  crash(machine = this.#running?.machine): void {
    if (machine === undefined || !machine.alive) return
    this.stage.trace(this.name, "dies")
    this.#running = undefined
    this.tap.died()
    for (const turn of this.turns) if (turn.end === "running") turn.end = "interrupted"
    this.stage.unplug(machine)
    // Not from within the statement that it died in.
    this.stage.outside.after(0, () => {
      if (this.stage.plan.profile.death === "power") this.database?.powerCut(this.stage.chance(`power ${machine.name}`))
      else this.database?.crash()
      this.stage.outside.after(restartAfter, () => this.start())
    })
  }

  #journal(machine: Machine): Effect.Effect<Journal["Service"], unknown, Scope.Scope> {
    const { database } = this
    if (database === undefined) return MemoryJournal.make()
    return Effect.flatMap(Effect.provide(SqliteClient.over(database.connect(machine)), Reactivity.layer), (sql) =>
      SqlJournal.make({ defer: (task) => void machine.after(0, task) }).pipe(Effect.provideService(SqlClient, sql))
    )
  }

  /** Accepted, and without an end. */
  #unfinished(journal: Journal["Service"]): number {
    const { database } = this
    if (database === undefined) return Effect.runSync(journal.unfinished(this.name)).length
    const row = database.raw.prepare("SELECT count(*) AS n FROM entries WHERE state < 4").get()
    return Number(row?.["n"] ?? 0)
  }

  /** How a reply ended, as it is on the disk. */
  #written(responseId: string): End | undefined {
    const row = this.database?.look(
      "SELECT state, code FROM entries LEFT JOIN outcomes ON outcomes.id = entries.id WHERE response_id = ?",
      responseId
    )
    if (row === undefined || Number(row["state"]) < 4) return undefined
    return row["code"] === null ? "completed" : String(row["code"])
  }

  /** The operator mended what was wrong. */
  unblock(): void {
    const running = this.#running
    this.#failures = 0
    running?.machine.read(() => running.machine.fork(running.connection.unblock))
  }

  inFlight(): number {
    const running = this.#running
    return running === undefined ? 0 : Effect.runSync(running.dispatcher.inFlight).length
  }

  // ---- its sockets ----

  #request(): DialRequest {
    const credentials = this.platform.accounts[this.index]
    const wrong = this.refusing?.how === "credentials" && this.refusing.until > this.stage.now
    return {
      url: "ws://platform/ws/chat",
      headers: {
        "x-app-key": credentials?.appKey ?? "",
        "x-app-secret": wrong ? this.#wrongSecret : (credentials?.appSecret ?? ""),
        "x-claw-dialect": this.plan.dialect,
        ...(this.plan.features ? { [featuresHeader]: features.join(",") } : {})
      },
      hello: []
    }
  }

  /** A dial too soon after the last failure is a storm: the waits double until a link was stable. */
  #dialed(sockets: Sockets): void {
    const { laws, now } = this.stage
    if (this.#failures > 0 && this.#renewals === 0 && sockets.open === 1) {
      const due = backoff(this.#failures)
      const waited = now - this.#lastDialAt
      laws.check(
        "bounded",
        waited >= due,
        () =>
          `${this.name} dialed again after ${Math.round(waited)} ms; after ${this.#failures} failures ${due} ms are due`
      )
    }
    if (this.#renewals > 0) this.#renewals--
  }

  renewed(): void {
    this.#renewals++
  }

  /** @param newest It was greeted, and none after it: what is left of older ones drains. */
  #lost(sockets: Sockets, openedAt: number | undefined, newest: boolean): void {
    const { now } = this.stage
    this.disturbedAt = now
    if (openedAt !== undefined && now - openedAt >= stableAfter - 1) this.#failures = 0
    if (sockets.open > 0) {
      // Where another one serves nothing was lost; one that only drains holds up no backoff.
      if (newest) this.#idleSince = now
      return
    }
    this.#failures++
    this.#lastDialAt = this.#idleSince ?? now
    this.#idleSince = undefined
  }

  #driver(machine: Machine, sockets: Sockets): SocketDriver {
    const dial: SocketDriver["dial"] = (request, _limits, events) => this.#dial(machine, sockets, request, events)
    const network: ClientSocket.Network = {
      dial: (url, headers, events) => this.#dial(machine, sockets, { url, headers, hello: [] }, events),
      fallen: (error) => {
        this.stage.laws.report("stop", `${this.name} gave up a socket and fell over it: ${error.message}`)
        this.crash(machine)
      }
    }
    const own = this.stage.plan.profile.hostile ? WsDriver.over(ClientSocket.make(network)).dial : dial
    return { defer: (task) => void machine.after(0, task), dial: own }
  }

  #dial(machine: Machine, sockets: Sockets, request: DialRequest, events: Parameters<SocketDriver["dial"]>[2]): Socket {
    const { stage } = this
    const chance = stage.chance(`dial ${machine.name} ${stage.figures.sockets} ${Math.floor(stage.now)}`)
    const latency = this.plan.latency
    let link: Link | undefined
    let openedAt: number | undefined
    let over = false
    const alive = () => machine.alive && !over
    const finish = (end: Parameters<typeof events.ended>[0]): void => {
      if (!alive()) return
      over = true
      sockets.open--
      const number = link?.number
      const newest = number !== undefined && number === Math.max(...sockets.greeted.keys())
      if (link !== undefined) {
        sockets.greeted.delete(link.number)
        sockets.fresh.delete(link.number)
      }
      this.#lost(sockets, openedAt, newest)
      stage.trace(
        this.name,
        `socket ${link?.number ?? "-"} ended: ${end._tag === "Failed" ? end.detail : end._tag === "Closed" ? end.code : end.status}`
      )
      events.ended(end)
    }
    const fail = (end: Parameters<typeof events.ended>[0]): void => machine.read(() => finish(end))
    sockets.open++
    this.disturbedAt = stage.now
    this.#dialed(sockets)
    stage.trace(this.name, "dials")
    const refusing = this.refusing !== undefined && this.refusing.until > stage.now ? this.refusing.how : undefined
    const lastFailure = this.state?.lastFailure
    const arrive = (): void => {
      if (!alive()) return
      if (refusing === "silence") return
      if (refusing === "network") return fail({ _tag: "Failed", detail: "nobody listens at this address" })
      if (refusing === "status") return fail({ _tag: "Refused", status: chance.pick([502, 503, 429]) })
      this.platform.upgrade(
        request.url,
        request.headers,
        (server) => {
          if (!alive()) return undefined
          link = stage.link(machine, server, { latency, window: stage.plan.profile.narrow ? 512 : 16 * 1024 })
          this.links.add(link)
          this.#open(machine, sockets, link, events, finish, () => (openedAt = stage.now), alive)
          return link
        },
        (status) => {
          stage.network.after(chance.around(latency), () =>
            fail(
              status === 0 ? { _tag: "Failed", detail: "nobody listens at this address" } : { _tag: "Refused", status }
            )
          )
        }
      )
    }
    stage.network.after(1 + chance.around(latency) * 2, arrive)
    const number = (): number => link?.number ?? 0
    return {
      send: (frames) => {
        if (link === undefined || !alive()) return
        this.#wrote(sockets, number())
        for (const frame of frames) {
          if (stage.lines !== undefined) stage.trace(this.name, `-> ${number()} ${frame.slice(0, 420)}`)
          link.client.send(frame)
          this.tap.frame(frame, stage.now - this.disturbedAt > quietAfter)
        }
      },
      ping: () => {
        if (alive()) link?.client.ping()
      },
      bufferedBytes: () => link?.client.buffered ?? 0,
      pause: () => {
        if (link !== undefined) link.client.paused = true
      },
      resume: () => link?.client.resume(),
      close: (code) => {
        if (!alive()) return
        if (link === undefined || openedAt === undefined) {
          machine.after(0, () => finish({ _tag: "Failed", detail: "the dial was given up" }))
          link?.client.terminate()
        } else link.client.close(code)
      },
      terminate: () => {
        if (!alive()) return
        const given = openedAt === undefined
        if (link !== undefined && !given) this.#cutOff(link, lastFailure)
        link?.client.terminate()
        if (given) machine.after(0, () => finish({ _tag: "Failed", detail: "the dial was given up" }))
      }
    }
  }

  #open(
    machine: Machine,
    sockets: Sockets,
    link: Link,
    events: Parameters<SocketDriver["dial"]>[2],
    finish: (end: Parameters<typeof events.ended>[0]) => void,
    opened: () => void,
    alive: () => boolean
  ): void {
    const { stage } = this
    const delay = 0.5 + link.chance.around(this.plan.latency)
    // The answer to the upgrade comes before everything else.
    link.server.hold(delay)
    stage.network.after(delay, () =>
      machine.read(() => {
        if (!alive() || link.client.over) return
        opened()
        sockets.heardAt = stage.now
        sockets.fresh.set(link.number, stage.now)
        events.opened()
      })
    )
    const heard = (): void => {
      sockets.heardAt = stage.now
    }
    link.client.listener = {
      frame: (text) =>
        machine.read(() => {
          if (!alive()) return
          heard()
          this.#arrived(sockets, link, text)
          events.frame(text)
        }),
      ping: () => undefined,
      pong: () =>
        machine.read(() => {
          if (!alive()) return
          heard()
          sockets.fresh.delete(link.number)
          sockets.pongs.add(machine.wall)
          events.pong()
        }),
      drained: () =>
        machine.read(() => {
          if (alive()) events.drained()
        }),
      closed: (code) => {
        this.links.delete(link)
        machine.read(() => finish({ _tag: "Closed", code }))
      }
    }
  }

  /** A link may be given up for want of pongs only where the network, or the other side, kept them back. */
  #cutOff(link: Link, before: ConnectionState["lastFailure"]): void {
    const { laws, now } = this.stage
    const why = this.state?.lastFailure
    if (why === before || why?.reason._tag !== "HeartbeatLost" || [...this.links].at(-1) !== link) return
    const healthy = link.sickUntil <= now && !link.server.over && !link.server.paused && link.server.machine.alive
    laws.check(
      "honest-status",
      !healthy,
      () => `${this.name} gave up socket ${link.number}, which is healthy: ${why.message}`
    )
  }

  #arrived(sockets: Sockets, link: Link, text: string): void {
    if (this.stage.lines !== undefined) this.stage.trace(this.name, `<- ${link.number} ${text.slice(0, 160)}`)
    const inbound = decodeInbound(text)
    if (inbound._tag === "AutoBound") {
      for (const { sessionId } of inbound.sessions) {
        const own = this.platform.ownersOf(sessionId)?.account === this.index
        this.stage.laws.check("confined", own, () => `${this.name} was bound to ${sessionId}, which is another's`)
      }
      if (!sockets.greeted.has(link.number)) {
        sockets.greeted.set(link.number, this.stage.now)
        this.#idleSince = undefined
      }
      sockets.fresh.delete(link.number)
    } else if (inbound._tag === "Request") {
      const { messageId } = inbound.request
      if (messageId !== undefined) this.deliveries.set(messageId, (this.deliveries.get(messageId) ?? 0) + 1)
      this.recent = [...this.recent.slice(-3), text]
    } else if (inbound._tag === "Disconnect") {
      this.renewed()
    } else if (inbound._tag === "Control") {
      const gap = inbound.type === "response.gap" ? readGap(inbound.frame) : undefined
      const ack = inbound.type === "response.ack" ? readResponseAck(inbound.frame) : undefined
      if (gap !== undefined) this.tap.missing(gap.responseId, gap.from)
      else if (ack !== undefined) this.tap.acknowledged(ack)
    }
  }

  /** Law one-socket, where it counts: at the write. */
  #wrote(sockets: Sockets, number: number): void {
    const { laws, now } = this.stage
    // The newer one ended before it took over: this one serves on.
    this.#idleSince = undefined
    laws.check(
      "one-socket",
      number >= sockets.written,
      () => `${this.name} writes to socket ${number} after it wrote to socket ${sockets.written}`
    )
    sockets.written = Math.max(sockets.written, number)
    const opened = sockets.fresh.get(number)
    laws.check(
      "one-socket",
      opened === undefined || now - opened >= greetingTimeout - 1,
      () => `${this.name} writes to socket ${number}, to which no greeting and no pong has come`
    )
    for (const [newer, at] of sockets.greeted) {
      laws.check(
        "one-socket",
        newer <= number || at >= now,
        () => `${this.name} writes to socket ${number} although socket ${newer} was greeted`
      )
    }
  }

  /** What can be seen from outside, looked at from time to time. */
  #sample(machine: Machine, sockets: Sockets): void {
    const { laws, outside, secrets } = this.stage
    let shown: ConnectionState | undefined
    let known = 0
    const look = (): void => {
      const running = this.#running
      if (!machine.alive || running?.machine !== machine) return
      // Who computes answers nobody who asks for its state.
      if (machine.isBusy) return void outside.after(machine.busyUntil - this.stage.now + 100, look)
      const state = SubscriptionRef.getUnsafe(running.connection.state)
      // It is never changed, only replaced.
      if (state !== shown || known !== secrets.size) {
        shown = state
        known = secrets.size
        this.stage.guard(`${this.name} shows`, `${state.lastFailure?.message} ${JSON.stringify(state)}`)
      }
      const silence = this.stage.now - sockets.heardAt
      laws.check(
        "honest-status",
        state.phase !== "connected" || silence <= timeoutThreshold + 1_500,
        () => `${this.name} says connected and has heard nothing for ${Math.round(silence / 1000)} s`
      )
      laws.check(
        "honest-status",
        state.lastPongAt === undefined || sockets.pongs.has(state.lastPongAt),
        () => `${this.name} says a pong came at ${state.lastPongAt}, and none did`
      )
      const dead = heartbeatInterval * 4 + 5_000
      laws.check(
        "honest-status",
        (state.phase !== "connected" && state.phase !== "suspect") || silence <= dead,
        () => `${this.name} holds on to a socket that has been silent for ${Math.round(silence / 1000)} s`
      )
      const limit = Math.max(this.plan.outboxBytes, maxFrameBytes)
      laws.check(
        "bounded",
        state.outboxBytes <= limit,
        () => `${this.name} holds ${state.outboxBytes} bytes; ${limit} is its limit`
      )
      laws.check("one-socket", sockets.open <= 3, () => `${this.name} holds ${sockets.open} sockets`)
      outside.after(5_000, look)
    }
    outside.after(1_000 + this.index * 10, look)
  }
}
