/** This package, as a host would load it. */
import { existsSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    version: Schema.String,
    openclaw: Schema.Struct({ install: Schema.Struct({ minHostVersion: Schema.String }) })
  })
)
const decode = Schema.decodeUnknownSync(Manifest)

/** The same place in a checkout (src/programs/openclawInstaller) and in the package (dist/…). */
const folder = fileURLToPath(new URL("../../..", import.meta.url)).replace(/[\\/]$/, "")

const manifest = decode(readFileSync(join(folder, "package.json"), "utf8"))

export const own = {
  name: manifest.name,
  folder,
  version: manifest.version,
  minHostVersion: manifest.openclaw.install.minHostVersion.replace(/^\D+/, ""),
  /** `npx` keeps a package only for a while: nothing may point there. */
  isPassing: /[\\/]_npx[\\/]/.test(folder)
}

/** The name and version of a package's folder; undefined where none is. */
const packageAt = (path: string): { readonly name: string; readonly version: string } | undefined => {
  try {
    return Option.getOrUndefined(decodeName(readFileSync(join(path, "package.json"), "utf8")))
  } catch {
    return undefined
  }
}

const decodeName = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ name: Schema.String, version: Schema.String }))
)

/** One of ours, here or gone: a folder that is not there any more is known by its name alone. */
export const isOurs = (path: string): boolean => {
  const found = packageAt(path)
  return found === undefined ? basename(path) === own.name && !existsSync(path) : found.name === own.name
}
