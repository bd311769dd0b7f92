/** The two ways out of a program: standard output holds results and nothing else, standard error everything else. */
import * as Effect from "effect/Effect"

// The edge to the process itself: nothing in between, so that what is written stands in its order.
const write = (stream: "stdout" | "stderr", text: string) => Effect.sync(() => void process[stream].write(text))

export const text = (value: string): Effect.Effect<void> => write("stdout", value)

export const line = (value: string): Effect.Effect<void> => write("stdout", `${value}\n`)

/** One event as one line of JSON. */
export const event = (value: object): Effect.Effect<void> => write("stdout", `${JSON.stringify(value)}\n`)

export const problem = (value: string): Effect.Effect<void> => write("stderr", `${value}\n`)

/** A piece of a line on standard error. */
export const note = (value: string): Effect.Effect<void> => write("stderr", value)

/** Colours where a person looks on, and only if they did not say no (https://no-color.org). */
export const colors = (stream: "stdout" | "stderr"): boolean =>
  process[stream].isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb"
