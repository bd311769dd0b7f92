/** The settings in force as the operator's page shows them, and where each comes from. No secret is among them. */
import type { SettingView } from "../../services/channel/Control.ts"
import { type SettingName, showable, table, type Variable } from "../../services/channel/Settings.ts"
import type { Variables } from "../Environment.ts"

/** `variables` are those of the process and of `.env` together. `ignored` keep their defaults whatever is set. */
export const make = (variables: Variables, ignored: ReadonlyArray<SettingName> = []): ReadonlyArray<SettingView> =>
  Object.entries<Variable<unknown>>(table)
    .filter(([key]) => !ignored.some((name) => name === key))
    .map(([, { about, fallback, name, secret }]) => {
      const given = variables[name] ?? ""
      const set = given !== ""
      return {
        name,
        value: secret ? (set ? "set" : "not set") : set ? showable(given) : fallback,
        source: !set ? "default" : (process.env[name] ?? "") === "" ? "file" : "environment",
        description: about
      }
    })
