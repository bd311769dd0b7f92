/** What install, update, doctor and uninstall begin with, and how they tell what they do. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Common } from "../Cli.ts"
import * as Environment from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as configFile from "./configFile.ts"
import { at } from "./configPlan.ts"
import * as difference from "./difference.ts"
import * as Host from "./Host.ts"

export interface Input {
  readonly openclaw: Option.Option<string>
}

export interface Asking extends Input {
  readonly yes: boolean
}

/** One thing that happened: a line for a person, an event for a program. */
export const tell = (
  input: Common,
  event: { readonly event: string; readonly [name: string]: unknown },
  line: string
) => (input.json ? Output.event(event) : Output.line(line))

export const begin = Effect.fnUntraced(function* (input: Input & Common) {
  const environment = yield* Environment.variables
  const host = yield* Host.find({ asked: Option.getOrUndefined(input.openclaw), environment })
  yield* tell(
    input,
    { event: "host", bin: host.bin, version: host.version },
    `OpenClaw ${host.version} at ${host.bin}.`
  )
  return { environment, host }
})

/** Where the host keeps its configuration. */
export const configPath = Effect.fnUntraced(function* (host: Host.Host) {
  const said = yield* host.json(["config", "file", "--json"], "30 seconds")
  const path = at(said, "path")
  if (typeof path === "string" && path !== "") return path
  const ran = yield* host.run(["config", "file"], "30 seconds")
  return yield* new Failure({
    message: `OpenClaw does not say where its configuration lies: ${Host.lastWords(ran)}. Look at: openclaw doctor`
  })
})

export const readConfig = (host: Host.Host) => Effect.flatMap(configPath(host), configFile.read)

/** Nothing differs: false. Else shows it. */
export const show = Effect.fnUntraced(function* (input: Common, file: configFile.ConfigFile, text: string) {
  const lines = difference.lines(file.text, text)
  if (lines.length === 0) return false
  yield* tell(
    input,
    { event: "difference", path: file.path, lines },
    [`${file.path} would change:`, "", ...lines.map((line) => `  ${line}`), ""].join("\n")
  )
  return true
})

/** Asks a person; without one there has to be --yes. Fails where the answer is no. */
export const confirmed = Effect.fnUntraced(function* (input: Asking & Common, question: string) {
  if (input.yes) return
  const isPerson = process.stdin.isTTY === true && process.stdout.isTTY === true && !input.json
  if (!isPerson) {
    return yield* new Failure({ message: "Nothing was changed. Confirm it with --yes, or in a terminal." })
  }
  const agreed = yield* Prompt.run(Prompt.Confirm({ message: question, initial: true })).pipe(
    Effect.catchTag("QuitError", () => Effect.succeed(false)),
    Effect.provide(NodeServices.layer)
  )
  if (!agreed) return yield* new Failure({ message: "Nothing was changed." })
})

/** What the host itself has against its configuration, each as a sentence. */
export const faultsOf = Effect.fnUntraced(function* (host: Host.Host) {
  const said = yield* host.json(["config", "validate", "--json"], "60 seconds")
  if (at(said, "valid") === true) return []
  const issues = at(said, "issues")
  const told = (Array.isArray(issues) ? issues : []).map(
    (issue: unknown) => `${String(at(issue, "path"))}: ${String(at(issue, "message"))}`
  )
  return told.length === 0 ? ["openclaw config validate does not say that it is valid"] : told
})
