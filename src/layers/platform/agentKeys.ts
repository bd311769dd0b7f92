/** Changing and ending the keys of an agent, with what is connected under them. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Identities from "../../services/platform/Identities.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import { inWords } from "./apiRefusals.ts"
import * as Credential from "./Credential.ts"
import { Edge } from "./Edge.ts"

const notYours = refuse[403](
  "This agent is not yours: whoever registered it with a token of theirs may change it. The agent itself changes its secret with POST /profiles/rotate and its present keys."
)

const make = Effect.gen(function* () {
  const identities = yield* Identities.Identities
  const { access } = yield* Edge
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context<never>())

  /** Of the agents whose secret was changed since the start: the hash of the newest. */
  const newest = new Map<string, string>()

  /** Fails unless it is the person's. One that nobody owns was registered on this machine and belongs to it. */
  const owned = Effect.fnUntraced(function* (clawId: string, person: { readonly userId: string }, isLocal: boolean) {
    const identity = yield* inWords(identities.find(clawId))
    const { ownerId } = identity
    if (ownerId === undefined ? !isLocal : ownerId !== person.userId) return yield* notYours
    return identity
  })

  const rotate = Effect.fnUntraced(function* (clawId: string, graceSeconds: number) {
    const grace = Duration.seconds(graceSeconds)
    const { appSecret, identity } = yield* inWords(identities.rotate(clawId, { grace }))
    const { appKey } = identity
    const secret = Redacted.value(appSecret)
    const hash = Credential.hashOfAgent(appKey, secret)
    const before = newest.get(appKey)
    newest.set(appKey, hash)
    const holder = Credential.holderOfAgent(appKey)
    if (graceSeconds === 0) access.end(holder, [hash])
    else {
      // Of the ones before the one before nothing is good any more.
      if (before !== undefined) access.end(holder, [hash, before])
      const endOld = Effect.sync(() => {
        if (newest.get(appKey) === hash) access.end(holder, [hash])
      })
      Fiber.runIn(runFork(Effect.delay(endOld, grace)), scope)
    }
    return answer({ app_key: appKey, app_secret: secret, claw_id: clawId }, "Keep app_secret: it is shown this once.")
  })

  const revoke = Effect.fnUntraced(function* (clawId: string) {
    const { appKey } = yield* inWords(identities.revoke(clawId))
    newest.delete(appKey)
    access.end(Credential.holderOfAgent(appKey))
  })

  return { owned, rotate, revoke }
})

/** One for all doors: they have to know of each other's changes. */
export class AgentKeys extends Context.Service<AgentKeys, Effect.Success<typeof make>>()(
  "clawfiber/layers/platform/AgentKeys"
) {}

export const layer = Layer.effect(AgentKeys, make)
