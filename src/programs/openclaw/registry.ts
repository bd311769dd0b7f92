/**
 * The accounts that run in this process, found from anywhere in it. The host loads this plugin more than once (tools
 * run in another instance of the module than `startAccount`), so what is shared hangs on the global object, under a
 * name of our own.
 */
import type { Saying } from "./speaking.ts"
import type { Look } from "../../layers/channel/PlatformLook.ts"
import type { Correspondent, Said } from "../../services/protocol/Sayings.ts"
import type { Toolbox, ToolResult } from "../../services/channel/Toolbox.ts"

export interface Seat {
  readonly accountId: string
  /** A method of services/channel/Control. Never rejects. */
  readonly call: (method: string, params: unknown) => Promise<Called>
  /**
   * A tool of the toolkit. `session`: a session of the host that is a conversation of ours; the toolbox of the turn that
   * runs in it answers, and nothing when none does (law confined). Absent: the operator's own agent asks. Never rejects.
   */
  readonly tool: (name: string, input: unknown, session: string | undefined) => Promise<ToolResult>
  /** What the turn that runs in this session of the host may do, where it is one of ours. */
  readonly has: (session: string) => Toolbox | undefined
  /** Looks at the platform, and at what pings and pongs say of the line. Never rejects. */
  readonly probe: (timeoutMs: number) => Promise<Probe>
  /** Who has a conversation with this agent. Rejects with a sentence; `transient`: may go through later. */
  readonly people: () => Promise<ReadonlyArray<Correspondent>>
  /** Whom a target means. Rejects with a sentence; `transient`: may go through later. */
  readonly findPerson: (target: string) => Promise<Correspondent>
  /** Says something to a person, once under its key. Rejects with a sentence; `transient`: may go through later. */
  readonly say: (saying: Saying) => Promise<Said>
}

export interface Probe extends Look {
  readonly clawId: string | undefined
  /** Of the connection; `none`: there are no credentials yet. */
  readonly phase: string
  readonly lastPongAt: number | undefined
}

export type Called =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly fields: ReadonlyArray<unknown> }

const name = Symbol.for("clawfiber.openclaw.accounts/1")

const holder = globalThis as { [name]?: Map<string, Seat> }

export const seats: Map<string, Seat> = (holder[name] ??= new Map())

/** The one that is named; else the only one, or `default`. */
export const find = (accountId: string | undefined): Seat | undefined => {
  if (accountId !== undefined) return seats.get(accountId)
  return seats.size === 1 ? [...seats.values()][0] : seats.get("default")
}
