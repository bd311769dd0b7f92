/** What install and uninstall change in the host's configuration. Pure: a configuration gives edits, or a refusal. */
import { dirname, resolve } from "node:path"
import * as Result from "effect/Result"
import type { Channel } from "./channels.ts"
import { pluginId } from "./channels.ts"
import { type Edit, type Fields, isFields, onValue } from "./configText.ts"

export interface Wishes {
  /** Folder that the host shall load the plugin from; undefined where the host has it installed already. */
  readonly folder: string | undefined
  /** Whether a folder of `plugins.load.paths` is, or was, one of this plugin. */
  readonly isOurs: (folder: string) => boolean
  readonly channels: ReadonlyArray<{ readonly channel: Channel; readonly chosen: Fields }>
}

export const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((held, name) => (isFields(held) ? held[name] : undefined), value)

export const strings = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : []

/** A part that lies in another file cannot be edited here: the host would read this file's part instead of it. */
const elsewhere = (config: Fields): string | undefined => {
  if ("$include" in config) return "The whole configuration"
  for (const path of [
    ["plugins"],
    ["plugins", "entries"],
    ["plugins", "entries", pluginId],
    ["plugins", "load"],
    ["channels"]
  ]) {
    const part = at(config, ...path)
    if (isFields(part) && "$include" in part) return path.join(".")
  }
  return undefined
}

const wrongPart = (config: Fields): string | undefined => {
  for (const path of [
    ["plugins"],
    ["plugins", "entries"],
    ["plugins", "entries", pluginId],
    ["plugins", "load"],
    ["channels"]
  ]) {
    const part = at(config, ...path)
    if (part !== undefined && !isFields(part)) return `${path.join(".")} is no object`
  }
  for (const path of [
    ["plugins", "allow"],
    ["plugins", "load", "paths"]
  ]) {
    const part = at(config, ...path)
    if (part !== undefined && !Array.isArray(part)) return `${path.join(".")} is no list`
  }
  return undefined
}

export const install = (config: Fields, wishes: Wishes): Result.Result<ReadonlyArray<Edit>, string> => {
  const part = elsewhere(config)
  if (part !== undefined) {
    return Result.fail(
      `${part} is brought in from another file by $include, which is not edited from here. Write into it: plugins.entries.${pluginId} {enabled: true}${
        wishes.folder === undefined ? "" : `, plugins.load.paths ["${wishes.folder}"]`
      }, and ${wishes.channels.map(({ channel }) => `channels.${channel.id} ${JSON.stringify(channel.fresh)}`).join(", ")}. Then run: clawfiber openclaw doctor`
    )
  }
  const wrong = wrongPart(config)
  if (wrong !== undefined) return Result.fail(`${wrong}. Mend it with: openclaw doctor --fix`)
  if (at(config, "plugins", "enabled") === false) {
    return Result.fail(
      "This host loads no plugins at all (plugins.enabled is false). If that may change, run: openclaw config set plugins.enabled true"
    )
  }
  if (strings(at(config, "plugins", "deny")).includes(pluginId)) {
    return Result.fail(
      `Somebody has forbidden ${pluginId} in this host (plugins.deny). If that may change, take it out of that list and run this again.`
    )
  }
  const edits: Array<Edit> = []
  // A host with a list of what it may load gets us onto it. One without stays without, and an empty list is none: with us
  // alone on it nothing else would be loaded any more.
  if (strings(at(config, "plugins", "allow")).length > 0) {
    edits.push({ _tag: "add", path: ["plugins", "allow"], item: pluginId })
  }
  const paths = ["plugins", "load", "paths"]
  const { folder } = wishes
  if (folder !== undefined) {
    const held = strings(at(config, ...paths))
    const present = held.find((path) => resolve(path) === folder)
    for (const path of held) {
      if (path !== present && wishes.isOurs(path)) edits.push({ _tag: "drop", path: paths, item: path })
    }
    if (present === undefined) edits.push({ _tag: "add", path: paths, item: folder })
  }
  edits.push({ _tag: "set", path: ["plugins", "entries", pluginId, "enabled"], value: true })
  for (const { channel, chosen } of wishes.channels) {
    const held = at(config, "channels", channel.id)
    if (!isFields(held)) {
      edits.push({ _tag: "set", path: ["channels", channel.id], value: { ...channel.fresh, ...chosen } })
      continue
    }
    if (held["enabled"] === false) edits.push({ _tag: "set", path: ["channels", channel.id, "enabled"], value: true })
    for (const [name, value] of Object.entries(chosen)) {
      edits.push({ _tag: "set", path: ["channels", channel.id, name], value })
    }
  }
  return Result.succeed(needed(config, edits))
}

/** Takes out what is ours, and what is left empty by that. */
export const uninstall = (
  config: Fields,
  wishes: Pick<Wishes, "isOurs"> & { readonly channels: ReadonlyArray<Channel> }
): ReadonlyArray<Edit> => {
  const edits: Array<Edit> = [{ _tag: "drop", path: ["plugins", "allow"], item: pluginId }]
  for (const path of strings(at(config, "plugins", "load", "paths"))) {
    if (wishes.isOurs(path)) edits.push({ _tag: "drop", path: ["plugins", "load", "paths"], item: path })
  }
  edits.push({ _tag: "remove", path: ["plugins", "entries", pluginId] })
  for (const { id } of wishes.channels) edits.push({ _tag: "remove", path: ["channels", id] })
  const wanted = needed(config, edits)
  const after = wanted.reduce(onValue, config)
  // An empty plugins.allow means something else than none, and stays.
  const emptied = [["plugins", "load", "paths"], ["plugins", "load"], ["plugins", "entries"], ["plugins"], ["channels"]]
  const swept: Array<Edit> = []
  let left = after
  for (const path of emptied) {
    const before = at(config, ...path)
    const now = at(left, ...path)
    const isEmpty = Array.isArray(now) ? now.length === 0 : isFields(now) && Object.keys(now).length === 0
    const wasEmpty = Array.isArray(before) ? before.length === 0 : isFields(before) && Object.keys(before).length === 0
    if (!isEmpty || wasEmpty) continue
    const edit: Edit = { _tag: "remove", path }
    swept.push(edit)
    left = onValue(left, edit)
  }
  return [...wanted, ...swept]
}

/** Those that change something. */
const needed = (config: Fields, edits: ReadonlyArray<Edit>): ReadonlyArray<Edit> => {
  let value = config
  return edits.filter((edit) => {
    const next = onValue(value, edit)
    const changes = JSON.stringify(next) !== JSON.stringify(value)
    value = next
    return changes
  })
}

/** Where a path of the configuration leads: as written, or from the configuration's own folder. */
export const folderOf = (configPath: string, path: string, home: string): string =>
  path === "~" || path.startsWith("~/") ? `${home}${path.slice(1)}` : resolve(dirname(configPath), path)
