/** Looks at everything a program needs, and says of each thing whether it is good and what to do. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as Settings from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Environment from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as checks from "./checks.ts"

export interface Input {
  readonly url: Option.Option<string>
  readonly data: string
}

const marks = { good: ["✓", 32], bad: ["✗", 31], unknown: ["?", 33] } as const

const print = (json: boolean) => (finding: checks.Finding) => {
  if (json) return Output.event(finding)
  const [mark, color] = marks[finding.state]
  const word = `${mark} ${finding.state.padEnd(7)}`
  return Output.line(
    `${Output.colors("stdout") ? `\u001b[${color}m${word}\u001b[0m` : word}  ${finding.check.padEnd(8)}  ${finding.text}`
  )
}

const look = Effect.fnUntraced(function* (
  input: Input,
  environment: Environment.Variables,
  report: (finding: checks.Finding) => Effect.Effect<void>
) {
  yield* report(checks.node(process.versions.node))

  const provider = Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(environment))
  const first = yield* Effect.result(provider(Settings.load()))
  const fault = Result.isFailure(first) ? first.failure : undefined
  yield* Effect.forEach(checks.settings(fault, environment), report, { discard: true })
  const wrong = fault?.faults.map(({ name }) => name) ?? []
  const ignore = (Object.keys(Settings.table) as Array<Settings.SettingName>).filter((key) =>
    wrong.includes(Settings.table[key].name)
  )
  const settings = Result.isSuccess(first) ? first.success : yield* provider(Settings.load({ ignore }))

  const { finding, profile } = yield* checks.profile
  yield* report(finding)
  yield* report(yield* checks.data(input.data))

  const parsed = Option.map(input.url, PlatformAddress.parse)
  if (Option.isSome(parsed) && parsed.value === undefined) {
    return yield* new Failure({ message: "--url is no address of a platform. Write it like https://claw.int-os.com." })
  }
  const named = Option.getOrUndefined(parsed)
  const wsUrl = named === undefined ? settings.wsUrl : PlatformAddress.derive(named).wsUrl
  const platform = named ?? wsUrl
  yield* Effect.forEach(yield* checks.http(PlatformAddress.derive(platform).taskApiBaseUrl), report, { discard: true })
  yield* report(yield* checks.link(wsUrl, Option.getOrUndefined(profile), ".insta/.line.lock"))
  yield* report(yield* checks.model(settings))
})

export const run = (input: Input & Common) =>
  Effect.gen(function* () {
    const environment = yield* Environment.variables
    let faults = 0
    const report = (finding: checks.Finding) => {
      if (finding.state === "bad") faults++
      return print(input.json)(finding)
    }
    yield* look(input, environment, report).pipe(
      Effect.provide([
        FileProfileStore.layer({ root: ".insta" }).pipe(Layer.provideMerge(NodeFileSystem.layer)),
        FetchHttpClient.layer,
        Environment.logging(input.json, environment["CLAWFIBER_LOG"])
      ])
    )
    if (faults > 0) {
      return yield* new Failure({
        message: faults === 1 ? "One thing is bad: see above." : `${faults} things are bad: see above.`
      })
    }
  })
