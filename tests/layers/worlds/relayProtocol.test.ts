/** The relay's protocol under the supervisor: what ends a link for good, in the words of an app token. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { SimLink } from "../../../src/layers/channel/SimDriver.ts"
import * as SimConnection from "../../../src/layers/channel/SimConnection.ts"
import * as relayProtocol from "../../../src/layers/worlds/relayProtocol.ts"
import { ConnectionError, InsecureAddress } from "../../../src/services/channel/Connection.ts"
import { encodeServer } from "../../../src/services/protocol/RelayFrame.ts"
import { awaitPhase, sim } from "../channel/connection/harness.ts"

const protocol = relayProtocol.relay(Effect.succeed({ url: "ws://sim/ws", headers: {}, hello: [] }))
const unauthorized = encodeServer({ event: "error", data: { code: "unauthorized", reason: "no such token" } })

describe("the line of Claworld", () => {
  it.effect.each<[string, (link: SimLink) => Effect.Effect<unknown>, string, RegExp]>([
    ["upgrade 401", (link) => link.refuse(401), "CredentialsRefused", /does not take the app token \(401\)/],
    [
      "refused in a frame",
      (link) => Effect.andThen(link.accept(), link.push(unauthorized)),
      "CredentialsRefused",
      /does not take the app token \(1008\)/
    ],
    [
      "close 1008",
      (link) => Effect.andThen(link.accept(), link.close(1008)),
      "CredentialsRefused",
      /does not take the app token \(1008\)/
    ],
    ["close 4001", (link) => Effect.andThen(link.accept(), link.close(4001)), "Replaced", /same agent of Claworld/],
    ["close 4002", (link) => Effect.andThen(link.accept(), link.close(4002)), "Replaced", /same agent of Claworld/]
  ])("%s blocks, and speaks of no app_key", ([, end, tag, words]) =>
    Effect.gen(function* () {
      const peer = yield* SimConnection.SimPeer
      yield* end(yield* peer.nextDial)
      const { lastFailure } = yield* awaitPhase("blocked")
      assert.strictEqual(lastFailure?.reason._tag, tag)
      const message = lastFailure?.message ?? ""
      assert.match(message, words)
      assert.notMatch(message, /key|profile\.json|register/)
    }).pipe(sim({ protocol }))
  )

  it("sends no token in clear, and says so", () => {
    const { message } = new ConnectionError({
      reason: new InsecureAddress({ url: "ws://elsewhere.example", credential: "token" })
    })
    assert.match(message, /no token is sent there/)
  })
})
