/** One message and its streamed reply, or a conversation of them. */
import { userInfo } from "node:os"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Settings from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as PlatformClient from "./PlatformClient.ts"
import * as signIns from "./signIns.ts"
import * as terminal from "./terminal.ts"

export interface Input {
  readonly url: string
  readonly agent: Option.Option<string>
  readonly session: Option.Option<string>
  readonly text: ReadonlyArray<string>
}

type Client = Effect.Success<ReturnType<typeof PlatformClient.make>>

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** Under whose name one is signed in on one's own machine. */
export const ownName = Effect.sync(() => {
  // Containers may have no entry for the user.
  const name = Option.getOrUndefined(Option.liftThrowable(() => userInfo().username)())
  return name === undefined || name === "" ? "you" : name
})

const chooseAgent = Effect.fnUntraced(function* (
  client: Client,
  token: Redacted.Redacted<string>,
  wanted: string | undefined
) {
  const agents = yield* client.agents(token)
  const names = agents.map((agent) => `${agent.name} (${agent.claw_id})`).join(", ")
  if (wanted !== undefined) {
    const found = agents.find((agent) => agent.claw_id === wanted)
    const byName = agents.filter((agent) => agent.name.toLowerCase() === wanted.toLowerCase())
    const chosen = found ?? (byName.length === 1 ? byName[0] : undefined)
    if (chosen !== undefined) return chosen
    return yield* fail(
      byName.length > 1
        ? `Several agents are called ${wanted}. Name one by its id: ${byName.map((agent) => agent.claw_id).join(", ")}.`
        : `There is no agent ${wanted} at ${client.origin}. ${names === "" ? "There is none at all yet." : `There are: ${names}.`}`
    )
  }
  const online = agents.filter((agent) => agent.online)
  const only = agents.length === 1 ? agents[0] : online.length === 1 ? online[0] : undefined
  if (only !== undefined) return only
  return yield* fail(
    agents.length === 0
      ? `There is no agent at ${client.origin} yet. Connect one with: clawfiber connect --url ${client.origin}`
      : `There are several agents: ${names}. Choose one with --agent.`
  )
})

const openSession = Effect.fnUntraced(function* (client: Client, token: Redacted.Redacted<string>, input: Input) {
  const wanted = Option.getOrUndefined(input.agent)
  if (Option.isNone(input.session)) {
    const agent = yield* chooseAgent(client, token, wanted)
    const session = yield* client.createSession(token, agent.claw_id)
    return { agent, sessionId: session.session_id }
  }
  const id = input.session.value
  const session = (yield* client.sessions(token)).find((session) => session.session_id === id)
  if (session === undefined) {
    return yield* fail(`There is no session ${id} of yours at ${client.origin}. Leave out --session for a new one.`)
  }
  const agent = yield* chooseAgent(client, token, session.assistant_id)
  if (wanted !== undefined && wanted !== agent.claw_id && wanted.toLowerCase() !== agent.name.toLowerCase()) {
    return yield* fail(`Session ${id} is with ${agent.name} (${agent.claw_id}), not with ${wanted}.`)
  }
  return { agent, sessionId: id }
})

export const run = (input: Input & Common) =>
  withSettings({ json: input.json, ignore: Settings.allBut("token", "log") }, (settings) =>
    Effect.gen(function* () {
      const interactive = input.text.length === 0 && process.stdin.isTTY === true && !input.json
      if (input.text.length === 0 && !interactive) {
        return yield* fail('Say what to send: clawfiber chat "…", or - to read it from standard input.')
      }
      const given = input.text.length === 1 && input.text[0] === "-" ? yield* terminal.readAll : input.text.join(" ")
      if (!interactive && given.trim() === "") return yield* fail("The message is empty.")

      const client = yield* PlatformClient.make({
        url: input.url,
        token: settings.token ?? (yield* signIns.tokenOf(input.url))
      })
      const token = yield* client.signIn(yield* ownName)
      const { agent, sessionId } = yield* openSession(client, token, input)
      if (!agent.online) {
        return yield* fail(
          `${agent.name} (${agent.claw_id}) is not on the line just now. Start it, or write on the page: there a message waits for it.`
        )
      }

      const say = Effect.fnUntraced(function* (text: string) {
        let ended = false
        let written = ""
        const message = { clawId: agent.claw_id, sessionId, messageId: SecureRandom.uuidV4Unsafe(), text }
        yield* Stream.runForEachArray(
          client.reply(token, message),
          Effect.fnUntraced(function* (events) {
            let out = ""
            for (const event of events) {
              if (input.json) out += `${JSON.stringify(event)}\n`
              else if (event.type === "response.output_text.delta") out += event.delta
              if (event.type === "response.completed") ended = true
              if (event.type === "response.failed" || event.type === "response.incomplete") {
                if (out !== "") yield* Output.text(out)
                if (!input.json && written + out !== "") yield* Output.text("\n")
                return yield* fail(event.response.error?.message ?? "The reply is not complete.")
              }
            }
            written += out
            if (out !== "") yield* Output.text(out)
          })
        )
        if (!ended) return yield* fail(`The reply broke off: ${client.origin} hung up.`)
        if (!input.json && !written.endsWith("\n")) yield* Output.text("\n")
      })

      if (input.json) {
        yield* Output.event({ event: "session", session_id: sessionId, claw_id: agent.claw_id, agent: agent.name })
      }
      if (!interactive) return yield* say(given)

      yield* Output.problem(`You are talking to ${agent.name}. Ctrl-D ends; go on later with --session ${sessionId}`)
      yield* terminal.converse(say)
      yield* Output.text("\n")
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
