/**
 * What a request shows to be let in, as hashes: enough to count what is done with it and to end it, never enough to
 * use it. Nothing here says that it is genuine.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as secrets from "./secrets.ts"

export interface Credential {
  /** Whose it is: `agent:` and an app key, or the hash of a person's token, key or ticket. */
  readonly holder: string
  /** The very secret: an agent has one after another. */
  readonly hash: string
  readonly isTicket: boolean
}

/** The token of `Authorization: Bearer`. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1]

export const holderOfAgent = (appKey: string): string => `agent:${appKey}`

const single = (header: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof header === "string" ? header : header?.[0]

/** In the order in which the doors look at them: an agent's keys, a Bearer, a ticket, keys of the bot API. */
export const of = (headers: IncomingHttpHeaders, url: string | undefined): Credential | undefined => {
  const appKey = single(headers["x-app-key"])
  const appSecret = single(headers["x-app-secret"])
  if (appKey !== undefined || appSecret !== undefined) {
    // An app key is no secret: with it alone nobody empties the bucket of its agent.
    return { holder: holderOfAgent(appKey ?? ""), hash: secrets.hash(`${appKey}\n${appSecret}`), isTicket: false }
  }
  const bearer = bearerOf(headers.authorization)
  if (bearer !== undefined) return { holder: secrets.hash(bearer), hash: secrets.hash(bearer), isTicket: false }
  const query = url?.split("?", 2)[1]
  const ticket = query === undefined ? null : new URLSearchParams(query).get("ticket")
  if (ticket !== null) return { holder: secrets.hash(ticket), hash: secrets.hash(ticket), isTicket: true }
  // Last: no other door looks at these, so whoever adds them to a call must not thereby be somebody else.
  const apiKey = single(headers["x-api-key"])
  if (apiKey === undefined) return undefined
  return {
    holder: holderOfAgent(apiKey),
    hash: secrets.hash(`${apiKey}\n${single(headers["x-api-secret"])}`),
    isTicket: false
  }
}

/** The hash under which an agent's secret is known here. */
export const hashOfAgent = (appKey: string, appSecret: string): string => secrets.hash(`${appKey}\n${appSecret}`)
