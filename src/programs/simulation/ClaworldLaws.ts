/**
 * What must be true of talks after every commit (laws one-conversation, turn-order, hands, online-only, kickoff-once):
 * read from the tables, from outside of the code under test, and beside what the agents know themselves.
 */
import type { SimDatabase } from "../../layers/simulation/Database.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Delivery } from "../../services/protocol/RelayFrame.ts"
import type { Law } from "./Laws.ts"
import type { Stage } from "./Stage.ts"
import { type Ended, endOf, type Policy, type TurnRow } from "./claworldEnds.ts"

interface TalkRow {
  readonly conversation_id: string
  readonly conversation_key: string
  readonly chat_request_id: string
  readonly world_id: string | null
  readonly requester_id: string
  readonly peer_id: string
  readonly policy: string
  readonly status: string
  readonly kickoff: string
  readonly turn: number
  readonly speaker: "requester" | "peer" | null
  readonly due_at: number | null
  readonly end_reason: string | null
}

interface RequestRow {
  readonly chat_request_id: string
  readonly conversation_key: string
  readonly target_id: string
  readonly opening_message: string | null
  readonly status: string
}

interface DeliveryRow {
  readonly at: number
  readonly delivery_id: string
  readonly agent_id: string
  readonly conversation_id: string
  readonly type: string
  readonly turn: number
  readonly payload: string
}

/** What an agent answers a delivery with: words, or why it has none. */
export type Expected = { readonly text: string; readonly hand: boolean } | { readonly silence: string }

interface Asked {
  readonly expected: Expected
  readonly at: number
}

interface Presence {
  readonly until: number
  /** Virtual time since when it is so. */
  readonly since: number
}

/** How long a call may take from its look at the clock to its commit, in milliseconds. */
const slack = 6_000
/** An agent that was heard of may count as online for so long. */
const longestPresence = 90_000 + slack
const setting = 300_000

const isOpen = ({ status }: TalkRow): boolean => status === "opening" || status === "active" || status === "silent"

export class ClaworldLaws {
  readonly #stage: Stage
  readonly #database: SimDatabase
  readonly agents = new Set<string>()
  #dirty = { talks: false, requests: false, agents: false }
  #talks: ReadonlyMap<string, TalkRow> = new Map()
  #requests: ReadonlyMap<string, RequestRow> = new Map()
  /** Of each talk, in the order of the table. */
  readonly #turns = new Map<string, Array<TurnRow>>()
  #lastTurn = 0
  readonly #deliveries = new Map<string, DeliveryRow>()
  /** Those that are to be answered, by talk and turn. */
  readonly #due = new Map<string, DeliveryRow>()
  #lastDelivery = 0
  readonly #asked = new Map<string, Asked>()
  readonly #presence = new Map<string, Presence>()
  readonly #heardAt = new Map<string, number>()
  /** When something went wrong for an agent, so that it may not have said what it wanted to. */
  readonly #troubledAt = new Map<string, number>()
  /** By the name of what was asked for: a key that was ended, a pair that was blocked. */
  readonly wanted = new Set<string>()
  /** Queued talks whose requester was there when the last sweep ended. */
  #waiting: ReadonlySet<string> = new Set()
  /** Virtual time at which the platform's clock was set last. */
  clockSetAt = Number.NEGATIVE_INFINITY

  constructor(stage: Stage, database: SimDatabase) {
    this.#stage = stage
    this.#database = database
  }

  #rows<Row>(text: string, ...params: ReadonlyArray<string | number>): ReadonlyArray<Row> {
    const rows: ReadonlyArray<unknown> = this.#database.lookAll(text, ...params)
    return rows as ReadonlyArray<Row>
  }

  #check(law: Law, holds: boolean, what: () => string): void {
    this.#stage.laws.check(law, holds, what)
  }

  get talks(): ReadonlyMap<string, TalkRow> {
    return this.#talks
  }

  get requests(): ReadonlyMap<string, RequestRow> {
    return this.#requests
  }

  // ---- what is told ----

  /** A statement was run. */
  written(text: string): void {
    if (/\b(?:conversations|turns|deliveries)\b/.test(text)) this.#dirty.talks = true
    if (text.includes("chat_requests")) this.#dirty.requests = true
    if (text.includes("world_agents")) this.#dirty.agents = true
  }

  /** The platform died: what it had not committed is gone. */
  died(): void {
    this.#dirty = { talks: false, requests: false, agents: false }
  }

  heard(agentId: string): void {
    this.#heardAt.set(agentId, this.#stage.now)
  }

  troubled(agentId: string): void {
    this.#troubledAt.set(agentId, this.#stage.now)
  }

  // ---- after each commit ----

  look(machine: Machine): void {
    const { agents, requests, talks } = this.#dirty
    if (!agents && !requests && !talks) return
    this.died()
    // Whether the platform's time can be relied upon.
    const wall = this.#stage.now - this.clockSetAt > slack ? machine.wall : undefined
    if (agents) this.#lookAtAgents(machine.wall)
    if (requests) this.#lookAtRequests(machine.wall)
    if (talks) this.#lookAtTalks(wall)
    if (requests || talks) this.#lookAtKeys()
  }

  #lookAtAgents(wall: number): void {
    const { now } = this.#stage
    const isSure = now - this.clockSetAt > setting
    for (const row of this.#rows<{ agent_id: string; online_until: number }>(
      "SELECT agent_id, online_until FROM world_agents"
    )) {
      const { agent_id, online_until: until } = row
      const before = this.#presence.get(agent_id)
      if (before?.until !== until) this.#presence.set(agent_id, { until, since: now })
      const heardAt = this.#heardAt.get(agent_id) ?? Number.NEGATIVE_INFINITY
      this.#check(
        "online-only",
        !isSure || until <= wall || until - wall <= longestPresence - (now - heardAt),
        () => `${agent_id} is said to be online for ${until - wall} ms, and was heard of ${now - heardAt} ms ago`
      )
    }
  }

  /** It is online, or was so a moment ago. */
  isOnline(agentId: string, wall: number, from = this.#stage.now - slack): boolean {
    const known = this.#presence.get(agentId)
    if (known === undefined) return false
    return known.until > wall - slack || known.since >= from || this.#stage.now - this.clockSetAt < slack
  }

  #lookAtRequests(wall: number): void {
    const rows = this.#rows<RequestRow>(
      "SELECT chat_request_id, conversation_key, target_id, opening_message, status FROM chat_requests"
    )
    for (const { chat_request_id, status, target_id } of rows) {
      if (status !== "pending" || this.#requests.has(chat_request_id)) continue
      const isThere = this.isOnline(target_id, wall)
      this.#check("online-only", isThere, () => `${target_id} was asked for a talk, and is offline`)
    }
    this.#requests = new Map(rows.map((row) => [row.chat_request_id, row]))
  }

  /** Law one-conversation. */
  #lookAtKeys(): void {
    const seen = new Map<string, string>()
    const add = (key: string, what: string) => {
      const other = seen.get(key)
      this.#check("one-conversation", other === undefined, () => `under ${key} there are ${other} and ${what}`)
      seen.set(key, what)
    }
    for (const row of this.#talks.values()) {
      if (isOpen(row)) add(row.conversation_key, row.conversation_id)
    }
    for (const row of this.#requests.values()) {
      if (row.status === "pending") add(row.conversation_key, row.chat_request_id)
    }
  }

  #lookAtTalks(wall: number | undefined): void {
    const added = new Set<string>()
    for (const row of this.#rows<TurnRow & { readonly at_row: number }>(
      "SELECT rowid AS at_row, conversation_id, turn, from_id, text, raised_hand, silence, at FROM turns WHERE rowid > ?",
      this.#lastTurn
    )) {
      this.#lastTurn = row.at_row
      const turns = this.#turns.get(row.conversation_id) ?? []
      turns.push(row)
      this.#turns.set(row.conversation_id, turns)
      added.add(row.conversation_id)
    }
    const talks = new Map(
      this.#rows<TalkRow>(
        `SELECT conversation_id, conversation_key, chat_request_id, world_id, requester_id, peer_id, policy, status,
          kickoff, turn, speaker, due_at, end_reason FROM conversations`
      ).map((row) => [row.conversation_id, row])
    )
    const before = this.#talks
    this.#talks = talks
    this.#lookAtDeliveries(talks)
    for (const row of talks.values()) {
      const known = before.get(row.conversation_id)
      const isSame =
        known !== undefined &&
        known.status === row.status &&
        known.turn === row.turn &&
        known.kickoff === row.kickoff &&
        known.due_at === row.due_at
      if (!isSame || added.has(row.conversation_id)) this.#changed(known, row, wall)
    }
  }

  #lookAtDeliveries(talks: ReadonlyMap<string, TalkRow>): void {
    for (const row of this.#rows<DeliveryRow>(
      `SELECT rowid AS at, delivery_id, agent_id, conversation_id, type, turn, payload FROM deliveries WHERE rowid > ?`,
      this.#lastDelivery
    )) {
      this.#lastDelivery = row.at
      this.#deliveries.set(row.delivery_id, row)
      const talk = talks.get(row.conversation_id)
      if (talk === undefined) continue
      const text: unknown = JSON.parse(row.payload).text
      if (row.type === "notice") {
        const last = this.#turns.get(row.conversation_id)?.at(-1)
        const said = last?.from_id === row.agent_id ? "" : (last?.text ?? "")
        const isTold = endsByTurn.has(talk.end_reason ?? "") ? said === "" || text === said : true
        this.#check("turn-order", isTold, () => `the last words were "${said}", and "${text}" is delivered`)
        continue
      }
      const law = row.type === "kickoff" ? "kickoff-once" : "turn-order"
      const key = `${row.conversation_id} ${row.turn}`
      this.#check(law, !this.#due.has(key), () => `turn ${row.turn} of ${row.conversation_id} is asked for twice`)
      this.#due.set(key, row)
      const isRequester = row.agent_id === talk.requester_id
      this.#check(law, isRequester === (row.turn % 2 === 1), () => `turn ${row.turn} is asked of the wrong agent`)
      if (row.type === "kickoff") {
        const brief = this.#requests.get(talk.chat_request_id)?.opening_message ?? this.#brief(talk.chat_request_id)
        this.#check(law, row.turn === 1 && text === brief, () => `the brief was "${brief}", and "${text}" is delivered`)
        continue
      }
      const said = this.#turns.get(row.conversation_id)?.at(row.turn - 2)?.text
      const isTold = said !== undefined && (said === "" ? !String(text).startsWith("word ") : text === said)
      this.#check(law, isTold, () => `"${said}" was said, and "${text}" is delivered`)
    }
  }

  #brief(chatRequestId: string): unknown {
    return this.#database.look("SELECT opening_message FROM chat_requests WHERE chat_request_id = ?", chatRequestId)?.[
      "opening_message"
    ]
  }

  #changed(before: TalkRow | undefined, row: TalkRow, wall: number | undefined): void {
    const { conversation_id: id } = row
    const policy: Policy = JSON.parse(row.policy)
    const turns = this.#turns.get(id) ?? []
    this.#check("turn-order", turns.length === row.turn, () => `${id} is at ${row.turn} of ${turns.length} turns`)
    for (const [index, turn] of turns.entries()) if (index >= (before?.turn ?? 0)) this.#said(row, index, turn)
    const late = before?.due_at ?? null
    if (row.turn > (before?.turn ?? 0)) {
      const at = turns.at(-1)?.at ?? 0
      this.#check(
        "hands",
        late === null || at < late,
        () => `turn ${row.turn} of ${id} came ${at - (late ?? 0)} ms late`
      )
    }
    if (isOpen(row) && row.turn > 0) {
      const due = (turns.at(-1)?.at ?? 0) + policy.turnTimeoutMs
      this.#check(
        "hands",
        row.due_at === due,
        () => `turn ${row.turn + 1} of ${id} is due at ${row.due_at}, not ${due}`
      )
    }
    if (isOpen(row) && row.speaker !== null) {
      const wanted = this.#due.get(`${id} ${row.turn + 1}`)
      const speaker = row.speaker === "requester" ? row.requester_id : row.peer_id
      this.#check("turn-order", wanted?.agent_id === speaker, () => `nobody is asked for turn ${row.turn + 1} of ${id}`)
    }
    if (row.kickoff === "sent") {
      const asked = this.#due.get(`${id} 1`)?.type
      this.#check("kickoff-once", asked === "kickoff", () => `nobody was asked for the first words of ${id}`)
    }
    this.#ended(row, late, endOf(policy, row.requester_id, turns), wall)
  }

  /** Law hands. `due`: when the turn that was waited for had taken too long. */
  #ended(row: TalkRow, due: number | null, expected: Ended | undefined, wall: number | undefined): void {
    const { conversation_id: id, end_reason: reason, status } = row
    const check = (holds: boolean, what: string) => this.#check("hands", holds, () => `${id} ${what}`)
    if (expected !== undefined) {
      check(expected.turn === row.turn, `is at turn ${row.turn}, and ended with ${expected.turn}: ${expected.reason}`)
      check(!isOpen(row) && reason === expected.reason, `has ended by ${expected.reason}; it is ${status}, ${reason}`)
      return
    }
    if (isOpen(row)) return
    const isLate = wall === undefined || due === null || due <= wall
    if (status === "kickoff_failed") {
      const [kept] = this.#rows("SELECT 1 FROM deliveries WHERE conversation_id = ? AND state = 'kept_silent'", id)
      return check(row.turn === 0 && (isLate || kept !== undefined), `has no first words before they were due`)
    }
    switch (reason) {
      case "turn_timeout":
        return check(isLate, "timed out before its time")
      case "operator":
        return check(this.wanted.has(`end ${row.conversation_key}`), "was ended, and nobody wanted it")
      case "blocked":
        return check(this.wanted.has(`block ${pairOf(row)}`), "was ended for a block that is none")
      case "silence":
        return check(row.turn === 0 && row.kickoff === "skipped" && isLate, "ended by silence, and they spoke")
      default:
        return check(false, `ended by ${reason}, and nothing says so`)
    }
  }

  /** A turn was taken. */
  #said(talk: TalkRow, index: number, row: TurnRow): void {
    const what = `turn ${row.turn} of ${talk.conversation_id}`
    const check = (holds: boolean, why: string) => this.#check("turn-order", holds, () => `${what} ${why}`)
    check(row.turn === index + 1, `is number ${index + 1}`)
    check(row.from_id === (row.turn % 2 === 1 ? talk.requester_id : talk.peer_id), "is of the wrong agent")
    const delivery = this.#due.get(`${talk.conversation_id} ${row.turn}`)
    if (delivery === undefined) return check(false, "was asked for by nobody")
    const asked = this.#asked.get(delivery.delivery_id)
    const expected = asked?.expected
    if (row.silence === null) {
      if (expected === undefined || "silence" in expected) return check(false, `is "${row.text}", which nobody said`)
      check(row.text === expected.text, `is "${row.text}"; "${expected.text}" was said`)
      this.#check("hands", (row.raised_hand === 1) === expected.hand, () => `${what}: the hand is not as it was raised`)
      return
    }
    if (expected !== undefined && "silence" in expected && row.silence === expected.silence) return
    // What was to be said may have died with whoever wanted to say it.
    const since = (asked?.at ?? this.#stage.now) - 120_000
    const died = (this.#troubledAt.get(row.from_id) ?? Number.NEGATIVE_INFINITY) >= since
    const excuse = row.silence === "runtime_failed_before_reply" && died
    check(excuse, `is a silence (${row.silence}); ${JSON.stringify(expected)} was wanted`)
  }

  // ---- on the way ----

  /** A delivery reached an agent's side. */
  delivered(agentId: string, delivery: Delivery): void {
    const row = this.#deliveries.get(delivery.deliveryId)
    const isTrue =
      row !== undefined && row.agent_id === agentId && JSON.parse(row.payload).text === delivery.payload.text
    this.#check("turn-order", isTrue, () => `${agentId} is delivered ${delivery.deliveryId}, which is not stored so`)
  }

  /** The agent itself is asked. */
  asked(agentId: string, deliveryId: string, text: string, expected: Expected): void {
    const row = this.#deliveries.get(deliveryId)
    const law = row?.type === "kickoff" ? "kickoff-once" : "turn-order"
    this.#check(law, !this.#asked.has(deliveryId), () => `${agentId} is asked for ${deliveryId} a second time`)
    const isTrue = row !== undefined && row.agent_id === agentId && JSON.parse(row.payload).text === text
    this.#check(law, isTrue, () => `${agentId} is asked "${text}" by ${deliveryId}, which is not stored so`)
    this.#asked.set(deliveryId, { expected, at: this.#stage.now })
  }

  /** The platform said that it has stored what the agent answered. */
  confirmed(agentId: string, deliveryId: string): void {
    const row = this.#deliveries.get(deliveryId)
    const turn = row === undefined ? undefined : this.#turns.get(row.conversation_id)?.[row.turn - 1]
    this.#check("turn-order", turn?.from_id === agentId, () => `what was said on ${deliveryId} is confirmed, and lost`)
  }

  /** Candidates were shown, of a question that was heard at this virtual time. */
  shown(candidates: ReadonlyArray<string>, from: number, wall: number): void {
    for (const agentId of candidates) {
      const isThere = this.isOnline(agentId, wall, from - slack)
      this.#check("online-only", isThere, () => `${agentId} is shown as a candidate, and is offline`)
    }
  }

  /** All that was due at that time of the platform's clock has been looked for. */
  swept(wall: number): void {
    if (this.#stage.now - this.clockSetAt < 2 * slack) return
    const waiting = new Set<string>()
    for (const row of this.#talks.values()) {
      if (!isOpen(row)) continue
      const { conversation_id: id, due_at } = row
      this.#check(
        "hands",
        due_at === null || due_at > wall,
        () => `${id} goes on after turn ${row.turn + 1} took too long`
      )
      const isThere = (this.#presence.get(row.requester_id)?.until ?? 0) > wall + 2 * slack
      if (row.kickoff === "queued" && isThere) waiting.add(id)
    }
    for (const id of waiting) {
      const isLong = this.#waiting.has(id)
      this.#check(
        "kickoff-once",
        !isLong,
        () => `the one who asked for ${id} is there, and is not asked for first words`
      )
    }
    this.#waiting = waiting
  }

  /** At the end: what was written stays as it was. */
  judge(): void {
    const rows = this.#rows<TurnRow>("SELECT conversation_id, turn, from_id, text FROM turns ORDER BY rowid")
    const count = [...this.#turns.values()].reduce((sum, { length }) => sum + length, 0)
    this.#check("turn-order", rows.length === count, () => `of ${count} turns ${rows.length} are left`)
    for (const row of rows) {
      const before = this.#turns.get(row.conversation_id)?.[row.turn - 1]
      const what = `turn ${row.turn} of ${row.conversation_id}`
      this.#check("turn-order", before?.text === row.text, () => `${what} has changed since`)
    }
  }
}

const endsByTurn: ReadonlySet<string> = new Set(["hands", "max_turns", "silence"])

const pairOf = (row: TalkRow): string => [row.requester_id, row.peer_id].toSorted().join(" ")
