/** `clawfiber openclaw install`, and the part of `update` that is the same. Run twice it changes nothing. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { homedir } from "node:os"
import { resolve } from "node:path"
import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Common } from "../Cli.ts"
import { Failure } from "../Failure.ts"
import { type Channel, type Flags, pluginId, selected, todoOf } from "./channels.ts"
import * as configFile from "./configFile.ts"
import * as configPlan from "./configPlan.ts"
import * as configText from "./configText.ts"
import * as gatewayLook from "./gatewayLook.ts"
import { type Host, lastWords } from "./Host.ts"
import { isOurs, own } from "./ownPackage.ts"
import * as surroundings from "./surroundings.ts"

export interface Input extends surroundings.Asking, Flags {
  readonly from: Option.Option<string>
  /** The channels that are meant, by their ids. */
  readonly channel: ReadonlyArray<string>
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** Where the host shall take the plugin from. */
type Source =
  /** This package's own folder, as it lies there: nothing is copied, nothing needs the network. */
  | { readonly _tag: "folder"; readonly folder: string }
  /** The host's own installer: an archive, a folder that is copied, a name in the registry. */
  | { readonly _tag: "host"; readonly spec: string }
  /** It is there already. */
  | { readonly _tag: "there"; readonly plugin: gatewayLook.PluginLook }

const sourceOf = Effect.fnUntraced(function* (input: Input & Common, host: Host) {
  if (Option.isSome(input.from)) {
    const named = input.from.value
    const path = named.startsWith("~/") ? `${homedir()}${named.slice(1)}` : resolve(named)
    const isPath = /^(?:[./~]|[A-Za-z]:[\\/])/.test(named) || /\.(?:tgz|tar\.gz|tar|zip)$/.test(named)
    if (isPath && !existsSync(path)) return yield* fail(`--from names ${path}, and nothing is there.`)
    const source: Source = { _tag: "host", spec: isPath ? path : named }
    return source
  }
  const plugin = yield* gatewayLook.plugin(host, pluginId)
  if (plugin !== undefined && plugin.origin !== "config") {
    const source: Source = { _tag: "there", plugin }
    return source
  }
  const source: Source = own.isPassing ? { _tag: "host", spec: own.folder } : { _tag: "folder", folder: own.folder }
  return source
})

/**
 * The host rewrites its configuration when it installs and loses the comments. What it changed in substance is done once
 * more over the text as it was.
 */
const withHostsChanges = Effect.fnUntraced(function* (before: configFile.ConfigFile) {
  const after = yield* configFile.read(before.path)
  return { after, text: yield* configFile.edited(before, configText.between(before.value, after.value)) }
})

const wishesOf = Effect.fnUntraced(function* (
  input: Input & Common,
  folder: string | undefined,
  { path, value }: configFile.ConfigFile
) {
  const chosen: Array<{ readonly channel: Channel; readonly chosen: configText.Fields }> = []
  for (const channel of selected(input.channel, value)) {
    const held = configPlan.at(value, "channels", channel.id)
    const said = channel.chosen(input, configText.isFields(held) ? held : undefined)
    if (typeof said === "string") return yield* fail(said)
    chosen.push({ channel, chosen: said })
  }
  const wishes: configPlan.Wishes = {
    folder,
    isOurs: (written) => isOurs(configPlan.folderOf(path, written, homedir())),
    channels: chosen
  }
  return wishes
})

const plan = Effect.fnUntraced(function* (file: configFile.ConfigFile, wishes: configPlan.Wishes) {
  const edits = configPlan.install(file.value, wishes)
  if (Result.isFailure(edits)) return yield* fail(edits.failure)
  return yield* configFile.edited(file, edits.success)
})

/** Puts the old text back where the host does not take the new one. */
const accepted = Effect.fnUntraced(function* (host: Host, file: configFile.ConfigFile, backup: string) {
  const faults = yield* surroundings.faultsOf(host)
  if (faults.length === 0) return
  const now = yield* configFile.read(file.path)
  yield* configFile.restore(now, { text: file.text, backups: [backup] })
  return yield* fail(
    `OpenClaw does not accept the changed configuration, so it is as it was before:\n${faults.map((fault) => `  ${fault}`).join("\n")}`
  )
})

const installed = Effect.fnUntraced(function* (input: Input & Common, host: Host, spec: string) {
  const ran = yield* host.run(["plugins", "install", spec, "--force", "--accept-capabilities"], "600 seconds")
  if (ran.code !== 0) {
    return yield* fail(
      `OpenClaw could not install ${spec}: ${lastWords(ran)}. Look at it with: openclaw plugins doctor`
    )
  }
  yield* surroundings.tell(input, { event: "installed", from: spec }, `OpenClaw has installed the plugin from ${spec}.`)
})

export interface Done {
  readonly host: Host
  readonly where: gatewayLook.Where
  readonly changed: boolean
  readonly channels: ReadonlyArray<Channel>
}

export const apply = Effect.fnUntraced(function* (input: Input & Common) {
  const { environment, host } = yield* surroundings.begin(input)
  const first = yield* surroundings.readConfig(host)
  const source = yield* sourceOf(input, host)
  const folder = source._tag === "folder" ? source.folder : undefined
  const wishes = yield* wishesOf(input, folder, first)
  const planned = yield* plan(first, wishes)
  const meant = wishes.channels.map(({ channel }) => channel)
  const isHosts = source._tag === "host"
  if (planned === first.text && !isHosts) {
    yield* surroundings.tell(
      input,
      { event: "unchanged", path: first.path },
      `${first.path} has all that is needed already.`
    )
    const done: Done = { host, where: { config: first.value, environment }, changed: false, channels: meant }
    return done
  }
  yield* configFile.writable(first, environment)
  yield* surroundings.show(input, first, planned)
  yield* surroundings.confirmed(
    input,
    isHosts
      ? `Install ${source.spec} into OpenClaw, accept what the plugin may do there (a channel, tools, gateway methods, a page), and change the configuration so?`
      : "Change the configuration so? The plugin then runs inside OpenClaw."
  )
  let text = planned
  let file = first
  if (isHosts) {
    yield* installed(input, host, source.spec)
    const hosts = yield* withHostsChanges(first)
    const healed: configFile.ConfigFile = { ...first, text: hosts.text, value: hosts.after.value }
    text = yield* plan(healed, wishes)
    file = hosts.after
  }
  if (text !== file.text) {
    // The backup is of what a person last saw, and not of what the host made of it in between.
    const backup = yield* configFile.write(file, text, first.text)
    yield* accepted(host, first, backup)
    yield* surroundings.tell(
      input,
      { event: "written", path: first.path, backup },
      `${first.path} is changed. What it was lies in ${backup}; clawfiber openclaw uninstall puts it back.`
    )
  }
  const done: Done = { host, where: { config: first.value, environment }, changed: true, channels: meant }
  return done
})

/** A gateway that runs takes up a changed configuration by itself, within some seconds. */
const attempts = 8

const verified = Effect.fnUntraced(function* (input: Input & Common, { changed, channels, host, where }: Done) {
  let looked = yield* gatewayLook.look(host, channels, where)
  for (let left = changed ? attempts : 0; left > 0; left--) {
    if (looked._tag === "none" || looked.accounts.length > 0) break
    yield* Effect.sleep("3 seconds")
    looked = yield* gatewayLook.look(host, channels, where)
  }
  if (looked._tag === "none") {
    return yield* surroundings.tell(
      input,
      { event: "gateway", running: false, reason: looked.reason },
      `No gateway answers (${looked.reason}), so whether the plugin works was not seen. It is loaded at the next start: openclaw gateway start, or openclaw gateway run.`
    )
  }
  if (looked.accounts.length === 0) {
    return yield* fail(
      "The gateway runs but does not have the channel yet. Restart it with: openclaw gateway restart — then look with: clawfiber openclaw doctor"
    )
  }
  for (const account of looked.accounts) {
    yield* surroundings.tell(
      input,
      { event: "account", ...account, reason: account.reason ?? null },
      account.connected
        ? `The gateway runs, and ${account.channel} (${account.account}) is on the line.`
        : `The gateway runs ${account.channel} (${account.account}), which is not on the line yet${account.reason === undefined ? "" : `: ${account.reason}`}. ${todoOf(account.channel)}`
    )
  }
})

export const run = (input: Input & Common) =>
  Effect.flatMap(apply(input), (done) => verified(input, done)).pipe(Effect.provide(NodeServices.layer))
