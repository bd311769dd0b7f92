/** From nothing to a chat in the real host: its agent proposes, the operator confirms by a gateway method, it connects. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Gateway } from "./Gateway.ts"
import { hasToolResult, Model } from "./Model.ts"
import { Platform } from "./Platform.ts"

interface Registration {
  readonly phase: string
  readonly proposal_id: string | null
  readonly proposal: { readonly name: string; readonly description: string } | null
  readonly claw_id: string | null
}

let model: Model
let platform: Platform
let gateway: Gateway

/** The model introduces itself when it is given the tool for it, and chats else. */
const introduce = (name: string): Model["otherwise"] => {
  return (asked) => {
    if (!asked.tools.includes("insta_propose_registration")) return undefined
    if (hasToolResult(asked)) return { pieces: ["Done."] }
    return {
      pieces: [],
      call: { name: "insta_propose_registration", arguments: { name, description: "Counts things for people." } }
    }
  }
}

beforeAll(async () => {
  model = await Model.start()
  model.otherwise = introduce("Counter")
  platform = await Platform.start()
  gateway = await Gateway.make({
    modelUrl: model.url,
    channel: { enabled: true, wsUrl: platform.url, dmPolicy: "open" }
  })
  await gateway.start()
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

const get = async () => (await gateway.call("instaclaw.registration.get")) as Registration

/** Asks again until it is so: the host has no events for it. */
const until = async (phase: string): Promise<Registration> => {
  const deadline = Date.now() + 100_000
  for (;;) {
    const found = await get().catch((cause: unknown) => ({ phase: String(cause) }) as Registration)
    if (found.phase === phase) return found
    if (Date.now() > deadline) throw new Error(`still ${found.phase}\n${gateway.output.join("")}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

describe("registration in the host", () => {
  it(
    "the agent proposes, a changed proposal is confirmed, people chat, without a restart",
    { timeout: 150_000 },
    async () => {
      const pending = await until("pending")
      assert.strictEqual(pending.proposal?.name, "Counter")

      const refusal = await gateway
        .call("instaclaw.registration.submit", { proposal_id: pending.proposal_id, proposal: { name: "" } })
        .then(
          () => undefined,
          (cause: unknown) => cause
        )
      assert.match(String(refusal), /name/i)

      const done = (await gateway.call("instaclaw.registration.submit", {
        proposal_id: pending.proposal_id,
        proposal: { ...pending.proposal, name: "Counter of things" }
      })) as Registration
      assert.strictEqual(done.phase, "registered")
      const clawId = done.claw_id ?? ""

      const ada = await platform.person("Ada")
      const answer = await ada.responses.create({ model: clawId, input: "Are you there?" })
      assert.include(answer.output_text, "Are you there?")

      // Law confined: somebody of the platform talks to an agent without tools.
      assert.deepStrictEqual(model.asked.at(-1)?.tools, [])

      const again = await gateway.call("instaclaw.registration.submit", { proposal: { name: "Second" } }).then(
        () => undefined,
        (cause: unknown) => cause
      )
      assert.match(String(again), /registered already/)
    }
  )
})
