/**
 * Speaking to people without having been asked, over the platform's HTTP door: `POST /bots/messages` and
 * `GET /bots/people` (ours). With the keys of one account, to its own platform (law secret). What got no answer is said
 * again under its key, and so not twice (law once).
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import {
  NotOffered,
  OutreachError,
  PlatformAway,
  SayingRefused,
  UnknownTarget
} from "../../services/channel/Outreach.ts"
import { Correspondent, Said } from "../../services/protocol/Sayings.ts"
import { isRecord } from "../../services/protocol/Wire.ts"
import * as platformAnswer from "./platformAnswer.ts"
import * as PlatformAddress from "./PlatformAddress.ts"

export interface Options {
  /** Any address of the platform that issued the keys. */
  readonly url: URL
  readonly appKey: string
  readonly appSecret: Redacted.Redacted<string>
}

export interface Outreach {
  /** In the conversation, once under its key. */
  readonly say: (saying: {
    readonly sessionId: string
    readonly text: string
    readonly key: string
  }) => Effect.Effect<Said, OutreachError>
  /** Who has a conversation with this agent, last used first. */
  readonly people: Effect.Effect<ReadonlyArray<Correspondent>, OutreachError>
  /** The conversation that is meant: its id, or its person's id or name. */
  readonly find: (target: string) => Effect.Effect<Correspondent, OutreachError>
}

const maxAnswer = 1024 * 1024
const timeout = "15 seconds"

const failure = (reason: OutreachError["reason"]) => new OutreachError({ reason })
const away = (detail: string) => failure(new PlatformAway({ detail }))

const People = Schema.Struct({ data: Schema.Struct({ items: Schema.Array(Correspondent) }) })
const Saying = Schema.Struct({ data: Said })

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const namesOf = (people: ReadonlyArray<Correspondent>): string => {
  if (people.length === 0) return "Nobody has a conversation with this agent yet: people begin one on the platform."
  const some = people.slice(0, 5).map(({ name, user_id }) => (name === "" ? user_id : `${name} (${user_id})`))
  return `There are: ${some.join(", ")}${people.length > 5 ? ` and ${people.length - 5} more` : ""}.`
}

/** What of a stranger's words an error shows. */
const shown = (target: string): string => platformAnswer.tame(target).slice(0, 80)

/** As our own platform draws them. */
const conversationId = /^sess_[0-9a-f]{32}$/

/** A session's id, a person's id, or the name of one person; ids win over names. */
const resolve = (
  people: ReadonlyArray<Correspondent>,
  target: string
): { readonly found: Correspondent } | { readonly why: string } => {
  const byId = people.find(({ session_id, user_id }) => session_id === target || user_id === target)
  if (byId !== undefined) return { found: byId }
  const wanted = target.toLowerCase()
  const named = people.filter(({ name }) => name.toLowerCase() === wanted)
  if (named.length > 1) {
    return { why: `Several are: ${named.map(({ user_id }) => user_id).join(", ")}. Name one by the id.` }
  }
  return named[0] === undefined ? { why: namesOf(people) } : { found: named[0] }
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Outreach, never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const base = PlatformAddress.derive(options.url).taskApiBaseUrl
  const platform = base.origin

  const refusalOf = (status: number, body: unknown, target: string): OutreachError => {
    const words = platformAnswer.wordsOf(body, ["message"])
    const param = isRecord(body) ? body["param"] : undefined
    if (status === 404 && (param === "session_id" || param === "user_id")) {
      return failure(new UnknownTarget({ target: shown(target), hint: words ?? "" }))
    }
    // Whoever does not know the call says so in one of these ways.
    if ([404, 405, 426, 501].includes(status)) return failure(new NotOffered({ platform }))
    if (platformAnswer.mayPass(status) && status !== 429) return away(`it answered with ${status}`)
    return failure(new SayingRefused({ detail: words ?? `it answered with ${status}.` }))
  }

  const once = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(
    request: HttpClientRequest.HttpClientRequest,
    schema: S,
    target: string
  ): Effect.fn.Return<S["Type"], OutreachError> {
    const { body, status } = yield* client
      .execute(
        HttpClientRequest.setHeaders(request, {
          "x-api-key": options.appKey,
          "x-api-secret": Redacted.value(options.appSecret)
        })
      )
      .pipe(
        // A redirect would carry the keys to a host that nobody named.
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.flatMap((response) =>
          Effect.map(
            platformAnswer.textOf(response, maxAnswer, () => away("its answer is far too long")),
            (text) => ({ status: response.status, body: parse(text) })
          )
        ),
        Effect.catchTag("HttpClientError", () => Effect.fail(away(`no whole answer from ${platform}`))),
        Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(away(`no answer from ${platform}`)) })
      )
    if (status !== 200) return yield* refusalOf(status, body, target)
    // Another platform may answer anything to a call that it does not know.
    return yield* Effect.mapError(Schema.decodeUnknownEffect(schema)(body), () => failure(new NotOffered({ platform })))
  })

  const ask = <S extends Schema.ConstraintDecoder<unknown>>(
    request: HttpClientRequest.HttpClientRequest,
    schema: S,
    target: string
  ): Effect.Effect<S["Type"], OutreachError> =>
    Effect.retry(once(request, schema, target), {
      schedule: Schedule.exponential("300 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 })),
      while: ({ transient }) => transient
    })

  const people = Effect.map(
    ask(HttpClientRequest.get(new URL("bots/people?limit=1000", base)), People, ""),
    ({ data }) => data.items
  ).pipe(Effect.withSpan("Outreach.people"))

  return {
    say: Effect.fn("Outreach.say")(function* ({ key, sessionId, text }) {
      const request = HttpClientRequest.post(new URL("bots/messages", base)).pipe(
        HttpClientRequest.setHeader("idempotency-key", key),
        HttpClientRequest.bodyJsonUnsafe({ session_id: sessionId, text })
      )
      return (yield* ask(request, Saying, sessionId)).data
    }),
    people,
    find: Effect.fn("Outreach.find")(function* (target) {
      const known = yield* people
      const wanted = target.trim()
      const resolved = resolve(known, wanted)
      if ("found" in resolved) return resolved.found
      // The list has each person's latest conversation alone; whether there is this one is said where it is written to.
      if (conversationId.test(wanted)) {
        return { user_id: "", name: wanted, session_id: wanted, title: "", updated_at: 0 }
      }
      return yield* failure(new UnknownTarget({ target: shown(target), hint: resolved.why }))
    })
  }
})
