/** What the commands of both channels share: asking the running gateway, and saying what came of it. */
import { callGatewayFromCli } from "openclaw/plugin-sdk/gateway-runtime"
import { isFields } from "./config.ts"

export type Options = Readonly<Record<string, unknown>>

/** A sentence for the one who asked; the command ends with 1. */
export class Refusal extends Error {}

export const say = (line: string): void => void process.stdout.write(`${line}\n`)

export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined

export const isJson = (options: Options): boolean => options["json"] === true

/** The words of what went wrong, on one line. */
export const wordsOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/^GatewayClientRequestError: /, "")

export const ask = async (method: string, params: object, writes = false): Promise<Readonly<Record<string, unknown>>> =>
  callGatewayFromCli(method, { timeout: "15000", json: true }, params, {
    progress: false,
    scopes: [writes ? "operator.write" : "operator.read"]
  })

export const running = async (action: (options: Options) => Promise<void>, options: Options): Promise<void> => {
  try {
    await action(options)
  } catch (cause) {
    const words =
      cause instanceof Refusal
        ? cause.message
        : `${wordsOf(cause)}${/gateway/i.test(wordsOf(cause)) ? " Start it with: openclaw gateway start, or openclaw gateway run." : ""}`
    if (isJson(options)) say(JSON.stringify({ ok: false, error: words }))
    else process.stderr.write(`${words}\n`)
    process.exitCode = 1
  }
}

export interface AccountSeen {
  readonly id: string
  readonly enabled: boolean
  readonly running: boolean
  readonly connected: boolean
  readonly reason: string | undefined
}

/** As the running gateway has them: those that are named, or all. */
export const accountsOf = async (channel: string, options: Options): Promise<ReadonlyArray<AccountSeen>> => {
  const said = await ask("channels.status", { probe: false })
  const all = isFields(said["channelAccounts"]) ? said["channelAccounts"][channel] : undefined
  const seen = (Array.isArray(all) ? all : []).filter(isFields).map((account) => ({
    id: text(account["accountId"]) ?? "default",
    enabled: account["enabled"] !== false,
    running: account["running"] === true,
    connected: account["connected"] === true,
    reason: text(account["lastError"]) ?? text(account["stateReason"])
  }))
  const wanted = text(options["account"])
  if (wanted === undefined) return seen
  const found = seen.filter(({ id }) => id === wanted)
  if (found.length > 0) return found
  throw new Refusal(
    `There is no account ${wanted} in channels.${channel}. There are: ${seen.map(({ id }) => id).join(", ") || "none"}.`
  )
}
