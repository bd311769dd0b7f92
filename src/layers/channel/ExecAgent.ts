/**
 * A command as an agent (`--exec COMMAND`): the message's text on its standard input, its standard output as the
 * answer while it comes, its standard error in the log. Runs in a shell, a process (and process group) per message.
 *
 * The command gets this process's environment without what begins with INSTACLAW_, CLAWFIBER_ or CLAWORLD_ (keys, the
 * database's address), and CLAWFIBER_SESSION and CLAWFIBER_MESSAGE_ID of the message. OPENAI_API_KEY stays: it is the
 * operator's own, and many commands need it. Both ids were chosen by others: quote them in a script.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import {
  AgentError,
  AgentRuntime,
  type ReplyPart,
  RuntimeFailed,
  type Turn
} from "../../services/channel/AgentRuntime.ts"
import { textOf } from "./Remember.ts"

export interface Options {
  /** Text for the shell. The operator's, never a stranger's. */
  readonly command: string
  /** What the command may see before our own variables are taken out; this process's by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** After SIGTERM, before SIGKILL. Short enough that a program that stops within two seconds takes its command along. */
const killGrace = "700 millis"
/** Characters of one line of standard error that go into the log. */
const maxLogLine = 2000

const ours = /^(?:INSTACLAW|CLAWFIBER|CLAWORLD)_/i

const environment = (
  env: Readonly<Record<string, string | undefined>>,
  turn: Turn
): Record<string, string | undefined> => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name))),
  // A variable cannot hold a NUL, and the ids come from outside.
  CLAWFIBER_SESSION: (turn.sessionId ?? turn.sessionKey).replaceAll("\0", ""),
  CLAWFIBER_MESSAGE_ID: (turn.messageId ?? "").replaceAll("\0", "")
})

const failed = (detail: string): AgentError => new AgentError({ reason: new RuntimeFailed({ detail }) })

const platformFailed = (error: PlatformError.PlatformError): AgentError => failed(error.message)

export const make = (options: Options): Effect.Effect<AgentRuntime["Service"], never, ChildProcessSpawner> =>
  Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner

    const begin = Effect.fn("ExecAgent.begin")(function* (turn: Turn) {
      const handle = yield* spawner
        .spawn(
          ChildProcess.make(options.command, {
            shell: true,
            // The edge to the process: this is the environment that Node was started with.
            env: environment(options.env ?? process.env, turn),
            stdin: Stream.make(new TextEncoder().encode(textOf(turn))),
            forceKillAfter: killGrace
          })
        )
        .pipe(Effect.mapError(platformFailed))
      yield* handle.stderr.pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.runForEach((line) => Effect.logInfo(`agent command: ${line.slice(0, maxLogLine)}`)),
        Effect.ignore,
        Effect.forkScoped
      )
      const outcome = handle.exitCode.pipe(
        Effect.mapError(platformFailed),
        Effect.flatMap((code) =>
          Number(code) === 0 ? Effect.void : Effect.fail(failed(`the command ended with exit code ${Number(code)}`))
        )
      )
      return handle.stdout.pipe(
        Stream.mapError(platformFailed),
        decoded,
        Stream.concat(Stream.fromEffectDrain(outcome))
      )
    })

    return AgentRuntime.of({
      // The arguments may hold what is nobody's business.
      description: `the command ${options.command.trim().split(/\s/, 1)[0] ?? ""}`,
      model: "command",
      wordsOnly: true,
      reply: (turn) => Stream.scoped(Stream.unwrap(begin(turn)))
    })
  })

/** Characters that a chunk's border cuts in two wait for their rest; what is no UTF-8 becomes U+FFFD. */
const decoded = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<ReplyPart, E, R> =>
  bytes.pipe(
    Stream.decodeText(),
    Stream.filter((text) => text !== ""),
    Stream.map((text): ReplyPart => ({ _tag: "Text", text }))
  )

export const layer = (options: Options): Layer.Layer<AgentRuntime, never, ChildProcessSpawner> =>
  Layer.effect(AgentRuntime, make(options))
