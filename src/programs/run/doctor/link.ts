/**
 * The line as an agent uses it: the upgrade, the key, a ping, a message there and back. None fails. With the key only
 * where nobody is on the line with it: a second connection would take the line away.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Redacted from "effect/Redacted"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Stream from "effect/Stream"
import * as PlatformAddress from "../../../layers/channel/PlatformAddress.ts"
import type { Profile } from "../../../services/channel/ProfileStore.ts"
import * as PlatformClient from "../PlatformClient.ts"
import * as AgentKnock from "./AgentKnock.ts"
import { bad, type Finding, good, unknown } from "./Finding.ts"

export interface Asked {
  readonly url: URL
  readonly profile: Profile | undefined
  /** The folder of the profile, for sentences. */
  readonly root: string
  /** Where a key belongs that does not say who issued it. */
  readonly issuer: string
  /** Who is on the line with this profile. */
  readonly owner: string | undefined
  /** Somebody on the platform, who sends the test message. */
  readonly token: Redacted.Redacted<string> | undefined
}

const look = "Look at INSTACLAW_WS_URL."

const upgraded = (url: URL, knock: AgentKnock.Knock): Finding => {
  if (knock._tag === "Failed") return bad("upgrade", `${url.host} takes no socket on ${url.pathname}. ${look}`)
  if (knock._tag === "Open" || knock.status === 401 || knock.status === 403) {
    return good("upgrade", `${url.host} takes sockets on ${url.pathname}.`)
  }
  return bad("upgrade", `${url.host} answers ${knock.status} to a socket on ${url.pathname}. ${look}`)
}

/** Why the key is not tried; `undefined` where it may be. */
const holdBack = ({ issuer, owner, profile, root, url }: Asked): string | undefined => {
  if (profile === undefined) return "there is no key to try"
  if (owner !== undefined) return `${owner} is on the line with this key, so it was not tried again`
  const from = profile.origin ?? issuer
  return PlatformAddress.sameOrigin(from, PlatformAddress.originOf(url))
    ? undefined
    : `the key in ${root} is of ${from}, so it was not sent here`
}

const rest = (why: string): ReadonlyArray<Finding> => [
  unknown("credentials", `Not tried: ${why}.`),
  unknown("ping", `Not tried: ${why}.`),
  unknown("message", `Not tried: ${why}.`)
]

const text = "The doctor hears you."

/** A message from somebody on the platform to this agent, which is us for the moment, and the reply back. */
const message = Effect.fnUntraced(function* (
  asked: Asked,
  profile: Profile,
  open: Extract<AgentKnock.Knock, { readonly _tag: "Open" }>
) {
  const origin = PlatformAddress.originOf(asked.url)
  if (asked.token === undefined && !PlatformAddress.isLoopback(asked.url)) {
    return unknown(
      "message",
      "Not tried: somebody on the platform has to send it. A key of yours, made on its page, goes into CLAWFIBER_TOKEN."
    )
  }
  return yield* Effect.gen(function* () {
    const client = yield* PlatformClient.make({ url: origin, token: asked.token })
    const token = yield* client.signIn("clawfiber doctor")
    const session = yield* client.createSession(token, profile.claw_id)
    open.answer(session.session_id, text)
    const begun = performance.now()
    const events = yield* client
      .reply(token, {
        clawId: profile.claw_id,
        sessionId: session.session_id,
        messageId: SecureRandom.uuidV4Unsafe(),
        text: "Is this line good?"
      })
      .pipe(Stream.runCollect)
    yield* Effect.ignore(client.removeSession(token, session.session_id))
    const said = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("")
    return said === text && events.at(-1)?.type === "response.completed"
      ? good(
          "message",
          `A message came in and its reply came out whole, in ${Math.round(performance.now() - begun)} ms.`
        )
      : bad("message", "A message came in, but its reply did not come out whole. Ask who runs the platform.")
  }).pipe(
    Effect.timeout("20 seconds"),
    Effect.catchTags({
      Failure: (error) => Effect.succeed(unknown("message", `Nobody could be found to send one: ${error.message}`)),
      TimeoutError: () =>
        Effect.succeed(
          bad("message", "A message was sent, but nothing came back within 20 s. Ask who runs the platform.")
        )
    }),
    Effect.provide(FetchHttpClient.layer)
  )
})

export const all = (asked: Asked): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function* () {
    const { profile, root, url } = asked
    if (!PlatformAddress.mayCarryKeys(url)) {
      const why = `${url.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`
      return [bad("upgrade", why), ...rest("no key is sent there")]
    }
    const why = holdBack(asked)
    const withKey = why === undefined ? profile : undefined
    const knock = yield* AgentKnock.dial(url, withKey)
    const first = upgraded(url, knock)
    if (withKey === undefined) return [first, ...rest(why ?? "there is no key to try")]
    if (knock._tag === "Failed") return [first, ...rest("there is no socket")]
    if (knock._tag === "Refused") {
      return first.state === "bad"
        ? [first, ...rest("there is no socket")]
        : [
            first,
            bad(
              "credentials",
              `The platform refused the key (${knock.status}). Move ${root} away and register again, or ask who runs it.`
            ),
            ...rest("the key was refused").slice(1)
          ]
    }
    const millis = yield* knock.ping
    return [
      first,
      good("credentials", "The key is taken."),
      millis === undefined
        ? bad(
            "ping",
            "The socket is open, but a ping did not come back within 10 s: something between does not pass them."
          )
        : good("ping", `A ping came back in ${Math.max(1, Math.round(millis))} ms.`),
      yield* message(asked, withKey, knock)
    ]
  }).pipe(Effect.scoped)
