/** The single looks that `doctor` takes. Each gives findings; none fails, none spends. */
import { WebSocket } from "ws"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileLock from "../../layers/files/FileLock.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import { modelOf, type Settings, SettingsError, table } from "../../services/channel/Settings.ts"

export interface Finding {
  readonly check: string
  readonly state: "good" | "bad" | "unknown"
  /** What was found, and, where it is not good, what to do. */
  readonly text: string
}

const finding =
  (state: Finding["state"]) =>
  (check: string, text: string): Finding => ({ check, state, text })
const good = finding("good")
const bad = finding("bad")
const unknown = finding("unknown")

export const node = (version: string): Finding =>
  Number(version.split(".")[0]) >= 24
    ? good("node", `Node ${version}.`)
    : bad("node", `Node ${version} is too old. Install Node 24 or later.`)

export const settings = (
  fault: SettingsError | undefined,
  environment: Readonly<Record<string, unknown>>
): ReadonlyArray<Finding> => {
  if (fault !== undefined)
    return fault.faults.map((one) => bad("settings", new SettingsError({ faults: [one] }).message))
  const set = Object.values(table).filter(({ name }) => (environment[name] ?? "") !== "")
  return [
    good("settings", set.length === 0 ? "All at their defaults." : `Set: ${set.map(({ name }) => name).join(", ")}.`)
  ]
}

/** The profile of the working folder, modes included: reading it tightens them. */
export const profile = Effect.gen(function* () {
  const store = yield* ProfileStore
  return yield* store.load.pipe(
    Effect.match({
      onFailure: (error) => ({ profile: Option.none<Profile>(), finding: bad("profile", error.message) }),
      onSuccess: (found) => ({
        profile: found,
        finding: Option.match(found, {
          onNone: () =>
            unknown(
              "profile",
              "There is none in .insta. `clawfiber up` needs none; for another platform: clawfiber connect --register NAME."
            ),
          onSome: ({ claw_id, name, origin }) =>
            good(
              "profile",
              `${name} (${claw_id}), readable by you alone, issued by ${origin ?? "a platform that it does not name"}.`
            )
        })
      })
    })
  )
})

export const data = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const there = yield* Effect.option(fs.stat(folder))
  if (Option.isNone(there)) return unknown("data", `${folder} is not there yet: \`clawfiber up\` makes it.`)
  if (there.value.type !== "Directory") return bad("data", `${folder} is not a folder. Name another with --data.`)
  return yield* fs.access(folder, { readable: true, writable: true }).pipe(
    Effect.match({
      onFailure: () => bad("data", `${folder} cannot be written. Mend its permissions, or name another with --data.`),
      onSuccess: () =>
        (there.value.mode & 0o077) === 0 || process.getuid === undefined
          ? good("data", `${folder} is there and yours alone.`)
          : bad("data", `${folder} is open to other users of this machine. Mend it with: chmod 700 ${folder}`)
    })
  )
})

/** Answers, and how its clock stands to ours. */
export const http = Effect.fnUntraced(function* (platform: URL) {
  const client = yield* HttpClient.HttpClient
  const sent = yield* Clock.currentTimeMillis
  const answer = yield* client.execute(HttpClientRequest.get(new URL("healthz", platform))).pipe(
    Effect.tap((response) => Effect.ignore(response.text)),
    Effect.timeout("10 seconds"),
    Effect.option
  )
  if (Option.isNone(answer)) {
    return [
      bad(
        "platform",
        `Nobody answers at ${platform.origin}. Is it running, is the address right, is the network there?`
      ),
      unknown("clock", "Without an answer of the platform there is nothing to compare with.")
    ]
  }
  const { headers, status } = answer.value
  const received = yield* Clock.currentTimeMillis
  const theirs = Date.parse(headers["date"] ?? "")
  // A Date header counts whole seconds.
  const apart = Math.round(Math.abs((sent + received) / 2 - theirs - 500) / 1000)
  return [
    status === 200
      ? good("platform", `${platform.origin} is up and answered in ${received - sent} ms.`)
      : status < 500
        ? unknown("platform", `${platform.origin} answers, but tells nothing of its health (${status}).`)
        : bad("platform", `${platform.origin} says it is not well (${status}). Try again, or ask who runs it.`),
    Number.isNaN(theirs)
      ? unknown("clock", "The platform does not say what time it has.")
      : apart <= 30
        ? good("clock", `In step with the platform's (${apart} s apart).`)
        : bad("clock", `${apart} s apart from the platform's. Set this machine's clock: sign-in and keys depend on it.`)
  ]
})

type LinkEnd = { readonly status: number } | { readonly roundTrip: number } | { readonly failed: true }

/** Opens the socket as an agent does, pings once, and closes it. */
const dial = (url: URL, headers: Record<string, string>): Effect.Effect<LinkEnd> =>
  Effect.callback<LinkEnd>((resume) => {
    const end = (how: LinkEnd) => resume(Effect.succeed(how))
    const socket = new WebSocket(url, { headers, handshakeTimeout: 10_000, followRedirects: false })
    let sent = 0
    socket.on("open", () => {
      sent = performance.now()
      socket.ping()
    })
    socket.on("pong", () => end({ roundTrip: performance.now() - sent }))
    socket.on("unexpected-response", (request, response) => {
      request.destroy()
      end({ status: response.statusCode ?? 0 })
    })
    socket.on("error", () => end({ failed: true }))
    socket.on("close", () => end({ failed: true }))
    return Effect.sync(() => socket.terminate())
  }).pipe(Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.succeed<LinkEnd>({ failed: true }) }))

/**
 * With the key, unless a program on this machine holds the line with it: a second connection would take it away. Without
 * a key the door is only knocked at.
 */
export const link = Effect.fnUntraced(function* (url: URL, profile: Profile | undefined, lock: string) {
  if (!PlatformAddress.mayCarryKeys(url)) {
    return bad("link", `${url.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`)
  }
  const foreign =
    profile?.origin !== undefined && !PlatformAddress.sameOrigin(profile.origin, PlatformAddress.originOf(url))
  const busy =
    profile === undefined
      ? undefined
      : yield* Effect.scoped(Effect.flip(FileLock.hold(lock, { wait: 0 }))).pipe(Effect.option)
  const owner = busy?._tag === "Some" && busy.value._tag === "Held" ? busy.value.owner : undefined
  const withKey = profile !== undefined && !foreign && owner === undefined
  const end = yield* dial(
    url,
    withKey ? { "x-app-key": profile.app_key, "x-app-secret": Redacted.value(profile.app_secret) } : {}
  )
  if ("failed" in end) return bad("link", `${url.host} takes no socket on ${url.pathname}. Look at INSTACLAW_WS_URL.`)
  if (!withKey) {
    const why =
      owner !== undefined
        ? `${owner} is on the line with this key, so it was not tried again`
        : foreign
          ? `the key in .insta is of ${profile?.origin}, so it was not sent here`
          : "there is no key to try"
    return "status" in end && end.status !== 401 && end.status !== 403
      ? bad("link", `${url.host} answers ${end.status} to a socket on ${url.pathname}. Look at INSTACLAW_WS_URL.`)
      : unknown("link", `${url.host} answers on ${url.pathname}; ${why}.`)
  }
  if ("roundTrip" in end)
    return good("link", `The key is taken, and a ping came back in ${Math.max(1, Math.round(end.roundTrip))} ms.`)
  return end.status === 401 || end.status === 403
    ? bad(
        "link",
        `The platform refused the key (${end.status}). Move .insta away and register again, or ask who runs it.`
      )
    : bad("link", `${url.host} answers ${end.status} to a socket on ${url.pathname}. Look at INSTACLAW_WS_URL.`)
})

const defaultBaseUrl = "https://api.openai.com/v1"

/** Asks for the list of models, which costs nothing. */
export const model = Effect.fnUntraced(function* (settings: Settings) {
  const client = yield* HttpClient.HttpClient
  const name = modelOf(settings)
  if (name === undefined) {
    return settings.openaiBaseUrl === undefined
      ? unknown("model", "None is set up: the offline agent answers. Set OPENAI_API_KEY for one.")
      : bad("model", "OPENAI_MODEL is not set, so no model is used. Set it to the name of the one that should answer.")
  }
  const base = new URL(`${(settings.openaiBaseUrl ?? defaultBaseUrl).replace(/\/*$/, "")}/`)
  const key = settings.openaiApiKey
  if (key !== undefined && !PlatformAddress.mayCarryKeys(base)) {
    return bad("model", `${base.origin} is not encrypted and not on this machine: no key is sent there. Use https://.`)
  }
  const bare = HttpClientRequest.get(new URL(`models/${encodeURIComponent(name)}`, base))
  const answer = yield* client.execute(key === undefined ? bare : HttpClientRequest.bearerToken(bare, key)).pipe(
    Effect.tap((response) => Effect.ignore(response.text)),
    Effect.timeout("10 seconds"),
    Effect.option
  )
  if (Option.isNone(answer)) {
    return bad("model", `Nobody answers at ${base.origin}. Look at OPENAI_BASE_URL and the network.`)
  }
  const status = answer.value.status
  if (status === 200) return good("model", `${name} at ${base.host}.`)
  if (status === 401 || status === 403)
    return bad("model", `${base.host} refused the key (${status}). Look at OPENAI_API_KEY.`)
  return status === 404 && settings.openaiBaseUrl === undefined
    ? bad("model", `${base.host} knows no model ${name}, or not for this key. Look at OPENAI_MODEL.`)
    : unknown("model", `${base.host} answers, but does not say whether it has ${name} (${status}).`)
})
