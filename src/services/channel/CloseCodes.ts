/**
 * Why a socket ended, as a table that one can read: close code or HTTP status of a refused upgrade → what to do next
 * and what to tell a person. Pure; the supervisor and `doctor` read it.
 *
 * Sources: RFC 6455 section 7.4.1 and the IANA registry for 1000..1015; 4001 and 4002 from the protocol's family.
 */
import { ConnectionError, CredentialsRefused, NotAdmitted, Replaced, Unreachable } from "./Connection.ts"

/**
 * - `reconnect`: dial again after the backoff.
 * - `credentials`: blocked, the key was refused. Needs a person.
 * - `replaced`: blocked, another connection of the account took over. Needs a person.
 */
export type Verdict = "reconnect" | "credentials" | "replaced"

/** One row: a close code or an HTTP status, its verdict, and half a sentence for people ("the platform ..."). */
export interface Row {
  readonly code: number
  readonly verdict: Verdict
  readonly text: string
}

/** Close codes with a meaning of their own. Every code that is not here is `reconnect`. */
export const closeCodes: ReadonlyArray<Row> = [
  { code: 1000, verdict: "reconnect", text: "the platform closed the connection" },
  { code: 1001, verdict: "reconnect", text: "the platform is going away, most likely restarting" },
  { code: 1002, verdict: "reconnect", text: "the platform saw a protocol error" },
  { code: 1003, verdict: "reconnect", text: "the platform does not take this kind of data" },
  { code: 1005, verdict: "reconnect", text: "the platform closed the connection without saying why" },
  { code: 1006, verdict: "reconnect", text: "the connection broke off" },
  { code: 1007, verdict: "reconnect", text: "the platform could not read a message" },
  { code: 1008, verdict: "credentials", text: "the platform's policy refuses this key" },
  { code: 1009, verdict: "reconnect", text: "a message was too large, and the reply it belonged to is lost" },
  { code: 1011, verdict: "reconnect", text: "the platform met an internal error" },
  { code: 1012, verdict: "reconnect", text: "the platform is restarting" },
  { code: 1013, verdict: "reconnect", text: "the platform is overloaded" },
  { code: 1014, verdict: "reconnect", text: "a gateway on the way had no answer from the platform" },
  { code: 1015, verdict: "reconnect", text: "the encryption could not be set up" },
  { code: 4001, verdict: "replaced", text: "another connection with the same key took over" },
  { code: 4002, verdict: "reconnect", text: "the platform held the connection for stale" },
  // Ours: the next upgrade is told why.
  { code: 4003, verdict: "reconnect", text: "the platform switched this agent off, or ended its keys" }
]

/** Answers to the upgrade with a meaning of their own. Every status that is not here is `reconnect`. */
export const upgradeStatuses: ReadonlyArray<Row> = [
  { code: 401, verdict: "credentials", text: "the platform does not know this key" },
  { code: 403, verdict: "credentials", text: "the platform forbids this key to connect" },
  { code: 404, verdict: "reconnect", text: "there is no chat socket at this address (404)" },
  { code: 408, verdict: "reconnect", text: "the platform waited too long for the request (408)" },
  { code: 426, verdict: "reconnect", text: "the address does not speak WebSocket (426)" },
  { code: 429, verdict: "reconnect", text: "the platform asks to try less often (429)" },
  { code: 500, verdict: "reconnect", text: "the platform met an internal error (500)" },
  { code: 502, verdict: "reconnect", text: "a gateway on the way had no answer from the platform (502)" },
  { code: 503, verdict: "reconnect", text: "the platform is not available just now (503)" },
  { code: 504, verdict: "reconnect", text: "a gateway on the way waited in vain for the platform (504)" }
]

const byCode = new Map(closeCodes.map((row) => [row.code, row]))
const byStatus = new Map(upgradeStatuses.map((row) => [row.code, row]))

/** The row of a close code; a code without a row reconnects. */
export const rowOfClose = (code: number): Row =>
  byCode.get(code) ?? { code, verdict: "reconnect", text: `the platform closed the connection (code ${code})` }

/** The row of an HTTP status that answered an upgrade; a status without a row reconnects. */
export const rowOfStatus = (status: number): Row =>
  byStatus.get(status) ?? {
    code: status,
    verdict: "reconnect",
    text:
      status >= 300 && status < 400
        ? `the address points elsewhere (${status}), and keys do not follow to another place`
        : `the platform did not open a socket (HTTP ${status})`
  }

const errorOf = (row: Row): ConnectionError => {
  switch (row.verdict) {
    case "reconnect":
      return new ConnectionError({ reason: new Unreachable({ code: row.code, detail: row.text }) })
    case "credentials":
      return new ConnectionError({ reason: new CredentialsRefused({ code: row.code }) })
    case "replaced":
      return new ConnectionError({ reason: new Replaced() })
  }
}

/** What a close of the socket means. The peer's own reason text is left out: it is not ours to show. */
export const errorOfClose = (code: number): ConnectionError => errorOf(rowOfClose(code))

/** Codes of the bot API, in the body of a 403. */
const standings: ReadonlyMap<number | undefined, "inactive" | "pending"> = new Map([
  [40102, "inactive"],
  [40103, "pending"]
])

/** What a refused upgrade means. `code`: the one in the answer's body, where it held one. Its text is left out too. */
export const errorOfStatus = (status: number, code?: number): ConnectionError => {
  const why = status === 403 ? standings.get(code) : undefined
  return why === undefined ? errorOf(rowOfStatus(status)) : new ConnectionError({ reason: new NotAdmitted({ why }) })
}
