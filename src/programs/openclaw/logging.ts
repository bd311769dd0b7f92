/** Lines of ours in the host's log, each with its account. */
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type { Log } from "./host.ts"

/**
 * @param name What stands before each line: channel and account.
 * @param debug Every step is told, as a line that the host shows.
 */
export const layer = (log: Log | undefined, name: string, debug: boolean): Layer.Layer<never> => {
  const lines = Logger.layer([
    Logger.make(({ cause, fiber, logLevel, message }) => {
      const parts = (Array.isArray(message) ? message : [message]).map(String)
      for (const [key, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
        parts.push(`${key}=${String(value)}`)
      }
      for (const error of Cause.prettyErrors(cause)) parts.push(`(${error.message})`)
      // One line, whatever strangers put into it.
      const text = `[${name}] ${parts.join(" ")}`.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ")
      if (logLevel === "Error" || logLevel === "Fatal") log?.error(text)
      else if (logLevel === "Warn") log?.warn(text)
      else if (logLevel === "Info" || debug) log?.info(text)
      else log?.debug?.(text)
    })
  ])
  return debug ? Layer.merge(lines, Layer.succeed(References.MinimumLogLevel, "Debug")) : lines
}
