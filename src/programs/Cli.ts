/**
 * The shell around every command: its flags, its help, its errors in a sentence on standard error, its exit code, and
 * what a signal does.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Output from "./Output.ts"

/** `--json`, in any position of any command. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Results and events as lines of JSON on standard output, the log as JSON on standard error"),
    Flag.withDefault(false)
  )
})

/** Everything a program gets beside its own flags. */
export interface Common {
  readonly json: boolean
}

/** A handler whose program is only loaded when it runs: `--help` stays quick. */
export const lazily =
  <I extends object, E>(load: () => Promise<{ readonly run: (input: I & Common) => Effect.Effect<void, E> }>) =>
  (input: I) =>
    Effect.gen(function* () {
      const json = yield* Json
      const program = yield* Effect.promise(load)
      return yield* program.run({ ...input, json })
    })

/** Exit code of a program that was interrupted: 128 + 2, as shells have it, unless it was made to be ended that way. */
const ended = { code: 130 }

/** For what runs until it is stopped: a signal is then its success. */
export const serving = Effect.sync(() => {
  ended.code = 0
})

const sentence = (errors: ReadonlyArray<CliError.NonShowHelpErrors>): string => {
  const error = errors[0]
  if (error === undefined) return "This cannot be understood."
  const text = error.message
    .replace("Schema validation failed: ", "")
    .replace(/\s*\n\s*/g, " ")
    .trim()
  return /[.?!]$/.test(text) ? text : `${text}.`
}

const presenter: CliOutput.Presenter = {
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Output.problem(`${sentence(event.errors)} See: ${event.commandPath.join(" ")} --help`)
      : CliOutput.defaultPresenter.present(event)
}

const settings = Layer.mergeAll(
  CliOutput.layerPresenter(presenter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
  NodeServices.layer
)

/** One sentence of whatever went wrong. A defect is ours: it says so, and where to see more. */
const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Cause.squash(cause)
  if (CliError.isCliError(error) && error._tag === "ShowHelp") return Effect.void
  const message = error instanceof Error && error.message !== "" ? error.message : String(error)
  if (cause.reasons.some(Cause.isFailReason)) return Output.problem(message)
  const trace = process.env["CLAWFIBER_LOG"] === "debug" ? `\n${Cause.pretty(cause)}` : ""
  return Output.problem(
    `clawfiber failed in a way it should not: ${message}. Run it with CLAWFIBER_LOG=debug to see where.${trace}`
  )
}

/**
 * Runs an effect as the process. The first signal stops it in order, the second at once; what has not stopped after two
 * seconds is left behind.
 */
const runMain = <E>(effect: Effect.Effect<void, E>): void => {
  // The edge to the process: its signals, timers and exit are Node's own.
  const fiber = Effect.runFork(Effect.tapCause(effect, report))
  const alive = setInterval(() => undefined, 2_147_483_647)
  let asked = 0
  const stop = () => {
    asked++
    if (asked > 1) return
    fiber.interruptUnsafe()
    setTimeout(() => {
      process.stderr.write("clawfiber did not stop within two seconds and was ended.\n")
      process.exit(1)
    }, 1_950).unref()
  }
  const onSignal = () => {
    if (asked > 0) process.exit(130)
    stop()
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  // A reader that went away (`| head`) is no fault of ours, but nobody wants the rest.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      ended.code = 0
      stop()
    })
  }
  // Both can only come from code that is not ours: an agent of one's own runs in this process. A promise that nobody
  // waited for harms nobody else; after an exception between two turns of the event loop nothing is certain any more.
  process.on("unhandledRejection", (reason) => {
    process.stderr.write(`A promise was rejected and nobody waited for it: ${inspect(reason)}\n`)
  })
  process.on("uncaughtException", (error) => {
    process.stderr.write(`Code outside of any reply failed, so everything stops: ${inspect(error)}\n`)
    ended.code = 1
    stop()
  })
  fiber.addObserver((exit) => {
    clearInterval(alive)
    const code = Exit.isSuccess(exit) ? 0 : Cause.hasInterruptsOnly(exit.cause) ? ended.code : exitCode(exit.cause)
    // Where a pipe is written in the background (Windows), what was written last must still get out.
    process.stdout.write("", () => process.exit(code))
  })
}

const exitCode = (cause: Cause.Cause<unknown>): number => {
  const error = Cause.squash(cause)
  return CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : 1
}

/** Runs the command line. */
export const main = <Name extends string, Input, ContextInput, E>(
  command: Command.Command<Name, Input, ContextInput, E, Command.Environment>,
  version: string
): void => runMain(Command.run(command, { version }).pipe(Effect.provide(settings)))
