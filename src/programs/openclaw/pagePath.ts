/** Where the gateway has the control page, and where its routes find what answers. Light: commands load it too. */
import type { IncomingMessage, ServerResponse } from "node:http"

/** The page is at `/page` below it, what it reads and does at `/control`. */
export const root = "/plugins/clawfiber"

/** While an account runs. */
export interface Open {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
}

export const name = Symbol.for("clawfiber.openclaw.page/1")
