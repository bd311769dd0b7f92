/** The methods of services/channel/Control as methods of the host's gateway, under the host's own authentication. */
import { methods } from "../../services/channel/Control.ts"
import type { GatewayRequest, PluginApi } from "./host.ts"
import * as registry from "./registry.ts"

const codes: Readonly<Record<string, string>> = {
  invalid_params: "INVALID_REQUEST",
  unknown_method: "INVALID_REQUEST",
  unknown_account: "NOT_FOUND",
  not_found: "NOT_FOUND",
  conflict: "CONFLICT",
  refused: "INVALID_REQUEST",
  unavailable: "UNAVAILABLE"
}

const handle =
  (method: string) =>
  async ({ params, respond }: GatewayRequest): Promise<void> => {
    const wanted = params["account_id"]
    const seat = registry.find(typeof wanted === "string" ? wanted : undefined)
    if (seat === undefined) {
      const known = [...registry.seats.keys()]
      return respond(false, undefined, {
        code: "NOT_FOUND",
        message:
          known.length === 0
            ? "No InstaClaw account runs in this host just now. Look at: openclaw channels status"
            : `Name the account with account_id. There are: ${known.join(", ")}.`
      })
    }
    const answer = await seat.call(method, { ...params, account_id: seat.accountId })
    if (answer.ok) return respond(true, answer.result)
    respond(false, undefined, {
      code: codes[answer.code] ?? "UNAVAILABLE",
      message: answer.message,
      details: { code: answer.code, fields: answer.fields }
    })
  }

export const register = (api: PluginApi): void => {
  for (const [name, { writes }] of Object.entries(methods)) {
    api.registerGatewayMethod(name, handle(name), { scope: writes ? "operator.write" : "operator.read" })
  }
}
