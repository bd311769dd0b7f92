/**
 * The log, on standard error: readable lines for people, one JSON object a line for machines. Standard output is left
 * to results. A secret is `Redacted` wherever it goes, and prints as such.
 */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"

export interface Options {
  readonly json: boolean
  readonly level: LogLevel.LogLevel
  readonly colors: boolean
  /** One whole line, its end included. */
  readonly write: (line: string) => void
}

const paint: Readonly<Record<string, number>> = { Fatal: 31, Error: 31, Warn: 33, Info: 32, Debug: 34, Trace: 90 }

const colored = (on: boolean, code: number | undefined, text: string): string =>
  on && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text

/** A line of the log is one line, whatever was put into it: control characters of strangers do not reach a terminal. */
const oneLine = (text: string): string => text.replace(/\r?\n/g, " ⏎ ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "�")

const asText = (value: unknown): string => oneLine(typeof value === "string" ? value : Formatter.format(value))

/** What went wrong, without the stack: that is for `debug`. */
const inShort = (cause: Cause.Cause<unknown>): string =>
  Cause.prettyErrors(cause)
    .map((error) => error.message)
    .join("; ")

const two = (value: number): string => String(value).padStart(2, "0")

const timeOf = (date: Date): string => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`

const readable = (options: Options) =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const parts = (Array.isArray(message) ? message : [message]).map(asText)
    // What is in order is said in few words; the particulars of a fault are wanted.
    if (logLevel !== "Info" || options.level !== "Info") {
      for (const [key, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
        parts.push(colored(options.colors, 90, `${key}=${asText(value)}`))
      }
    }
    if (cause.reasons.length > 0) parts.push(oneLine(`(${inShort(cause)})`))
    const level = colored(options.colors, paint[logLevel], logLevel.toUpperCase().padEnd(5))
    const text = parts.join(" ")
    options.write(`${colored(options.colors, 90, timeOf(date))} ${level} ${text}\n`)
    if (cause.reasons.length > 0 && (options.level === "Debug" || options.level === "Trace")) {
      options.write(`${Cause.pretty(cause)}\n`)
    }
  })

const machine = (options: Options) =>
  Logger.make<unknown, void>((entry) => {
    options.write(`${Logger.formatJson.log(entry)}\n`)
  })

export const layer = (options: Options): Layer.Layer<never> =>
  Layer.mergeAll(
    Logger.layer([options.json ? machine(options) : readable(options)]),
    Layer.succeed(References.MinimumLogLevel, options.level)
  )
