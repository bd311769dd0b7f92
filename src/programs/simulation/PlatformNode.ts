/**
 * The platform: the real chat socket, broker and stores over a simulated network and disk. It may die at any write, and
 * comes back over the same database. A reader of canonical events sits inside it for every person, as `/v1` has one.
 */
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Context from "effect/Context"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql/SqlClient"
import * as ChatSocket from "../../layers/platform/ChatSocket.ts"
import * as LiveBroker from "../../layers/platform/LiveBroker.ts"
import * as SqlIdentities from "../../layers/platform/SqlIdentities.ts"
import * as SqlPeople from "../../layers/platform/SqlPeople.ts"
import * as SqlSessions from "../../layers/platform/SqlSessions.ts"
import * as Database from "../../layers/simulation/Database.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Link } from "../../layers/simulation/Network.ts"
import * as SqliteClient from "../../layers/sql/SqliteClient.ts"
import { Broker, type FeedItem } from "../../services/platform/Broker.ts"
import { Files } from "../../services/platform/Files.ts"
import { Identities } from "../../services/platform/Identities.ts"
import { People } from "../../services/platform/People.ts"
import { NotFound } from "../../services/platform/PlatformError.ts"
import { Sessions } from "../../services/platform/Sessions.ts"
import { events } from "../../services/protocol/ReplyLog.ts"
import { Checker } from "../../services/protocol/StreamLaws.ts"
import { schemas } from "./schemas.ts"
import * as ServerSocket from "./ServerSocket.ts"
import type { Stage } from "./Stage.ts"

/** How long after it died the platform is started again. */
const restartAfter = 2_000

const noFiles = new NotFound({ what: "file" })
/** Nobody sends files in here. */
const files = Files.of({
  store: () => Effect.fail(noFiles).pipe(Effect.orDie),
  bind: () => Effect.fail(noFiles),
  find: () => Effect.fail(noFiles),
  read: () => {
    throw noFiles
  }
})

export interface Credentials {
  readonly clawId: string
  readonly appKey: string
  readonly appSecret: string
}

interface Running {
  readonly machine: Machine
  readonly chat: ChatSocket.ChatSocket
  readonly people: People["Service"]
  readonly broker: Broker["Service"]
  readonly stop: Deferred.Deferred<void>
}

export class PlatformNode {
  readonly stage: Stage
  readonly database: Database.SimDatabase
  accounts: ReadonlyArray<Credentials> = []
  /** By number of the person. */
  users: ReadonlyArray<string> = []
  /** By person, account, number: session ids. */
  sessions: ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>> = []
  #running: Running | undefined
  #lives = 0
  #ended = false
  /** Sockets that are handed over between the upgrade and its handshake. */
  readonly #handovers = new Map<object, (opened: (link: Link) => void) => Link | undefined>()
  /** Terminals that readers inside saw, by response id, over all lives. */
  readonly terminals = new Map<string, number>()
  readonly #owners = new Map<string, { readonly user: number; readonly account: number }>()
  stopped: { readonly at: number; readonly machine: Machine } | undefined

  private constructor(stage: Stage, database: Database.SimDatabase) {
    this.stage = stage
    this.database = database
  }

  static async make(stage: Stage): Promise<PlatformNode> {
    const { plan } = stage
    const database = new Database.SimDatabase(
      (await schemas()).platform,
      plan.profile.death === "power" ? "full" : "normal"
    )
    return new PlatformNode(stage, database)
  }

  get up(): boolean {
    return this.#running !== undefined
  }

  get machine(): Machine | undefined {
    return this.#running?.machine
  }

  get broker(): Broker["Service"] | undefined {
    return this.#running?.broker
  }

  /** Whose session it is: the person's number, and the account's. */
  ownersOf(sessionId: string): { readonly user: number; readonly account: number } | undefined {
    return this.#owners.get(sessionId)
  }

  /** Registers agents and people, before anything goes wrong. */
  async found(): Promise<void> {
    const { engine, plan, secrets } = this.stage
    const machine = engine.machine("founding")
    const sql = Effect.provide(SqliteClient.over(this.database.connect(machine)), Reactivity.layer)
    const founding = Effect.gen({ self: this }, function* () {
      const client = yield* sql
      const identities = yield* SqlIdentities.make.pipe(Effect.provideService(SqlClient, client))
      const accounts: Array<Credentials> = []
      for (let i = 0; i < plan.accounts.length; i++) {
        const { appSecret, identity } = yield* identities.create({
          ownerId: undefined,
          name: `agent ${i}`,
          description: "",
          avatar: "",
          hourlyRate: 0,
          sceneTags: [],
          customTags: [],
          instanceType: 0
        })
        accounts.push({ clawId: identity.clawId, appKey: identity.appKey, appSecret: Redacted.value(appSecret) })
        secrets.add(Redacted.value(appSecret))
      }
      const users: Array<string> = []
      const all: Array<Array<Array<string>>> = []
      for (let user = 0; user < plan.users; user++) {
        const userId = `user_${user}`
        yield* client`INSERT INTO people ${client.insert({ user_id: userId, name: `person ${user}`, created_at: machine.wall })}`
        users.push(userId)
        const talkative = plan.profile.messages === 0 ? [] : accounts
        all.push(talkative.map((_, account) => [0, 1].map((n) => `sess_${user}_${account}_${n}`)))
      }
      // In one go: one by one, forty take longer than a minute of their world.
      const rows = users.flatMap((userId, user) =>
        accounts.flatMap(({ clawId }, account) =>
          (all[user]?.[account] ?? []).map((id) => ({
            session_id: id,
            user_id: userId,
            claw_id: clawId,
            title: "",
            created_at: machine.wall,
            updated_at: machine.wall
          }))
        )
      )
      if (Arr.isArrayNonEmpty(rows)) yield* client`INSERT INTO sessions ${client.insert(rows)}`
      this.accounts = accounts
      this.users = users
      this.sessions = all
      for (const [user, own] of all.entries()) {
        for (const [account, pair] of own.entries()) for (const id of pair) this.#owners.set(id, { user, account })
      }
    })
    const fiber = machine.fork(founding)
    let done = false
    fiber.addObserver(() => (done = true))
    await engine.run(60_000, () => done)
    await Effect.runPromise(Fiber.join(fiber))
    this.database.sync()
  }

  start(): void {
    if (this.#running !== undefined || this.#ended) return
    const { engine } = this.stage
    const machine = engine.machine(`platform/${++this.#lives}`)
    machine.onLog = (text, whole) => {
      this.stage.trace("platform", text)
      this.stage.guard("the platform logged", whole)
    }
    this.stage.trace("platform", `starts, life ${this.#lives}`)
    const stop = Deferred.makeUnsafe<void>()
    const life = Effect.gen({ self: this }, function* () {
      const sql = yield* Effect.provide(SqliteClient.over(this.database.connect(machine)), Reactivity.layer)
      const withSql = Effect.provideService(SqlClient, sql)
      const identities = yield* withSql(SqlIdentities.make)
      const people = yield* withSql(SqlPeople.make)
      const sessions = yield* withSql(SqlSessions.make())
      const stores = Context.empty().pipe(
        Context.add(Identities, identities),
        Context.add(People, people),
        Context.add(Sessions, sessions),
        Context.add(Files, files)
      )
      const broker = yield* LiveBroker.make({ window: 8 }).pipe(Effect.provideContext(stores))
      const chat = yield* ChatSocket.make({
        guards: { host: "127.0.0.1", allowedHosts: [], allowedOrigins: [] },
        handshake: (request, _socket, _head, opened) => this.#handover(request, opened)
      }).pipe(Effect.provideContext(Context.add(stores, Broker, broker)))
      for (const userId of this.users) this.#read(broker, userId)
      this.#running = { machine, chat, people, broker, stop }
      yield* Deferred.await(stop)
      yield* broker.drain
      yield* chat.stop
    }).pipe(Effect.scoped)
    const fiber = machine.fork(life)
    fiber.addObserver((exit) => {
      if (this.#running?.machine === machine) this.#running = undefined
      if (exit._tag === "Success") {
        this.stopped = { at: this.stage.now, machine }
        this.stage.trace("platform", "has stopped")
      } else if (machine.alive) {
        // What a service manager does with a program that could not start.
        this.stage.trace("platform", "could not start")
        machine.kill()
        this.stage.outside.after(restartAfter, () => this.start())
      }
    })
  }

  /** Stops in order; for good. */
  stop(): void {
    this.#ended = true
    const running = this.#running
    if (running !== undefined) running.machine.fork(Deferred.succeed(running.stop, undefined))
  }

  /** Dies now, and is started again after a while. */
  crash(): void {
    const machine = this.#running?.machine
    if (machine === undefined) return
    this.stage.trace("platform", "dies")
    this.#running = undefined
    this.stage.unplug(machine)
    // Not from within the statement that it died in.
    this.stage.outside.after(0, () => {
      if (this.stage.plan.profile.death === "power") this.database.powerCut(this.stage.chance(`power ${this.#lives}`))
      else this.database.crash()
      this.stage.outside.after(restartAfter, () => this.start())
    })
  }

  /** An upgrade arrives. `accept` makes the connection once the platform agrees. */
  upgrade(
    url: string,
    headers: Readonly<Record<string, string>>,
    accept: (server: Machine) => Link | undefined,
    refused: (status: number) => void
  ): void {
    const running = this.#running
    if (running === undefined) return refused(0)
    const { request, socket } = ServerSocket.upgrade(url, headers, (status, text) => {
      this.stage.guardFrame("the platform refused an upgrade with", text)
      refused(status)
    })
    this.#handovers.set(request, (opened) => {
      const link = accept(running.machine)
      if (link !== undefined) opened(link)
      return link
    })
    running.chat.upgrade(request, socket, Buffer.alloc(0))
  }

  readonly #handover = (request: object, opened: (ws: ReturnType<typeof ServerSocket.make>) => void): void => {
    const handover = this.#handovers.get(request)
    this.#handovers.delete(request)
    handover?.((link) => opened(ServerSocket.make(link.server)))
  }

  /** A ticket for a person's next socket, as the HTTP door gives it. */
  ticket(user: number, given: (ticket: string | undefined) => void): void {
    const running = this.#running
    const userId = this.users[user]
    if (running === undefined || userId === undefined) return given(undefined)
    const fiber = running.machine.fork(running.people.issueTicket(userId))
    fiber.addObserver((exit) => {
      const ticket = exit._tag === "Success" ? Redacted.value(exit.value) : undefined
      if (ticket !== undefined && this.stage.plan.profile.hostile) this.stage.secrets.add(ticket)
      given(ticket)
    })
  }

  #read(broker: Broker["Service"], userId: string): void {
    const { laws } = this.stage
    const checkers = new Map<string, Checker>()
    broker.watch(userId, (item: FeedItem) => {
      if (item._tag !== "Step") return
      const { responseId } = item.exchange
      let checker = checkers.get(responseId)
      if (checker === undefined) checkers.set(responseId, (checker = new Checker()))
      for (const event of events(item.route.head, item.step)) {
        for (const violation of checker.push(event)) {
          laws.report(violation.law, `a reader of ${item.exchange.messageId}: ${violation.message}`)
        }
      }
      if (item.step._tag === "Completed" || item.step._tag === "Failed") {
        this.stage.trace("reader", `${item.exchange.messageId} ${item.step._tag}`)
        const count = (this.terminals.get(responseId) ?? 0) + 1
        this.terminals.set(responseId, count)
        laws.check("one-terminal", count === 1, () => `readers of ${item.exchange.messageId} saw ${count} terminals`)
      }
    })
  }
}
