/** Lines of ours in the host's log, each with its account. */
import * as Cause from "effect/Cause"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { channel } from "./config.ts"
import type { Log } from "./host.ts"

export const layer = (log: Log | undefined, accountId: string): Layer.Layer<never> =>
  Logger.layer([
    Logger.make(({ cause, fiber, logLevel, message }) => {
      const parts = (Array.isArray(message) ? message : [message]).map(String)
      for (const [key, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
        parts.push(`${key}=${String(value)}`)
      }
      for (const error of Cause.prettyErrors(cause)) parts.push(`(${error.message})`)
      // One line, whatever strangers put into it.
      const text = `[${channel}:${accountId}] ${parts.join(" ")}`.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ")
      if (logLevel === "Error" || logLevel === "Fatal") log?.error(text)
      else if (logLevel === "Warn") log?.warn(text)
      else if (logLevel === "Info") log?.info(text)
      else log?.debug?.(text)
    })
  ])
