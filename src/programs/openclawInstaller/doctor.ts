/** `clawfiber openclaw doctor`: host, configuration, plugin, gateway, accounts; of each whether it is good and what to do. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Common } from "../Cli.ts"
import * as Environment from "../Environment.ts"
import { Failure } from "../Failure.ts"
import { bad, type Finding, good, unknown } from "../run/doctor/Finding.ts"
import { print } from "../run/doctor/print.ts"
import { pluginId, selected, todoOf } from "./channels.ts"
import * as configFile from "./configFile.ts"
import { at } from "./configPlan.ts"
import { type Fields, isFields } from "./configText.ts"
import * as gatewayLook from "./gatewayLook.ts"
import * as Host from "./Host.ts"
import { own } from "./ownPackage.ts"
import * as surroundings from "./surroundings.ts"

type Report = (finding: Finding) => Effect.Effect<void>

const install = "clawfiber openclaw install"

const pluginFinding = (plugin: gatewayLook.PluginLook | undefined): Finding => {
  if (plugin === undefined) return bad("plugin", `OpenClaw does not have it. Put it in with: ${install}`)
  if (plugin.error !== undefined && plugin.status !== "loaded") {
    return bad("plugin", `It does not load: ${plugin.error}. Look with: openclaw plugins doctor`)
  }
  if (!plugin.enabled) return bad("plugin", `It is switched off. Switch it on with: ${install}`)
  const where = `${plugin.version}, from ${plugin.folder}`
  return plugin.version === own.version
    ? good("plugin", `${where}.`)
    : unknown(
        "plugin",
        `${where}; this clawfiber is ${own.version}. Make them the same with: clawfiber openclaw update`
      )
}

const channelFinding = (config: Fields, id: string): Finding => {
  const held = at(config, "channels", id)
  if (!isFields(held)) return bad("channel", `channels.${id} is not in the configuration. Put it in with: ${install}`)
  return held["enabled"] === false
    ? bad("channel", `channels.${id} is switched off. Switch it on with: ${install}`)
    : good("channel", `channels.${id} is there.`)
}

const accountFinding = (look: gatewayLook.AccountLook, fix: string | undefined): Finding => {
  const why = look.reason === undefined ? "" : `: ${look.reason}`
  if (look.connected) return { ...good(look.channel, "On the line, by pings and pongs."), account: look.account }
  if (!look.enabled) return { ...unknown(look.channel, "Switched off in the configuration."), account: look.account }
  const text = look.running ? `Not on the line${why}.` : `Does not run${why}.`
  const todo = fix ?? todoOf(look.channel)
  return {
    ...(look.running ? unknown : bad)(look.channel, `${text.replace(/\.+$/, ".")} ${todo}`),
    account: look.account
  }
}

export interface Input extends surroundings.Input {
  /** The channels that are meant, by their ids. Absent or empty: those that the host has. */
  readonly channel?: ReadonlyArray<string>
}

export const look = Effect.fnUntraced(function* (input: Input & Common, report: Report) {
  const environment = yield* Environment.variables
  const found = yield* Effect.result(Host.find({ asked: Option.getOrUndefined(input.openclaw), environment }))
  if (Result.isFailure(found)) return yield* report(bad("openclaw", found.failure.message))
  const host = found.success
  yield* report(good("openclaw", `${host.version} at ${host.bin}.`))

  const path = yield* surroundings.configPath(host)
  const file = yield* Effect.result(configFile.read(path))
  if (Result.isFailure(file))
    return yield* report(bad("config", file.failure.message.replace(" Nothing was changed.", "")))
  const faults = yield* surroundings.faultsOf(host)
  yield* faults.length === 0
    ? report(good("config", `${path} is valid.`))
    : Effect.forEach(faults, (fault) => report(bad("config", `${fault}. Mend it, or try: openclaw doctor --fix`)))

  yield* report(pluginFinding(yield* gatewayLook.plugin(host, pluginId)))
  const channels = selected(input.channel ?? [], file.success.value)
  for (const { id } of channels) yield* report(channelFinding(file.success.value, id))

  const looked = yield* gatewayLook.look(host, channels, { config: file.success.value, environment })
  if (looked._tag === "none") {
    return yield* report(
      unknown(
        "gateway",
        `None answers (${looked.reason}). Start it with: openclaw gateway start, or openclaw gateway run.`
      )
    )
  }
  yield* report(
    looked.accounts.length === 0
      ? bad("gateway", "It runs, but without our channel. Restart it with: openclaw gateway restart")
      : good("gateway", "It runs, and has our channel.")
  )
  for (const account of looked.accounts) {
    const issue = looked.issues.find((one) => one.account === account.account && one.fix !== "")
    yield* report(accountFinding(account, account.connected ? undefined : issue?.fix))
  }
})

/** Ends with a failure where something is bad. */
export const reported = Effect.fnUntraced(function* (input: Input & Common) {
  let faults = 0
  yield* look(input, (finding) => {
    if (finding.state === "bad") faults++
    return print(input.json)(finding)
  })
  if (faults > 0) {
    return yield* new Failure({
      message: faults === 1 ? "One thing is bad: see above." : `${faults} things are bad: see above.`
    })
  }
})

export const run = (input: Input & Common) => reported(input).pipe(Effect.provide(NodeServices.layer))
