/**
 * What shall happen in one history: drawn from the seed before anything runs, as a list that one can read, and from
 * which things can be left out to find the shortest history that still fails.
 */
import { Chance } from "../../layers/simulation/Chance.ts"
import type { Profile } from "./Profiles.ts"

/** What an agent does with one message. */
export type Act =
  | { readonly _tag: "Say"; readonly pieces: ReadonlyArray<string> }
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "Busy"; readonly label: string }
  | { readonly _tag: "Fail" }
  | { readonly _tag: "Die" }
  | { readonly _tag: "Stall" }

export type Where = { readonly account: number }
/** After so many frames of the reply to that message (the index of its op) have left the agent. */
export type Trigger = { readonly message: number; readonly frames: number }

export type Direction = "both" | "up" | "down"

/** What a stranger tries with the reply to somebody else's message: a person, or another agent. */
export type Trespass = "cancel" | "resume" | "write" | "bind" | "answer"

/** `at`: virtual milliseconds. A fault with `on` waits for its trigger instead. */
export type Op = { readonly index: number; readonly at: number; readonly on?: Trigger | undefined } & (
  | {
      readonly _tag: "Submit"
      readonly user: number
      readonly account: number
      readonly session: number
      readonly acts: ReadonlyArray<Act>
    }
  | { readonly _tag: "Resend"; readonly message: number }
  | { readonly _tag: "Cancel"; readonly message: number }
  | { readonly _tag: "PersonCut"; readonly user: number; readonly socket: number; readonly away: number }
  | ({ readonly _tag: "Cut" } & Where)
  | ({ readonly _tag: "HalfOpen"; readonly direction: Direction } & Where)
  | ({ readonly _tag: "Stall"; readonly millis: number; readonly direction: Direction } & Where)
  | ({ readonly _tag: "Refuse"; readonly millis: number; readonly how: "status" | "network" | "silence" } & Where)
  | ({ readonly _tag: "Credentials"; readonly millis: number } & Where)
  | ({ readonly _tag: "Notice" } & Where)
  | ({ readonly _tag: "Replay" } & Where)
  | ({ readonly _tag: "ClockJump"; readonly millis: number; readonly account: number | "platform" } & object)
  | ({ readonly _tag: "RestartAgent" } & Where)
  | ({ readonly _tag: "CrashAgent"; readonly writes: number; readonly when: "before" | "after" } & Where)
  | { readonly _tag: "CrashPlatform"; readonly writes: number; readonly when: "before" | "after" }
  | { readonly _tag: "PlatformDisk"; readonly refusal: "busy" | "full" | "broken"; readonly millis: number }
  | ({ readonly _tag: "AgentDisk"; readonly refusal: "busy" | "full" | "broken"; readonly millis: number } & Where)
  | ({ readonly _tag: "Compute"; readonly millis: number } & Where)
  /** `message`: the index of the op that wrote it. `by`: the number of the person or of the account. */
  | { readonly _tag: "Trespass"; readonly message: number; readonly how: Trespass; readonly by: number }
)

export type Submit = Extract<Op, { readonly _tag: "Submit" }>

export interface AccountPlan {
  readonly dialect: "gateway" | "envelope" | "legacy"
  readonly maxConcurrent: number
  readonly maxQueued: number
  readonly stallTimeout: number
  readonly requestTimeout: number
  readonly outboxBytes: number
  readonly latency: number
  /** Asks the platform for ack, resume and cancel. */
  readonly features: boolean
  /** What a commit of its journal waits for. */
  readonly durability: "normal" | "full"
}

export interface Plan {
  readonly seed: number
  readonly profile: Profile
  readonly accounts: ReadonlyArray<AccountPlan>
  readonly users: number
  /** Sockets (windows) of each user. */
  readonly windows: number
  /** How often a ready task is overtaken, and how many operations a fiber has. */
  readonly disorder: number
  readonly maxOps: number
  readonly ops: ReadonlyArray<Op>
  /** No fault after this time. */
  readonly calmAt: number
}

/** What an operator told the agents. */
export const systemPrompt = "You are the agent of a simulated world. Say what you are told to say."

const words = [
  "the ",
  "answer ",
  "is ",
  "forty-two",
  ", ",
  "and ",
  "more ",
  "of it. ",
  "你好",
  "，世界。",
  "naïve ",
  "é",
  "👍🏽",
  "👨‍👩‍👧‍👦",
  "🇨🇭",
  "🏳️‍🌈",
  "\n",
  "`code` ",
  "…",
  "한국어 "
] as const

/** Text of about so many characters; now and then nothing but letters, so that deltas are cut by length. */
const prose = (chance: Chance, length: number): string => {
  let text = ""
  const plain = chance.flip(0.5)
  while (text.length < length) text += plain ? words[chance.int(0, 7)] : words[chance.int(0, words.length - 1)]
  return text
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/**
 * Cuts as models do: anywhere between characters, and at times inside one, where it is clear that more of it comes
 * (half a code point, or after a joiner).
 */
const cutLikeModels = (chance: Chance, text: string, mean: number): ReadonlyArray<string> => {
  const cuts: Array<number> = []
  const plain = /^[\n\x20-\x7e]*$/.test(text)
  if (plain) for (let index = 0; index < text.length; index++) cuts.push(index)
  else
    for (const { index, segment } of segmenter.segment(text)) {
      cuts.push(index)
      for (let i = 1; i < segment.length; i++) {
        if (isHigh(segment.charCodeAt(i - 1)) && i === 1 && segment.length === 2) cuts.push(index + i)
        else if (segment.charCodeAt(i - 1) === 0x200d) cuts.push(index + i)
      }
    }
  const pieces: Array<string> = []
  let from = 0
  let next = Math.max(1, Math.floor(chance.around(mean)))
  for (const cut of cuts) {
    if (cut - from < next) continue
    pieces.push(text.slice(from, cut))
    from = cut
    next = Math.max(1, Math.floor(chance.around(mean)))
  }
  if (from < text.length) pieces.push(text.slice(from))
  return pieces
}

const acts = (chance: Chance, profile: Profile): ReadonlyArray<Act> => {
  const kind = chance.next()
  if (kind < 0.03) return []
  if (kind < 0.06) return [{ _tag: "Stall" }]
  const long = kind < (profile.narrow ? 0.4 : 0.08)
  const text = prose(chance, long ? chance.int(3_000, 8_000) : Math.floor(20 + chance.around(180)))
  // Small pieces come in bunches, as tokens do.
  const small = chance.flip(0.3)
  const pieces = cutLikeModels(chance, text, small ? 4 : 40)
  const slow = chance.flip(0.3) ? 2_500 : 150
  const out: Array<Act> = []
  for (let from = 0; from < pieces.length;) {
    const count = long && kind < 0.1 ? 40 : chance.int(1, small ? 8 : 4)
    out.push({ _tag: "Say", pieces: pieces.slice(from, from + count) })
    from += count
    if (out.length > 40) {
      out.push({ _tag: "Say", pieces: pieces.slice(from) })
      break
    }
    if (chance.flip(0.7)) out.push({ _tag: "Wait", millis: Math.floor(chance.around(slow)) })
    if (chance.flip(0.05)) out.push({ _tag: "Busy", label: "looks something up" })
  }
  if (kind > 0.97) out.push({ _tag: "Fail" })
  else if (kind > 0.95) out.push({ _tag: "Die" })
  else if (kind > 0.93) out.push({ _tag: "Stall" })
  return out
}

const minute = 60_000

export const make = (seed: number, profile: Profile): Plan => {
  const chance = new Chance(seed, `plan ${profile.name}`)
  const accounts = Array.from({ length: profile.accounts }, (): AccountPlan => ({
    dialect: chance.flip(0.6) ? "gateway" : chance.flip(0.7) ? "envelope" : "legacy",
    maxConcurrent: chance.int(1, 4),
    maxQueued: chance.flip(0.2) ? 2 : 40,
    stallTimeout: chance.int(20, 60) * 1000,
    requestTimeout: chance.int(90, 180) * 1000,
    outboxBytes: chance.flip(0.3) || profile.narrow ? 2_048 : 64 * 1024,
    latency: chance.pick([2, 20, 20, 150]),
    features: chance.flip(0.5),
    durability: profile.death === "power" ? "full" : "normal"
  }))
  const ops: Array<Op> = []
  const { calmAt } = profile
  const begin = 5_000
  const submits: Array<Submit> = []
  for (let i = 0; i < profile.messages; i++) {
    const account = chance.int(0, accounts.length - 1)
    const op: Submit = {
      index: ops.length,
      at: Math.floor(begin + chance.next() * (calmAt - begin)),
      _tag: "Submit",
      user: chance.int(0, profile.users - 1),
      account,
      session: chance.int(0, 1),
      acts: acts(chance, profile)
    }
    submits.push(op)
    ops.push(op)
  }
  const anySubmit = (): Submit | undefined => submits[chance.int(0, submits.length - 1)]
  for (let i = 0; i < profile.messages / 10; i++) {
    const message = anySubmit()
    if (message === undefined) break
    const later = Math.floor(chance.around(chance.flip(0.5) ? 1_000 : 20_000))
    if (chance.flip(0.6))
      ops.push({ index: ops.length, at: message.at + later, _tag: "Resend", message: message.index })
    else ops.push({ index: ops.length, at: message.at + later, _tag: "Cancel", message: message.index })
  }
  if (profile.faults.length > 0) {
    for (let i = 0; i < profile.faultCount; i++) {
      const index = ops.length
      const at = Math.floor(begin + chance.next() * (calmAt - begin))
      const message = chance.flip(0.6) ? anySubmit() : undefined
      const account = message?.account ?? chance.int(0, accounts.length - 1)
      const on = message === undefined ? undefined : { message: message.index, frames: chance.int(1, 6) }
      const direction = chance.pick<Direction>(["both", "up", "down"])
      const when = chance.pick<"before" | "after">(["before", "after"])
      const base = { index, at: message?.at ?? at, ...(on === undefined ? {} : { on }) }
      switch (profile.faults[chance.int(0, profile.faults.length - 1)]) {
        case "Cut":
          ops.push({ ...base, _tag: "Cut", account })
          break
        case "HalfOpen":
          ops.push({ ...base, _tag: "HalfOpen", account, direction })
          break
        case "Stall":
          ops.push({ ...base, _tag: "Stall", account, direction, millis: Math.floor(chance.around(40_000)) })
          break
        case "Refuse": {
          const how = chance.pick<"status" | "network" | "silence">(["status", "network", "silence"])
          ops.push({ ...base, _tag: "Refuse", account, how, millis: Math.floor(chance.around(30_000)) })
          break
        }
        case "Credentials":
          ops.push({ ...base, _tag: "Credentials", account, millis: Math.floor(chance.around(20_000)) })
          break
        case "Notice":
          ops.push({ ...base, _tag: "Notice", account })
          break
        case "Replay":
          ops.push({ ...base, _tag: "Replay", account })
          break
        case "ClockJump":
          ops.push({
            ...base,
            _tag: "ClockJump",
            account: chance.flip(0.3) ? "platform" : account,
            millis: chance.int(-10, 10) * minute
          })
          break
        case "PersonCut":
          ops.push({
            ...base,
            _tag: "PersonCut",
            user: chance.int(0, profile.users - 1),
            socket: chance.int(0, 1),
            away: Math.floor(chance.around(5_000))
          })
          break
        case "RestartAgent":
          ops.push({ ...base, _tag: "RestartAgent", account })
          break
        case "CrashAgent":
          ops.push({ ...base, _tag: "CrashAgent", account, writes: chance.int(0, 3), when })
          break
        case "CrashPlatform":
          ops.push({ ...base, _tag: "CrashPlatform", writes: chance.int(0, 4), when })
          break
        case "PlatformDisk":
          ops.push({
            ...base,
            _tag: "PlatformDisk",
            refusal: chance.pick(["busy", "full", "broken"]),
            millis: Math.floor(chance.around(3_000))
          })
          break
        case "AgentDisk":
          ops.push({
            ...base,
            _tag: "AgentDisk",
            account,
            refusal: chance.pick(["busy", "full", "broken"]),
            millis: Math.floor(chance.around(3_000))
          })
          break
        case "Compute":
          ops.push({ ...base, _tag: "Compute", account, millis: Math.floor(chance.around(25_000)) })
          break
        case undefined:
          break
      }
    }
  }
  const others = new Chance(seed, `trespass ${profile.name}`)
  for (let i = 0; i < profile.trespasses; i++) {
    const message = submits[others.int(0, submits.length - 1)]
    if (message === undefined) break
    const how = others.pick<Trespass>(["cancel", "resume", "write", "bind", "answer", "answer"])
    const next = (of: number, not: number) => (not + others.int(1, of - 1)) % of
    const by = how === "answer" ? next(accounts.length, message.account) : next(profile.users, message.user)
    const on = { message: message.index, frames: others.int(1, 5) }
    ops.push({ index: ops.length, at: message.at, on, _tag: "Trespass", message: message.index, how, by })
  }
  return {
    seed,
    profile,
    accounts,
    users: profile.users,
    windows: 2,
    disorder: chance.pick([0, 0.05, 0.3]),
    maxOps: chance.pick([3, others.pick([4, 5, 7, 8, 11, 13, 16]), 64, 2048]),
    ops,
    calmAt
  }
}
