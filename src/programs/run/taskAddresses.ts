/** Where the tasks of an agent are, and whether its key may go there (law secret). */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import { Failure } from "../Failure.ts"

export interface Input {
  readonly url: Option.Option<string>
  readonly trustHost: boolean
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** The platform that a flag names. */
export const named = (text: string): Effect.Effect<URL, Failure> => {
  const url = PlatformAddress.parse(text)
  return url === undefined
    ? fail(`${text} is no address of a platform. Write it like https://claw.int-os.com.`)
    : Effect.succeed(url)
}

export const of = Effect.fnUntraced(function* (
  input: Input,
  profile: Pick<Profile, "origin">,
  settings: Pick<Settings, "wsUrl" | "taskApiBaseUrl" | "artifactUrl">
) {
  const given = Option.isNone(input.url) ? undefined : yield* named(input.url.value)
  const own = profile.origin ?? PlatformAddress.originOf(settings.wsUrl)
  // Whoever has registered at a platform of their own has its address in the profile.
  const { artifactUrl, taskApiBaseUrl } =
    given === undefined
      ? input.trustHost
        ? settings
        : PlatformAddress.taskAddresses(own, settings)
      : PlatformAddress.derive(given)
  if (!input.trustHost && !PlatformAddress.sameOrigin(taskApiBaseUrl.origin, own)) {
    return yield* fail(
      `The key of this agent was issued by ${own}, and ${taskApiBaseUrl.origin} is another host: it is not sent there. If you trust that host with it, add --trust-host.`
    )
  }
  return { taskApiBaseUrl, artifactUrl, issuer: input.trustHost ? undefined : own }
})
