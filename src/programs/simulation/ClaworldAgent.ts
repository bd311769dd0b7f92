/**
 * One agent of Claworld: the real supervisor and the real LiveRelay over a journal on a disk of its own, in a process
 * that dies at any write, and an agent behind it that says this and that, or nothing.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql/SqlClient"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as SimAgent from "../../layers/channel/SimAgent.ts"
import type { DialRequest, Socket, SocketEnd, SocketEvents } from "../../layers/channel/SocketDriver.ts"
import * as SqlJournal from "../../layers/channel/SqlJournal.ts"
import * as Supervisor from "../../layers/channel/Supervisor.ts"
import type { Chance } from "../../layers/simulation/Chance.ts"
import { SimDatabase } from "../../layers/simulation/Database.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Link } from "../../layers/simulation/Network.ts"
import * as SqliteClient from "../../layers/sql/SqliteClient.ts"
import * as LiveRelay from "../../layers/worlds/LiveRelay.ts"
import * as relayProtocol from "../../layers/worlds/relayProtocol.ts"
import { AgentError, AgentRuntime, type Turn, Unavailable } from "../../services/channel/AgentRuntime.ts"
import type { Connection } from "../../services/channel/Connection.ts"
import { Journal } from "../../services/channel/Journal.ts"
import { decodeServer } from "../../services/protocol/RelayFrame.ts"
import { endToken, silenceToken } from "../../services/protocol/Worlds.ts"
import { FetchFailed, Refused, WorldApi, WorldApiError } from "../../services/worlds/WorldApi.ts"
import type { Expected } from "./ClaworldLaws.ts"
import type { ClaworldPlatform, Doors, Founded } from "./ClaworldPlatform.ts"
import type { Stage } from "./Stage.ts"

const answerWithin = 12_000
const latency = 60
const window = 16 * 1024
/** Frames that whoever repeats them still has. */
const kept = 6

type TalksError = Effect.Error<ReturnType<Doors["talks"]["replied"]>>

const unused = () => Effect.die(new Error("not simulated"))

export class ClaworldAgent {
  readonly name: string
  readonly agentId: string
  readonly database: SimDatabase
  readonly #token: string
  readonly #stage: Stage
  readonly #platform: ClaworldPlatform
  readonly #chance: Chance
  #running: { readonly machine: Machine; readonly connection: Connection["Service"] | undefined } | undefined
  #lives = 0
  #said = 0
  /** Writes and commits until it dies. */
  left = Number.POSITIVE_INFINITY
  /** Nobody answers its dials until then. Virtual milliseconds. */
  refusedUntil = 0
  readonly links = new Set<Link>()
  /** The newest link on which it is known by now. */
  #known: Link | undefined
  #down: Array<string> = []
  #up: Array<string> = []

  constructor(stage: Stage, platform: ClaworldPlatform, name: string, founded: Founded, journal: string) {
    this.#stage = stage
    this.#platform = platform
    this.#chance = stage.chance(name)
    this.name = name
    this.agentId = founded.agentId
    this.#token = founded.appToken
    this.database = new SimDatabase(journal, stage.plan.profile.death === "power" ? "full" : "normal")
    this.database.passing = (when, attempt) => {
      if ((when === "after" || attempt.commit) && --this.left < 0) this.die(this.#chance.int(500, 90_000))
    }
  }

  get machine(): Machine | undefined {
    return this.#running?.machine
  }

  get isConnected(): boolean {
    const connection = this.#running?.connection
    return connection !== undefined && SubscriptionRef.getUnsafe(connection.state).phase === "connected"
  }

  /** Replies that it has taken on and not ended. */
  get unfinished(): number {
    return Number(this.database.look("SELECT count(*) AS n FROM entries WHERE state < 4")?.["n"] ?? 0)
  }

  // ---- what it says ----

  #words(): string {
    return `word ${++this.#said} of ${this.name}`
  }

  /** What it does about a delivery, and what of that is its answer. First words are seldom missing. */
  #plan(isFirst: boolean): { readonly script: SimAgent.Script; readonly expected: Expected } {
    const chance = this.#chance
    const isCalm = this.#platform.isCalm
    const millis = isCalm ? 500 : chance.flip(0.07) ? chance.int(8_000, 25_000) : chance.int(100, 5_000)
    const pause = SimAgent.wait(millis)
    const how = chance.int(0, isCalm ? 15 : 21) - (isFirst ? 6 : 0)
    const text = this.#words()
    const nothing = { silence: "runtime_failed_before_reply" } as const
    if (millis >= answerWithin) return { script: [pause, SimAgent.say(text)], expected: nothing }
    if (how < 12) return { script: [pause, SimAgent.say(text)], expected: { text, hand: false } }
    if (how < 15) {
      return { script: [pause, SimAgent.say(`${text}\n`, endToken)], expected: { text, hand: true } }
    }
    if (how === 15) return { script: [pause, SimAgent.say(endToken)], expected: { text: "", hand: true } }
    if (how === 16) return { script: [pause], expected: { silence: "no_renderable_reply" } }
    if (how < 19) return { script: [pause, SimAgent.say(silenceToken)], expected: { silence: "no_reply_token" } }
    if (how === 19) return { script: [SimAgent.say(text), SimAgent.stall], expected: nothing }
    if (how === 20) return { script: [pause, SimAgent.die(new Error("simulated"))], expected: nothing }
    const error = new AgentError({ reason: new Unavailable({ detail: "simulated" }) })
    return { script: [SimAgent.say(text), pause, SimAgent.fail(error)], expected: nothing }
  }

  #script(turn: Turn): SimAgent.Script {
    const [part] = turn.parts
    const text = part !== undefined && "text" in part ? String(part.text) : ""
    const { expected, script } = this.#plan(text.startsWith("brief"))
    this.#stage.trace(this.name, `is asked ${turn.messageId}: ${text}`)
    this.#platform.laws.asked(this.agentId, turn.messageId ?? "", text, expected)
    const chance = this.#chance
    if (!this.#platform.isCalm && chance.flip(0.08)) {
      const away = chance.int(500, 8_000)
      this.#stage.outside.after(chance.int(1, 3_000), () => this.die(away))
    }
    return script
  }

  // ---- the second way ----

  #say(machine: Machine, deliveryId: string, run: (doors: Doors) => Effect.Effect<unknown, TalksError>) {
    return this.#platform.ask(machine, run).pipe(
      Effect.retry({ times: 2, while: (error) => error._tag !== "WorldRefusal" }),
      Effect.asVoid,
      Effect.catch((error) => {
        if (error._tag !== "WorldRefusal") {
          return Effect.fail(new WorldApiError({ reason: new FetchFailed({ detail: "nobody answers" }) }))
        }
        const { code, kind, message } = error
        if (kind === "conflict") return Effect.void
        return Effect.fail(new WorldApiError({ reason: new Refused({ status: 400, code, message }) }))
      }),
      Effect.tap(() => Effect.sync(() => this.#stage.trace(this.name, `told of ${deliveryId} by HTTP`)))
    )
  }

  #api(machine: Machine): WorldApi["Service"] {
    const { agentId } = this
    return WorldApi.of({
      self: Effect.die(new Error("not simulated")),
      worlds: unused,
      world: unused,
      createWorld: unused,
      join: unused,
      leave: unused,
      candidates: unused,
      requestChat: unused,
      chatRequests: unused,
      acceptChatRequest: unused,
      rejectChatRequest: unused,
      transcript: unused,
      endConversation: unused,
      block: unused,
      feedback: unused,
      deliveryAccepted: (id) => this.#say(machine, id, ({ talks }) => talks.accepted(agentId, id)),
      deliveryReply: (id, _session, text) =>
        this.#say(machine, id, ({ talks }) =>
          Effect.tap(talks.replied(agentId, id, text), () =>
            Effect.sync(() => this.#platform.laws.confirmed(agentId, id))
          )
        ),
      deliveryKeptSilent: (id, _session, reason) =>
        this.#say(machine, id, ({ talks }) => talks.keptSilent(agentId, id, reason))
    })
  }

  // ---- its life ----

  start(): void {
    if (this.#running !== undefined) return
    const machine = this.#stage.engine.machine(`${this.name}/${++this.#lives}`)
    this.#stage.trace(this.name, `starts, life ${this.#lives}`)
    machine.onLog = (text) => this.#stage.trace(this.name, text)
    this.#running = { machine, connection: undefined }
    const life = Effect.gen({ self: this }, function* () {
      const sql = yield* Effect.provide(SqliteClient.over(this.database.connect(machine)), Reactivity.layer)
      const journal = yield* SqlJournal.make({ defer: (task) => void machine.after(0, task) }).pipe(
        Effect.provideService(SqlClient, sql)
      )
      const request = { url: "ws://claworld/ws", headers: {} }
      const hello = [relayProtocol.authFrame(this.agentId, this.#token, "0.0.0")]
      const connection = yield* Supervisor.make({
        driver: {
          defer: (task) => void machine.after(0, task),
          dial: (_request: DialRequest, _limits, events) => this.#dial(machine, events)
        },
        protocol: relayProtocol.relay(Effect.succeed({ ...request, hello })),
        heartbeatInterval: "15 seconds",
        backoffCap: "8 seconds",
        name: this.name
      })
      yield* LiveRelay.make({
        accountId: this.name,
        connection,
        systemPrompt: undefined,
        concurrency: 2,
        answerWithin
      }).pipe(
        Effect.provideService(Journal, journal),
        Effect.provideService(WorldApi, this.#api(machine)),
        Effect.provideService(AgentRuntime, SimAgent.make({ script: (turn) => this.#script(turn) }))
      )
      this.#running = { machine, connection }
      return yield* Effect.never
    }).pipe(Effect.scoped)
    machine.fork(life).addObserver((exit) => {
      if (!machine.alive || exit._tag === "Success") return
      // A disk that cannot be read at the start.
      this.#stage.trace(this.name, `breaks down: ${Cause.pretty(exit.cause)}`)
      this.die(2_000)
    })
  }

  /** Dies, and is started again after so many milliseconds. */
  die(away: number): void {
    const machine = this.#running?.machine
    if (machine === undefined) return
    this.#stage.trace(this.name, "dies")
    this.#running = undefined
    this.left = Number.POSITIVE_INFINITY
    this.#platform.laws.troubled(this.agentId)
    this.#stage.unplug(machine)
    // Not from within the statement that it died in.
    this.#stage.outside.after(0, () => {
      if (this.#stage.plan.profile.death === "power") this.database.powerCut(this.#chance)
      else this.database.crash()
      this.#stage.outside.after(this.#platform.isCalm ? 500 : away, () => this.start())
    })
  }

  stop(): void {
    const machine = this.#running?.machine
    this.#running = undefined
    if (machine !== undefined) this.#stage.unplug(machine)
  }

  /** Whoever looks after it mends what keeps it away. */
  mend(): void {
    const running = this.#running
    const connection = running?.connection
    if (running === undefined || connection === undefined) return
    if (SubscriptionRef.getUnsafe(connection.state).phase === "blocked") running.machine.fork(connection.unblock)
  }

  // ---- its sockets ----

  /** A gateway on the way that is not sure whether its last frames came through, of whatever connection. */
  replay(): void {
    const link = this.#known
    if (link === undefined || link.client.over) return
    for (const frame of this.#down) link.server.send(frame)
    for (const frame of this.#up) link.client.send(frame)
  }

  #dial(machine: Machine, events: SocketEvents): Socket {
    const stage = this.#stage
    const chance = this.#chance
    let link: Link | undefined
    let isOpen = false
    let isOver = false
    const finish = (end: SocketEnd): void => {
      if (!machine.alive || isOver) return
      isOver = true
      if (link !== undefined) this.links.delete(link)
      events.ended(end)
    }
    const fail = (detail: string): void => machine.read(() => finish({ _tag: "Failed", detail }))
    const listen = (made: Link): void => {
      const hears = (run: () => void) => () =>
        machine.read(() => {
          if (machine.alive && !isOver) run()
        })
      const delay = 0.5 + made.chance.around(latency)
      made.server.hold(delay)
      stage.network.after(
        delay,
        hears(() => {
          if (made.client.over) return
          isOpen = true
          events.opened()
        })
      )
      made.client.listener = {
        frame: (text) => hears(() => this.#arrived(made, text, events))(),
        ping: () => undefined,
        pong: hears(() => events.pong()),
        drained: hears(() => events.drained()),
        closed: (code) => machine.read(() => finish({ _tag: "Closed", code }))
      }
    }
    stage.network.after(1 + chance.around(latency) * 2, () => {
      if (!machine.alive || isOver) return
      if (this.refusedUntil > stage.now) return fail("nobody listens at this address")
      this.#platform.upgrade(
        this.agentId,
        (server) => {
          if (!machine.alive || isOver) return undefined
          link = stage.link(machine, server, { latency, window })
          this.links.add(link)
          listen(link)
          return link
        },
        () => fail("nobody listens at this address")
      )
    })
    return {
      send: (frames) => {
        if (link === undefined || isOver || !machine.alive) return
        for (const frame of frames) {
          if (frame.includes('"auth"')) this.#known = undefined
          else if (!frame.includes('"heartbeat"')) this.#up = [...this.#up.slice(1 - kept), frame]
          stage.trace(this.name, `-> ${link.number} ${frame.slice(0, 160)}`)
          link.client.send(frame)
        }
      },
      ping: () => {
        if (machine.alive && !isOver) link?.client.ping()
      },
      bufferedBytes: () => link?.client.buffered ?? 0,
      pause: () => {
        if (link !== undefined) link.client.paused = true
      },
      resume: () => link?.client.resume(),
      close: (code) => {
        if (isOpen) link?.client.close(code)
        else {
          link?.client.terminate()
          machine.after(0, () => finish({ _tag: "Failed", detail: "the dial was given up" }))
        }
      },
      terminate: () => {
        link?.client.terminate()
        if (!isOpen) machine.after(0, () => finish({ _tag: "Failed", detail: "the dial was given up" }))
      }
    }
  }

  #arrived(link: Link, text: string, events: SocketEvents): void {
    this.#stage.trace(this.name, `<- ${link.number} ${text.slice(0, 160)}`)
    if (!text.includes('"heartbeat.ok"')) {
      const frame = decodeServer(text)
      if (frame?.event === "auth.ok") this.#known = link
      else this.#down = [...this.#down.slice(1 - kept), text]
      if (frame?.event === "delivery") this.#platform.laws.delivered(this.agentId, frame.data)
      if (frame?.event === "reply.accepted") this.#platform.laws.confirmed(this.agentId, frame.data.deliveryId)
    }
    events.frame(text)
  }
}
