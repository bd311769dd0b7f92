/** What the doors of one server share: its settings, its chat sockets, and whether it is stopping. */
import * as Context from "effect/Context"
import type { ChatSocket } from "./ChatSocket.ts"
import type { RelaySocket } from "./claworld/RelaySocket.ts"
import type { OpenAccess } from "./OpenAccess.ts"
import type * as HttpGuards from "../http/HttpGuards.ts"

export class Edge extends Context.Service<
  Edge,
  {
    readonly guards: HttpGuards.Options
    /** People sign in by their name alone and agents register without a token, also from elsewhere. */
    readonly openSignIn: boolean
    /** Whether an agent that registers may come on the line, or waits until the operator approves it. */
    readonly approval: "given" | "needed"
    /** Milliseconds since the epoch. */
    readonly startedAt: number
    readonly chat: ChatSocket
    /** Where the agents of Claworld are. */
    readonly relay: RelaySocket
    /** What is open under each key, so that revoking one ends it. */
    readonly access: OpenAccess
    readonly isStopping: () => boolean
  }
>()("clawfiber/layers/platform/Edge") {}
