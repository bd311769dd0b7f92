/** Strangers who know every id, and try with them what is not theirs to do. */
import type { AgentNode } from "./AgentNode.ts"
import { forged } from "./confined.ts"
import type { PersonNode } from "./PersonNode.ts"
import type { Op, Plan } from "./Plan.ts"
import type { PlatformNode } from "./PlatformNode.ts"

interface World {
  readonly plan: Plan
  readonly platform: PlatformNode
  readonly agents: ReadonlyArray<AgentNode>
  readonly people: ReadonlyArray<PersonNode>
}

interface Ids {
  readonly sessionId: string
  readonly messageId: string
  /** As the platform calls it, and as its agent does. */
  readonly responseIds: ReadonlyArray<string>
}

/** A whole reply of words that nobody said, in the gateway's dialect and in the envelope's. */
const answers = ({ messageId, responseIds, sessionId }: Ids): ReadonlyArray<object> => {
  const metadata = { session_id: sessionId, message_id: messageId }
  const envelope = (data: object) => ({
    type: "MESSAGE",
    headers: { topic: "/v1.0/im/bot/messages", "message-id": messageId, "session-id": sessionId },
    data: JSON.stringify(data)
  })
  return [
    ...responseIds.flatMap((id) => [
      { type: "response.created", response: { id, object: "response", status: "in_progress", metadata } },
      { type: "response.output_text.delta", response_id: id, delta: forged },
      {
        type: "response.completed",
        response: { id, object: "response", status: "completed", output_text: forged, metadata }
      }
    ]),
    envelope({ type: "response.output_text.delta", delta: forged }),
    envelope({ type: "response.completed", response: { status: "completed" } }),
    { type: "session.ack", message_id: messageId, session_id: sessionId },
    { type: "session.bind", session_id: sessionId }
  ]
}

export const trespass = (world: World, op: Extract<Op, { readonly _tag: "Trespass" }>): void => {
  const submit = world.plan.ops[op.message]
  if (submit?._tag !== "Submit") return
  const messageId = `m${op.message}`
  const sessionId = world.platform.sessions[submit.user]?.[submit.account]?.[submit.session]
  const responseId = world.people[submit.user]?.written.get(messageId)?.responseId
  if (sessionId === undefined || responseId === undefined) return
  const own = world.agents[submit.account]?.responseOf.get(messageId)
  const ids = { sessionId, messageId, responseIds: own === undefined ? [responseId] : [responseId, own] }
  const link = [...(world.agents[op.by]?.links ?? [])].at(-1)
  const frames = ((): ReadonlyArray<object> => {
    switch (op.how) {
      case "cancel":
        return [
          { type: "response.cancel", response_id: responseId },
          { type: "response.cancel", message_id: messageId, metadata: { session_id: sessionId } }
        ]
      case "resume":
        return [{ type: "response.resume", response_id: responseId }]
      case "bind":
        return [{ type: "session.bind", session_id: sessionId }]
      case "write":
        return [{ input: "I am somebody else.", metadata: { session_id: sessionId, message_id: `x${op.index}` } }]
      case "answer":
        return answers(ids)
    }
  })()
  if (op.how !== "answer") for (const frame of frames) world.people[op.by]?.trespass(frame)
  else for (const frame of frames) link?.client.send(JSON.stringify(frame))
}
