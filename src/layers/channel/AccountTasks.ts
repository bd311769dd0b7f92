/** The task pool of an account that is on the line, for its tools: made when there are credentials, anew for other ones. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { Line } from "../../services/channel/Accounts.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { TaskApi } from "../../services/channel/TaskApi.ts"
import * as HttpTaskApi from "./HttpTaskApi.ts"
import * as PlatformAddress from "./PlatformAddress.ts"
import type { Desk } from "./TaskHandlers.ts"

export interface Options {
  readonly line: Effect.Effect<Option.Option<Pick<Line, "profile" | "url">>>
  readonly settings: Pick<Settings, "taskApiBaseUrl" | "artifactUrl">
  /** The folder whose files may be handed in. */
  readonly folder: string
}

/** What the circuit breaker knows lasts as long as the credentials do. */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Effect.Effect<Option.Option<Desk>>, never, FileSystem.FileSystem> {
  const services = yield* Effect.context<FileSystem.FileSystem>()
  let made: { readonly key: string; readonly api: TaskApi["Service"] } | undefined
  return Effect.gen(function* () {
    const line = yield* options.line
    if (Option.isNone(line)) return Option.none()
    const { profile, url } = line.value
    const platform = PlatformAddress.originOf(url)
    const key = `${profile.app_key} ${platform}`
    if (made?.key !== key) {
      const { artifactUrl, taskApiBaseUrl } = PlatformAddress.taskAddresses(platform, options.settings)
      const api = yield* HttpTaskApi.make({
        baseUrl: taskApiBaseUrl,
        artifactUrl,
        appKey: profile.app_key,
        appSecret: profile.app_secret,
        // Whether the key may go to this platform was decided when the line was dialed.
        issuer: platform
      }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp), Effect.provideContext(services))
      made = { key, api }
    }
    return Option.some({ api: made.api, folder: options.folder })
  })
})
