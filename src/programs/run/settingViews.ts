/** The settings in force as the operator's page shows them, and where each comes from. No secret is among them. */
import type { SettingView } from "../../services/channel/Control.ts"
import { type SettingName, showable, table, type Variable } from "../../services/channel/Settings.ts"
import type { Variables } from "../Environment.ts"

/** What the command line said instead of a setting, as it is in force. */
export type Flags = Readonly<Partial<Record<SettingName, string | undefined>>>

export interface Options {
  /** Of the process and of `.env` together. */
  readonly variables: Variables
  /** These keep their defaults whatever is set. */
  readonly ignored?: ReadonlyArray<SettingName> | undefined
  readonly flags?: Flags | undefined
}

const keys = Object.keys(table) as ReadonlyArray<SettingName>

export const make = ({ flags = {}, ignored = [], variables }: Options): ReadonlyArray<SettingView> =>
  keys
    .filter((key) => !ignored.includes(key))
    .map((key): SettingView => {
      const { about, fallback, name, secret }: Variable<unknown> = table[key]
      const flag = flags[key]
      if (flag !== undefined) return { name, value: showable(flag), source: "flag", description: about }
      const given = variables[name] ?? ""
      const set = given !== ""
      return {
        name,
        value: secret ? (set ? "set" : "not set") : set ? showable(given) : fallback,
        source: !set ? "default" : (process.env[name] ?? "") === "" ? "file" : "environment",
        description: about
      }
    })
