/** Looks at everything a program needs, and says of each thing whether it is good and what to do. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as FileWorldIdentities from "../../layers/worlds/FileWorldIdentities.ts"
import * as journalLook from "../../layers/channel/journalLook.ts"
import * as Settings from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Environment from "../Environment.ts"
import { Failure } from "../Failure.ts"
import { version } from "../version.ts"
import * as claworld from "./doctor/claworld.ts"
import { bad, type Finding, good, unknown } from "./doctor/Finding.ts"
import * as folder from "./doctor/folder.ts"
import * as here from "./doctor/here.ts"
import * as link from "./doctor/link.ts"
import * as model from "./doctor/model.ts"
import * as network from "./doctor/network.ts"
import { print } from "./doctor/print.ts"
import * as chosenAccounts from "./chosenAccounts.ts"

export interface Input extends chosenAccounts.Input {
  readonly url: Option.Option<string>
  readonly data: string
}

type Report = (finding: Finding) => Effect.Effect<void>

const root = ".insta"

/** With the faults told, and defaults in place of what is at fault. */
const readSettings = Effect.fnUntraced(function* (environment: Environment.Variables, report: Report) {
  const provider = Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(environment))
  const first = yield* Effect.result(provider(Settings.load()))
  const fault = Result.isFailure(first) ? first.failure : undefined
  yield* Effect.forEach(here.settings(fault, environment), report, { discard: true })
  if (Result.isSuccess(first)) return first.success
  const wrong = new Set(first.failure.faults.map(({ name }) => name))
  const ignore = (Object.keys(Settings.table) as Array<Settings.SettingName>).filter((key) =>
    wrong.has(Settings.table[key].name)
  )
  return yield* provider(Settings.load({ ignore }))
})

const journal = Effect.match(journalLook.look(`${root}/journal.sqlite`), {
  onFailure: (error) =>
    error.reason === "Locked"
      ? unknown("journal", "A program runs on it, so it was not looked into.")
      : bad("journal", error.message),
  onSuccess: (count) =>
    count === undefined
      ? unknown("journal", "There is none yet: `clawfiber connect` makes it.")
      : good("journal", `It is whole and remembers ${count} ${count === 1 ? "reply" : "replies"}.`)
})

const account = Effect.fnUntraced(function* (id: string, wsUrl: URL, settings: Settings.Settings, report: Report) {
  const own = AccountFolders.rootOf(root, id)
  yield* report(yield* folder.modes(own))
  const { finding, profile } = yield* Effect.provide(folder.profile(own), FileProfileStore.layer({ root: own }))
  yield* report(finding)
  const owner = yield* folder.owner(own)
  yield* report(
    owner === undefined
      ? good("lock", "Nobody is on the line with this account.")
      : good("lock", `${owner} is on the line with this account.`)
  )
  const asked: link.Asked = {
    url: wsUrl,
    profile: Option.getOrUndefined(profile),
    root: own,
    issuer: PlatformAddress.originOf(settings.wsUrl),
    owner,
    token: settings.token
  }
  yield* Effect.forEach(yield* link.all(asked), report, { discard: true })
  const inClaworld = yield* Effect.provide(claworld.all(id), FileWorldIdentities.layer({ root }))
  yield* Effect.forEach(inClaworld, report, { discard: true })
})

const look = Effect.fnUntraced(function* (input: Input, environment: Environment.Variables, report: Report) {
  yield* report(here.version(version))
  yield* report(here.node(process.versions.node))
  const settings = yield* readSettings(environment, report)
  yield* report(yield* here.data(input.data))
  yield* report(yield* journal)

  const parsed = Option.map(input.url, PlatformAddress.parse)
  if (Option.isSome(parsed) && parsed.value === undefined) {
    return yield* new Failure({ message: "--url is no address of a platform. Write it like https://claw.int-os.com." })
  }
  const named = Option.getOrUndefined(parsed)
  const wsUrl = named === undefined ? settings.wsUrl : PlatformAddress.derive(named).wsUrl
  const platform = PlatformAddress.derive(named ?? wsUrl).taskApiBaseUrl
  yield* report(yield* network.dns(platform))
  yield* report(yield* network.tls(platform))
  yield* Effect.forEach(yield* network.http(platform), report, { discard: true })

  const ids = yield* chosenAccounts.idsOf(input, root)
  for (const id of ids) {
    const several = ids.length > 1 || id !== AccountFolders.defaultId
    yield* account(id, wsUrl, settings, (finding) => report(several ? { ...finding, account: id } : finding))
  }
  yield* report(yield* model.model(settings))
})

export const run = (input: Input & Common) =>
  Effect.gen(function* () {
    yield* chosenAccounts.check(input)
    const environment = yield* Environment.variables
    let faults = 0
    const report = (finding: Finding) => {
      if (finding.state === "bad") faults++
      return print(input.json)(finding)
    }
    yield* look(input, environment, report).pipe(
      Effect.provide([
        NodeFileSystem.layer,
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
