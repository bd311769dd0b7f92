/** What two agents and time do to their talks, as a few lines of plain code that know nothing of the machine. */
import * as Schema from "effect/Schema"

export const timeout = 5_000
export const expiry = 100_000
export const lastWords = 20_000

export const Step = Schema.Struct({
  op: Schema.Literals([
    "Request",
    "Request",
    "Accept",
    "Accept",
    "Reject",
    "Say",
    "Say",
    "Say",
    "Say",
    "Hand",
    "Silence",
    "Take",
    "Come",
    "Go",
    "Pass",
    "Sweep"
  ]),
  who: Schema.Literals([0, 1]),
  opening: Schema.Boolean,
  luck: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
})
export type Step = typeof Step.Type

type Who = 0 | 1
const other = (who: Who): Who => (who === 0 ? 1 : 0)

interface Request {
  readonly by: Who
  readonly opening: boolean
  status: "pending" | "accepted" | "rejected" | "expired"
  readonly expiresAt: number
}

interface Talk {
  requester: Who
  kickoff: "queued" | "sent" | "established" | "failed" | "skipped"
  turn: number
  speaker: Who | undefined
  readonly hands: Set<Who>
  silences: number
  due: number
  isOver: boolean
  reason: string | null
  /** Who has not taken the last words yet. */
  readonly notices: Map<Who, number>
}

export const make = (mode: string, maxTurns: number) => {
  const requests: Array<Request> = []
  const talks: Array<Talk> = []
  const online = [true, true]
  const current = (): Talk | undefined => talks.at(-1)
  const running = (): Talk | undefined => (current()?.isOver === false ? current() : undefined)

  const kickOff = (talk: Talk, by: Who, opening: boolean, expiresAt: number, now: number): void => {
    talk.requester = by
    talk.kickoff = !opening ? "skipped" : online[by] === true ? "sent" : "queued"
    talk.speaker = talk.kickoff === "sent" ? by : undefined
    talk.due = talk.kickoff === "sent" ? now + timeout : expiresAt
  }

  const begin = (request: Request, now: number): Talk => {
    request.status = "accepted"
    const talk: Talk = {
      requester: request.by,
      kickoff: "skipped",
      turn: 0,
      speaker: undefined,
      hands: new Set(),
      silences: 0,
      due: 0,
      isOver: false,
      reason: null,
      notices: new Map()
    }
    kickOff(talk, request.by, request.opening, request.expiresAt, now)
    talks.push(talk)
    return talk
  }

  const end = (talk: Talk, reason: string | null, told: ReadonlyArray<Who>, now: number): void => {
    talk.isOver = true
    talk.speaker = undefined
    talk.reason = reason
    for (const who of told) talk.notices.set(who, now)
  }

  const timeOut = (talk: Talk, now: number): void => {
    if (talk.turn > 0) end(talk, "turn_timeout", [0, 1], now)
    else if (talk.kickoff === "skipped") end(talk, "silence", [], now)
    else {
      talk.kickoff = "failed"
      end(talk, null, [], now)
    }
  }

  const add = (by: Who, opening: boolean, now: number): Request => {
    const request: Request = { by, opening, status: "pending", expiresAt: now + expiry }
    requests.push(request)
    return request
  }

  return {
    requests,
    online,
    current,
    /** The request that is answered with; undefined: refused. */
    request: (who: Who, opening: boolean, now: number): Request | undefined => {
      const talk = running()
      const isAway = online[other(who)] !== true
      if (talk !== undefined) {
        if (talk.kickoff !== "skipped" || !opening) return requests.findLast(({ status }) => status === "accepted")
        if (isAway) return undefined
        const request = add(who, true, now)
        request.status = "accepted"
        kickOff(talk, who, true, request.expiresAt, now)
        return request
      }
      const pending = requests.find(({ status }) => status === "pending")
      if (pending !== undefined && pending.expiresAt <= now) pending.status = "expired"
      else if (pending?.by === who) return pending
      else if (pending !== undefined) {
        const begun = begin(pending, now)
        if (begun.kickoff !== "skipped" || !opening) return pending
        const request = add(who, true, now)
        request.status = "accepted"
        kickOff(begun, who, true, request.expiresAt, now)
        return request
      }
      return isAway ? undefined : add(who, opening, now)
    },
    decide: (who: Who, index: number, word: "accepted" | "rejected", now: number): boolean => {
      const request = requests[index]
      if (request === undefined || request.by === who) return false
      const status = request.status === "pending" && request.expiresAt <= now ? "expired" : request.status
      if (status === word) return true
      if (status !== "pending") return false
      if (word === "accepted") begin(request, now)
      else request.status = "rejected"
      return true
    },
    /** Undefined: it has nothing to answer. False: it came too late. */
    answer: (who: Who, what: "Say" | "Hand" | "Silence", now: number): boolean | undefined => {
      const talk = running()
      if (talk?.speaker !== who) return undefined
      if (now >= talk.due) {
        timeOut(talk, now)
        // Silence is what no first words are, late or not.
        return what === "Silence" && talk.turn === 0
      }
      if (what === "Silence" && talk.turn === 0) {
        talk.kickoff = "failed"
        end(talk, null, [], now)
        return true
      }
      talk.turn++
      talk.kickoff = "established"
      talk.silences = what === "Silence" ? talk.silences + 1 : 0
      if (what === "Hand") talk.hands.add(who)
      const isEnough =
        mode === "dual_raise_hand"
          ? talk.hands.size === 2
          : mode === "either_raise_hand"
            ? talk.hands.size > 0
            : talk.hands.has(talk.requester)
      const reason = isEnough ? "hands" : talk.turn >= maxTurns ? "max_turns" : talk.silences >= 2 ? "silence" : null
      if (reason !== null) end(talk, reason, [other(who)], now)
      else {
        talk.speaker = other(who)
        talk.due = now + timeout
      }
      return true
    },
    take: (who: Who): void => {
      talks.find(({ notices }) => notices.has(who))?.notices.delete(who)
    },
    come: (who: Who, now: number): void => {
      online[who] = true
      const talk = running()
      if (talk?.kickoff === "queued" && talk.requester === who) kickOff(talk, who, true, 0, now)
    },
    sweep: (now: number): void => {
      for (const request of requests) {
        if (request.status === "pending" && request.expiresAt <= now) request.status = "expired"
      }
      const talk = running()
      if (talk !== undefined && talk.due <= now) timeOut(talk, now)
      for (const { notices } of talks) {
        for (const [who, at] of notices) if (at <= now - lastWords) notices.delete(who)
      }
    },
    waiting: (who: Who): number =>
      talks.filter(({ notices }) => notices.has(who)).length + (running()?.speaker === who ? 1 : 0),
    status: (talk: Talk): string => {
      if (talk.kickoff === "failed") return "kickoff_failed"
      if (talk.isOver) return talk.notices.size > 0 ? "ending" : "ended"
      if (talk.kickoff === "skipped") return "silent"
      return talk.turn === 0 ? "opening" : talk.silences > 0 ? "silent" : "active"
    }
  }
}
