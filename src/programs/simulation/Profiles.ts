/** What kinds of worlds there are. */
import type { Op } from "./Plan.ts"

export type Fault = Exclude<Op["_tag"], "Submit" | "Resend" | "Cancel" | "Trespass">

export interface Profile {
  readonly name: string
  readonly about: string
  readonly accounts: number
  readonly users: number
  readonly messages: number
  readonly faults: ReadonlyArray<Fault>
  readonly faultCount: number
  /** Virtual milliseconds after which nothing goes wrong any more. */
  readonly calmAt: number
  /** Everything pending ends within so many milliseconds after that (law drain). */
  readonly drainBound: number
  /** Virtual milliseconds, at least. */
  readonly length: number
  /** Where agents keep what they have answered. */
  readonly journal: "memory" | "sqlite"
  /** A process that dies loses what it had not committed, a machine also what was not synced. */
  readonly death: "process" | "power"
  /** How often somebody tries what is not theirs to do. */
  readonly trespasses: number
  /** Everything is logged, people claim what they like about themselves, and sockets are dialled as `ws` does it. */
  readonly hostile: boolean
  /** Networks that take little at once, small outboxes, and agents that say much. */
  readonly narrow: boolean
}

const minute = 60_000

const base = {
  accounts: 5,
  users: 4,
  messages: 100,
  faultCount: 24,
  length: 10 * minute,
  death: "process",
  journal: "memory",
  trespasses: 0,
  hostile: false,
  narrow: false
} as const

const network: ReadonlyArray<Fault> = [
  "Cut",
  "Cut",
  "HalfOpen",
  "Stall",
  "Refuse",
  "Credentials",
  "Notice",
  "Replay",
  "ClockJump",
  "PersonCut"
]

export const profiles: ReadonlyArray<Profile> = [
  {
    ...base,
    name: "safety",
    about: "everything goes wrong for eight minutes",
    faults: [...network, "PlatformDisk"],
    calmAt: 8 * minute,
    drainBound: 8 * minute
  },
  {
    ...base,
    name: "liveness",
    about: "faults for five minutes, then all that is pending has to end",
    faults: network,
    faultCount: 16,
    calmAt: 5 * minute,
    drainBound: 5 * minute
  },
  {
    ...base,
    name: "crash",
    about: "processes die at any write; what was committed stays",
    faults: [
      ...(["Cut", "HalfOpen", "Stall", "Notice", "PersonCut", "RestartAgent"] as const),
      ...(["CrashAgent", "CrashAgent", "CrashPlatform", "AgentDisk"] as const)
    ],
    calmAt: 6 * minute,
    drainBound: 8 * minute,
    journal: "sqlite"
  },
  {
    ...base,
    name: "power",
    about: "machines die at any write; what was not synced is gone",
    faults: ["Cut", "Stall", "ClockJump", "RestartAgent", "CrashAgent", "CrashAgent", "CrashPlatform", "PlatformDisk"],
    calmAt: 6 * minute,
    drainBound: 8 * minute,
    death: "power",
    journal: "sqlite"
  }
]

/** Not among those that take turns, so that a seed without a profile stays what it is. */
export const hostile: Profile = {
  ...base,
  name: "hostile",
  about: "strangers try what they may not, agents compute for minutes, and everything is logged",
  faults: ["Cut", "Stall", "Refuse", "Credentials", "Notice", "Compute", "Compute", "RestartAgent", "PersonCut"],
  calmAt: 6 * minute,
  drainBound: 8 * minute,
  journal: "sqlite",
  trespasses: 40,
  hostile: true
}

/** Not among those that take turns either. */
export const narrow: Profile = {
  ...base,
  name: "narrow",
  about: "agents that say much over networks that take little, with little room to wait",
  faults: ["Cut", "Stall", "Stall", "HalfOpen", "Notice", "PersonCut"],
  calmAt: 6 * minute,
  drainBound: 8 * minute,
  narrow: true
}

/** A hundred accounts on the line and nothing to do: how fast time goes. */
export const idle: Profile = {
  ...base,
  name: "idle",
  about: "a hundred accounts on the line for four hours, and nobody writes",
  accounts: 100,
  users: 1,
  messages: 0,
  faults: [],
  faultCount: 0,
  calmAt: 0,
  drainBound: 5 * minute,
  length: 240 * minute
}

/** Those that take turns, and those that are asked for by name. */
export const all: ReadonlyArray<Profile> = [...profiles, hostile, narrow, idle]

export const find = (name: string): Profile | undefined => all.find((profile) => profile.name === name)
