/**
 * A person with some windows: writes, writes the same again, stops a reply, loses the network, comes back and asks for
 * what was missed. Every window keeps what it saw, and checks it as it comes.
 */
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Link } from "../../layers/simulation/Network.ts"
import { claims, forged, sessionsOf } from "./confined.ts"
import type { Submit } from "./Plan.ts"
import type { PlatformNode } from "./PlatformNode.ts"
import type { Stage } from "./Stage.ts"

type Json = Readonly<Record<string, unknown>>

/** The frame that was parsed last: the windows of a person are told the same, one after the other. Nobody changes it. */
const last: { text: string; frame: unknown } = { text: "", frame: undefined }
const parse = (text: string): unknown => {
  if (last.text === text) return last.frame
  last.frame = JSON.parse(text)
  last.text = text
  return last.frame
}

const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** One reply as one window saw it. */
export interface View {
  readonly responseId: string
  readonly messageId: string
  readonly deltas: Map<number, string>
  /** Nothing was missed: this window was there all the time. */
  whole: boolean
  resumes: number
  terminals: number
  text: string | undefined
  end: "completed" | "failed" | undefined
  code: string | undefined
}

const firstDelta = 4
const retryAfter = 2_000

class Window {
  readonly person: PersonNode
  readonly number: number
  readonly name: string
  readonly views = new Map<string, View>()
  link: Link | undefined
  greeted = false
  #dialing = false
  #awayUntil = 0

  constructor(person: PersonNode, number: number) {
    this.person = person
    this.number = number
    this.name = `user ${person.index}.${number}`
  }

  connect(): void {
    const { platform, stage } = this.person
    if (this.#dialing || this.link !== undefined || this.person.closed) return
    if (stage.now < this.#awayUntil) return void stage.outside.after(this.#awayUntil - stage.now, () => this.connect())
    this.#dialing = true
    const again = (): void => {
      this.#dialing = false
      stage.outside.after(retryAfter, () => this.connect())
    }
    const chance = stage.chance(`${this.name} ${Math.floor(stage.now)}`)
    stage.outside.after(1 + chance.around(20), () => {
      if (!platform.up) return again()
      // A platform that dies over it never answers.
      let answered = false
      stage.outside.after(10_000, () => {
        if (!answered) {
          answered = true
          again()
        }
      })
      platform.ticket(this.person.index, (ticket) => {
        if (answered) return
        if (ticket === undefined) {
          answered = true
          return again()
        }
        platform.upgrade(
          `/ws/chat?ticket=${ticket}`,
          {},
          (server) => {
            if (answered) return undefined
            answered = true
            return this.#open(server)
          },
          () => {
            if (answered) return
            answered = true
            again()
          }
        )
      })
    })
  }

  #open(server: Machine): Link {
    const { stage } = this.person
    const link = stage.link(stage.outside, server, { latency: 15, window: 64 * 1024 })
    this.link = link
    this.#dialing = false
    link.client.listener = {
      frame: (text) => this.#frame(text),
      ping: () => undefined,
      pong: () => undefined,
      drained: () => undefined,
      closed: (code) => {
        stage.trace(this.name, `socket ended: ${code}`)
        this.link = undefined
        this.greeted = false
        for (const view of this.views.values()) if (view.end === undefined) view.whole = false
        this.connect()
      }
    }
    return link
  }

  cut(away: number): void {
    const { stage } = this.person
    if (this.link === undefined) return
    this.#awayUntil = stage.now + away
    this.link.cut(stage.chance(`cut ${this.name} ${Math.floor(stage.now)}`))
  }

  send(frame: object): boolean {
    if (this.link === undefined || !this.greeted) return false
    this.link.client.send(JSON.stringify(frame))
    return true
  }

  /** Asks for the rest of what it has not seen end. */
  resume(responseId: string): void {
    let view = this.views.get(responseId)
    if (view?.end !== undefined) return
    const messageId = this.person.messageOf(responseId)
    if (messageId === undefined) return
    if (view === undefined) this.views.set(responseId, (view = this.#view(responseId, messageId, false)))
    let last = firstDelta - 1
    while (view.deltas.has(last + 1)) last++
    const from = last >= firstDelta ? last : undefined
    if (this.send({ type: "response.resume", response_id: responseId, starting_after: from })) {
      view.resumes++
      view.whole = false
    }
  }

  #view(responseId: string, messageId: string, whole: boolean): View {
    return {
      responseId,
      messageId,
      deltas: new Map(),
      whole,
      resumes: 0,
      terminals: 0,
      text: undefined,
      end: undefined,
      code: undefined
    }
  }

  #frame(text: string): void {
    const { laws, lines } = this.person.stage
    this.person.stage.guardFrame(`${this.name} was sent`, text)
    if (lines !== undefined) this.person.stage.trace(this.name, `<- ${text.slice(0, 140)}`)
    const frame = parse(text)
    if (!isRecord(frame)) return
    this.person.confine(this.name, frame, text)
    const type = frame["type"]
    if (type === "session.auto_bound") {
      this.greeted = true
      return this.person.greeted(this)
    }
    if (type === "message.accepted") {
      return this.person.accepted(String(frame["message_id"]), String(frame["response_id"]))
    }
    if (frame["error"] !== undefined) {
      const error = isRecord(frame["error"]) ? frame["error"] : {}
      laws.check("bounded", String(error["message"]).length > 10, () => `${this.name} was refused without words`)
      return this.person.refused(frame)
    }
    const response = isRecord(frame["response"]) ? frame["response"] : undefined
    if (type === "response.created" && response !== undefined) return this.#created(response)
    const responseId = frame["response_id"] ?? response?.["id"]
    if (typeof responseId !== "string" || typeof type !== "string") return
    const view = this.views.get(responseId)
    // It came in the middle, and nobody has asked for the beginning yet.
    if (view === undefined) return
    if (type === "response.output_text.delta")
      return this.#delta(view, Number(frame["sequence_number"]), String(frame["delta"]))
    if (type === "response.output_text.done") return this.#done(view, String(frame["text"]))
    if (type === "response.completed" || type === "response.failed") return this.#terminal(view, type, response ?? {})
  }

  #created(response: Json): void {
    const responseId = String(response["id"])
    const metadata = isRecord(response["metadata"]) ? response["metadata"] : {}
    const messageId = String(metadata["message_id"])
    this.person.accepted(messageId, responseId)
    if (!this.views.has(responseId)) this.views.set(responseId, this.#view(responseId, messageId, true))
  }

  #delta(view: View, sequence: number, delta: string): void {
    const { laws } = this.person.stage
    const known = view.deltas.get(sequence)
    laws.check(
      "stream",
      known === undefined || known === delta || !view.whole,
      () => `${this.name} got another delta ${sequence} of ${view.messageId}`
    )
    if (view.whole) {
      const due = firstDelta + view.deltas.size
      laws.check(
        "stream",
        sequence === due,
        () => `${this.name} got delta ${sequence} of ${view.messageId} where ${due} was due`
      )
    }
    view.deltas.set(sequence, delta)
  }

  #done(view: View, text: string): void {
    const { laws } = this.person.stage
    if (view.whole) {
      const joined = [...view.deltas.values()].join("")
      laws.check(
        "stream",
        joined === text,
        () => `${this.name}: the done text of ${view.messageId} is not the deltas joined`
      )
    }
    view.text = text
  }

  #terminal(view: View, type: string, response: Json): void {
    const { laws } = this.person.stage
    view.terminals++
    laws.check(
      "one-terminal",
      view.terminals <= 1 + view.resumes,
      () => `${this.name} saw ${view.terminals} ends of ${view.messageId} and asked ${view.resumes} times`
    )
    const end = type === "response.completed" ? "completed" : "failed"
    laws.check(
      "agreement",
      view.end === undefined || view.end === end,
      () => `${this.name} saw ${view.messageId} ${view.end}, and then ${end}`
    )
    view.end = end
    const error = isRecord(response["error"]) ? response["error"] : undefined
    if (error !== undefined) {
      view.code = String(error["code"])
      laws.check("bounded", String(error["message"]).length > 10, () => `${view.messageId} failed without words`)
    }
  }
}

export class PersonNode {
  readonly stage: Stage
  readonly platform: PlatformNode
  readonly index: number
  readonly windows: ReadonlyArray<Window>
  /** What was written, and what the platform calls the answer, once it has said so. */
  readonly written = new Map<string, { readonly op: Submit; responseId: string | undefined; refused: boolean }>()
  /** What this person asked to be stopped. */
  readonly stopped = new Set<string>()
  readonly #messages = new Map<string, string>()
  closed = false

  constructor(stage: Stage, platform: PlatformNode, index: number, windows: number) {
    this.stage = stage
    this.platform = platform
    this.index = index
    this.windows = Array.from({ length: windows }, (_, number) => new Window(this, number))
  }

  start(): void {
    for (const window of this.windows) window.connect()
  }

  messageOf(responseId: string): string | undefined {
    return this.#messages.get(responseId)
  }

  submit(op: Submit): void {
    const messageId = `m${op.index}`
    this.written.set(messageId, { op, responseId: undefined, refused: false })
    this.stage.figures.messages++
    this.stage.trace(`user ${this.index}`, `writes ${messageId} to agent ${op.account}`)
    this.send(messageId)
  }

  send(messageId: string): void {
    const known = this.written.get(messageId)
    if (known === undefined) return
    const { op } = known
    const sessionId = this.platform.sessions[this.index]?.[op.account]?.[op.session]
    const window = this.windows.find((one) => one.greeted)
    const claimed = this.stage.plan.profile.hostile ? claims : {}
    window?.send({
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: `message ${op.index}` }] }],
      metadata: { ...claimed, session_id: sessionId, message_id: messageId }
    })
  }

  cancel(messageId: string): void {
    const known = this.written.get(messageId)
    if (known?.responseId === undefined) return
    this.stage.trace(`user ${this.index}`, `stops ${messageId}`)
    this.stopped.add(messageId)
    this.windows.find((one) => one.greeted)?.send({ type: "response.cancel", response_id: known.responseId })
  }

  /** Sends what is not this person's to send. */
  trespass(frame: object): void {
    this.stage.trace(`user ${this.index}`, `tries ${JSON.stringify(frame)}`)
    this.windows.find((one) => one.greeted)?.send(frame)
  }

  /** Law confined: a frame to this person is about this person's sessions, and holds no words of a stranger. */
  confine(name: string, frame: Json, text: string): void {
    const { laws } = this.stage
    // A refusal repeats the ids of what it refuses.
    const sessions = frame["error"] === undefined ? sessionsOf(frame) : []
    for (const session of sessions) {
      const own = this.platform.ownersOf(session)?.user === this.index
      laws.check("confined", own, () => `${name} was sent something of ${session}, which is another's`)
    }
    laws.check("confined", !text.includes(forged), () => `${name} was sent words that another agent put in`)
  }

  accepted(messageId: string, responseId: string): void {
    const known = this.written.get(messageId)
    if (known === undefined) return
    this.stage.laws.check(
      "once",
      known.responseId === undefined || known.responseId === responseId,
      () => `${messageId} is answered under two response ids`
    )
    known.responseId = responseId
    this.#messages.set(responseId, messageId)
  }

  refused(frame: Json): void {
    const metadata = isRecord(frame["metadata"]) ? frame["metadata"] : {}
    this.stage.trace(`user ${this.index}`, `is refused: ${JSON.stringify(frame).slice(0, 160)}`)
    const known = this.written.get(String(metadata["message_id"]))
    // Once accepted it cannot be refused; before that it is sent again by and by.
    if (known !== undefined && known.responseId === undefined) known.refused = true
  }

  /** A window is back: what was not accepted is sent again, and what is not at its end is asked for. */
  greeted(window: Window): void {
    for (const [messageId, known] of this.written) {
      if (known.responseId === undefined) this.send(messageId)
      else window.resume(known.responseId)
    }
  }

  /** What a person does who waits in vain: reload. */
  nag(): void {
    for (const [messageId, known] of this.written) {
      if (known.responseId === undefined) this.send(messageId)
      else for (const window of this.windows) window.resume(known.responseId)
    }
  }

  /** Everything written has been accepted, and every window saw how it ended. */
  settled(): boolean {
    for (const { responseId } of this.written.values()) {
      if (responseId === undefined) return false
      for (const window of this.windows) if (window.views.get(responseId)?.end === undefined) return false
    }
    return true
  }
}
