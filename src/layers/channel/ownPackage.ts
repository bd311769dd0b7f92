/**
 * `import { defineAgent } from "clawfiber"` in an agent's file means the clawfiber that runs it: wherever the file
 * lies, from a checkout as from an installed package, and with the very classes that the program compares with.
 */
import { registerHooks } from "node:module"

const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js"
const root = new URL("../../", import.meta.url)

const addressOf = (specifier: string): string | undefined => {
  if (specifier === "clawfiber") return new URL(`index${extension}`, root).href
  const module = /^clawfiber\/((?:services|layers)\/[\w/]+)$/.exec(specifier)?.[1]
  return module === undefined ? undefined : new URL(`${module}${extension}`, root).href
}

/** A package that brings a clawfiber of its own keeps it. */
const isInstalled = (parent: string | undefined): boolean => parent?.includes("/node_modules/") ?? false

let registered = false

/** From now on, for as long as the process lives: an agent may import at any time. */
export const register = (): void => {
  if (registered) return
  registered = true
  registerHooks({
    resolve: (specifier, context, next) => {
      const url = isInstalled(context.parentURL) ? undefined : addressOf(specifier)
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
    }
  })
}
