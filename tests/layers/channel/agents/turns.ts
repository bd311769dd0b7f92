import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { AgentError, AgentRuntime, ReplyPart, Turn } from "../../../../src/services/channel/AgentRuntime.ts"
import * as Toolbox from "../../../../src/services/channel/Toolbox.ts"

export const turnOf = (text: string, more: Partial<Turn> = {}): Turn => ({
  origin: "chat",
  accountId: "acc_1",
  sessionKey: "instaclaw:acc_1:ses_1",
  sessionId: "ses_1",
  messageId: "msg_1",
  responseId: "resp_1",
  systemPrompt: undefined,
  context: "",
  parts: [{ type: "input_text", text }],
  toolbox: Toolbox.empty,
  ...more
})

export const textOf = (parts: ReadonlyArray<ReplyPart>): string =>
  parts.map((part) => (part._tag === "Text" ? part.text : "")).join("")

export const ask = (
  agent: AgentRuntime["Service"],
  text: string,
  more: Partial<Turn> = {}
): Effect.Effect<string, AgentError> => Effect.map(Stream.runCollect(agent.reply(turnOf(text, more))), textOf)

/** What came before the failure, and the failure. */
export const askFailing = (agent: AgentRuntime["Service"], text: string, more: Partial<Turn> = {}) =>
  Effect.gen(function* () {
    let before = ""
    const error = yield* agent.reply(turnOf(text, more)).pipe(
      Stream.runForEach((part) => Effect.sync(() => void (before += textOf([part])))),
      Effect.flip
    )
    return { before, error, reason: error.reason._tag }
  })
