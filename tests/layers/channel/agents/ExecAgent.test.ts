import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as ExecAgent from "../../../../src/layers/channel/ExecAgent.ts"
import { ask, askFailing, textOf, turnOf } from "./turns.ts"

const node = (script: string): string => `"${process.execPath}" -e '${script}'`

const agent = (command: string, env?: Record<string, string>) => ExecAgent.make({ command, env })

/** A process that is dead but not yet collected (a container without an init) does not count. */
const isAlive = (pid: number): boolean => {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z")
}

describe("ExecAgent", () => {
  it.live("gives the text to the command and its output back", () =>
    Effect.gen(function* () {
      const cat = yield* agent("cat")
      assert.strictEqual(yield* ask(cat, "Grüße, 世界\nline two"), "Grüße, 世界\nline two")
      const big = "0123456789".repeat(50_000)
      assert.strictEqual(yield* ask(cat, big), big)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a character cut in two by the pipe arrives whole", () =>
    Effect.gen(function* () {
      const cut = yield* agent(
        node(
          'const b = Buffer.from("日本"); process.stdout.write(b.subarray(0, 2)); setTimeout(() => process.stdout.write(b.subarray(2, 4)), 50); setTimeout(() => process.stdout.write(b.subarray(4)), 100)'
        )
      )
      assert.strictEqual(yield* ask(cut, ""), "日本")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("streams: what is written is there before the command ends", () =>
    Effect.gen(function* () {
      // Ends only when it is interrupted.
      const slow = yield* agent(node('process.stdout.write("first"); setInterval(() => {}, 1000)'))
      const first = yield* slow.reply(turnOf("")).pipe(Stream.take(1), Stream.runCollect)
      assert.strictEqual(textOf(first), "first")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a command that reads nothing is no failure", () =>
    Effect.gen(function* () {
      const deaf = yield* agent("echo hello")
      assert.strictEqual(yield* ask(deaf, "x".repeat(1_000_000)), "hello\n")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("an exit code other than 0 fails after the text; standard error goes to the log", () => {
    const logged: Array<string> = []
    return Effect.gen(function* () {
      const failing = yield* agent("echo partly; echo the reason >&2; exit 3")
      const { before, error, reason } = yield* askFailing(failing, "")
      assert.strictEqual(before, "partly\n")
      assert.strictEqual(reason, "RuntimeFailed")
      assert.include(error.message, "exit code 3")
      assert.notInclude(error.publicMessage, "3")
      assert.isTrue(logged.some((line) => line.includes("the reason")))
      assert.strictEqual((yield* askFailing(yield* agent("no-such-command-anywhere"), "")).reason, "RuntimeFailed")
    }).pipe(
      Effect.provide([
        NodeServices.layer,
        Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
      ])
    )
  })

  it.live("law secret: the command sees the message's ids and the environment, but none of our variables", () =>
    Effect.gen(function* () {
      const env = yield* agent("env", {
        PATH: process.env["PATH"] ?? "",
        OPENAI_API_KEY: "sk-the-operators",
        INSTACLAW_APP_SECRET: "secret-1",
        CLAWFIBER_DATABASE_URL: "postgres://secret-2",
        CLAWFIBER_SESSION: "not this one"
      })
      const seen = yield* ask(env, "", { sessionId: "ses_7", messageId: "msg_\0 7" })
      assert.include(seen, "CLAWFIBER_SESSION=ses_7\n")
      assert.include(seen, "CLAWFIBER_MESSAGE_ID=msg_ 7\n")
      assert.include(seen, "OPENAI_API_KEY=sk-the-operators\n")
      assert.notInclude(seen, "secret-")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("law stop: interruption ends the command and its children, also those that ignore SIGTERM", () =>
    Effect.gen(function* () {
      const stubborn = yield* agent(
        `${node('process.on("SIGTERM", () => {}); process.stdout.write(process.pid + "\\n"); setInterval(() => {}, 1000)')} & wait`
      )
      const pid = yield* Deferred.make<number>()
      const fiber = yield* stubborn.reply(turnOf("")).pipe(
        Stream.runForEach((part) => Deferred.succeed(pid, Number.parseInt(textOf([part]), 10))),
        Effect.forkChild
      )
      const child = yield* Deferred.await(pid)
      assert.isTrue(isAlive(child))
      yield* Fiber.interrupt(fiber)
      assert.isFalse(isAlive(child))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
