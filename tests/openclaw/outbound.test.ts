/** What the host's agent says by itself reaches people: by the command, by targets of all kinds, with files, once. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { verifyChannelMessageReceiveAckPolicyAdapterProofs } from "openclaw/plugin-sdk/channel-outbound"
import { message } from "../../src/programs/openclaw/outbound.ts"
import { Gateway } from "./Gateway.ts"
import { Model } from "./Model.ts"
import { type Keys, Platform } from "./Platform.ts"

let model: Model
let platform: Platform
let gateway: Gateway
let keys: Keys

beforeAll(async () => {
  model = await Model.start()
  platform = await Platform.start()
  keys = await platform.register("Speaker")
  gateway = await Gateway.make({
    modelUrl: model.url,
    channel: {
      enabled: true,
      wsUrl: platform.url,
      appKey: keys.app_key,
      appSecret: keys.app_secret,
      dmPolicy: "open",
      allowFrom: ["*"]
    }
  })
  await gateway.start()
  await platform.online(keys.claw_id)
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

interface Message {
  readonly message_id: string
  readonly response_id: string
  readonly input: ReadonlyArray<unknown>
  readonly status: string
  readonly reply_text: string
}

const historyOf = async (name: string, sessionId: string) =>
  (await platform.get(name, `/api/session/${sessionId}/messages`)) as { readonly items: ReadonlyArray<Message> }

const begin = async (name: string) =>
  (await platform.post(name, "/api/session/create", { claw_id: keys.claw_id })) as {
    readonly session_id: string
    readonly user_id: string
  }

const send = (to: string, text: string, more: object = {}) =>
  gateway.call("send", { channel: "instaclaw", to, message: text, idempotencyKey: crypto.randomUUID(), ...more })

describe("messages that nobody asked for", () => {
  it("reach the person by the command, and stand in the history", { timeout: 240_000 }, async () => {
    const { session_id } = await begin("Ada")
    const sent = await gateway.cli("message", "send", "--channel", "instaclaw", "--target", "Ada", "--message", "Tea!")
    assert.strictEqual(sent.code, 0, sent.output)
    const { items } = await historyOf("Ada", session_id)
    assert.strictEqual(items.length, 1)
    assert.deepInclude(items[0], { input: [], status: "completed", reply_text: "Tea!" })
    assert.include(sent.output, String(items[0]?.response_id))
    const unknown = await gateway.cli("message", "send", "--channel", "instaclaw", "--target", "Zoe", "--message", "x")
    assert.notStrictEqual(unknown.code, 0)
    assert.include(unknown.output, "Nobody is called Zoe here. There are: Ada")
  })

  it("find people by id and conversation too; law once: a send with the same key is one", async () => {
    const { session_id, user_id } = await begin("Bob")
    for (const to of [user_id, session_id, `instaclaw:${session_id}`, "user:Bob"]) await send(to, `to ${to}`)
    const key = crypto.randomUUID()
    await send(user_id, "Once.", { idempotencyKey: key })
    await send(user_id, "Once.", { idempotencyKey: key })
    const { items } = await historyOf("Bob", session_id)
    assert.strictEqual(items.length, 5)
    assert.strictEqual(items.filter(({ reply_text }) => reply_text === "Once.").length, 1)
  })

  it("carry files, as links that the person can open", async () => {
    const { session_id } = await begin("Cleo")
    const path = join(gateway.home, "workspace", "report [1].txt")
    writeFileSync(path, "It is in the report.")
    await send(session_id, "Here it is.", { mediaUrl: path })
    const { items } = await historyOf("Cleo", session_id)
    const text = String(items[0]?.reply_text)
    const link = /\]\((\/artifacts\/[\w-]+)\)/.exec(text)?.[1]
    assert.include(text, "Here it is.")
    assert.isDefined(link, text)
    assert.strictEqual(await platform.text("Cleo", String(link)), "It is in the report.")
  })

  it("law confined: a file that the host's policy keeps is not sent, and the words say so", async () => {
    const { session_id } = await begin("Dan")
    const refused = await send(session_id, "x", { mediaUrl: "/etc/passwd" }).then(
      () => undefined,
      (cause: unknown) => String(cause)
    )
    assert.isDefined(refused)
    assert.strictEqual((await historyOf("Dan", session_id)).items.length, 0)
  })
})

describe("what people say to it", () => {
  it("a message is acknowledged when it is in the journal", async () => {
    const policies = await verifyChannelMessageReceiveAckPolicyAdapterProofs({
      adapterName: "instaclaw",
      adapter: message,
      proofs: {
        after_receive_record: async () => {
          // The platform counts a message as taken (it would come again otherwise) and its answer comes once.
          const person = await platform.person("Fay")
          const answer = await person.responses.create({ model: keys.claw_id, input: "Acknowledged?" })
          assert.include(answer.output_text, "Acknowledged?")
        }
      }
    })
    assert.strictEqual(policies.filter(({ status }) => status === "verified").length, 1)
  })
})
