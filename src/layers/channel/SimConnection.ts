/**
 * The connection of one account over in-memory sockets: the same supervisor, greeting and heartbeat as over `ws`. The
 * other end is `SimPeer`. Time is the Clock's and chance is Random's, so a test decides both.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Connection } from "../../services/channel/Connection.ts"
import type { ConnectionSettings } from "./ConnectionOptions.ts"
import * as LinkProtocol from "./LinkProtocol.ts"
import * as SimDriver from "./SimDriver.ts"
import type { DialRequest } from "./SocketDriver.ts"
import * as Supervisor from "./Supervisor.ts"

export { SimPeer, type SimLink } from "./SimDriver.ts"

export interface SimConnectionOptions extends ConnectionSettings, SimDriver.SimOptions {
  /** InstaClaw's without headers, unless another protocol is to be kept alive. */
  readonly protocol?: LinkProtocol.LinkProtocol | undefined
  readonly name?: string | undefined
}

const request: DialRequest = { url: "ws://sim/ws/chat", headers: {}, hello: [] }

/** Over the peer that is there: two accounts can share one. */
export const layerWithPeer = (options: SimConnectionOptions = {}): Layer.Layer<Connection, never, SimDriver.SimPeer> =>
  Layer.effect(
    Connection,
    Effect.gen(function* () {
      const peer = yield* SimDriver.SimPeer
      const protocol = options.protocol ?? LinkProtocol.instaclaw(Effect.succeed(request))
      return yield* Supervisor.make({ ...options, driver: peer.driver, protocol })
    })
  )

/** A connection and the platform's end of it. */
export const layer = (options: SimConnectionOptions = {}): Layer.Layer<Connection | SimDriver.SimPeer> =>
  Layer.provideMerge(layerWithPeer(options), SimDriver.layer(options))
