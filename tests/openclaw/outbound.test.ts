/** What the host's agent says by itself reaches people: by the command, by targets of all kinds, with files, once. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { verifyChannelMessageReceiveAckPolicyAdapterProofs } from "openclaw/plugin-sdk/channel-outbound"
import { message } from "../../src/programs/openclaw/outbound.ts"
import type { Gateway } from "./Gateway.ts"
import type { Keys, Platform } from "./Platform.ts"
import { Stage } from "./Stage.ts"
import { lastWords, type Model, textOf } from "./Model.ts"
import { Person, until } from "./Person.ts"

let stage: Stage
let model: Model
let platform: Platform
let gateway: Gateway
let keys: Keys

beforeAll(async () => {
  stage = await Stage.set(async (stage) => {
    // As people have it: tools hide behind tool_search.
    keys = await stage.open("Speaker", { tools: {}, timeoutSeconds: 300 })
  })
  ;({ gateway, model, platform } = stage)
})

afterAll(() => stage?.strike())

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

/** What our tool said, in what the host made of it: some host's frame around a text, or around a JSON in a JSON. */
const ownAnswer = (said: string): Readonly<Record<string, unknown>> => {
  const seek = (value: unknown): Readonly<Record<string, unknown>> | undefined => {
    if (typeof value === "string") {
      try {
        return seek(JSON.parse(value))
      } catch {
        return undefined
      }
    }
    if (typeof value !== "object" || value === null) return undefined
    if ("registration" in value && "connection" in value) return value as Readonly<Record<string, unknown>>
    for (const inner of Object.values(value)) {
      const found = seek(inner)
      if (found !== undefined) return found
    }
    return undefined
  }
  const found = seek(said)
  if (found === undefined) throw new Error(`no answer of the tool in: ${said}`)
  return found
}

describe("the operator's own agent", () => {
  it("the operator's own agent finds ours by tool_search, calls it, and is told in words of rubbish", async () => {
    let results: ReadonlyArray<string> = []
    const calls = [
      { name: "tool_search", arguments: { query: "who is this agent on the InstaClaw platform", limit: 8 } },
      { name: "tool_call", arguments: { id: "insta_get_plugin_profile", args: {} } },
      { name: "tool_call", arguments: { id: "insta_grab_task", args: { rubbish: [1], task_id: 7 } } }
    ]
    model.otherwise = (asked) => {
      if (!lastWords(asked).includes("Who are you there?")) return undefined
      results = asked.messages.filter(({ role }) => role === "tool").map(({ content }) => textOf(content))
      const call = calls[results.length]
      return call === undefined ? { pieces: ["Seen."] } : { pieces: [], call }
    }
    await gateway.call("agent", {
      message: "Who are you there?",
      sessionKey: "agent:main:main",
      idempotencyKey: crypto.randomUUID()
    })
    await until("all three have answered", () => results.length === calls.length, 280_000).catch((cause: unknown) => {
      throw new Error(`${JSON.stringify(results)}\n${stage.log()}`, { cause })
    })
    model.otherwise = undefined
    const operator = model.asked.findLast((asked) => lastWords(asked).includes("Who are you there?"))
    // Hidden: only the way to them is among the tools.
    assert.includeMembers([...(operator?.tools ?? [])], ["tool_search", "tool_call"])
    assert.isFalse(operator?.tools.some((name) => name.startsWith("insta_")))
    const [found = "", profile = "", refused = ""] = results
    assert.include(found, "insta_get_plugin_profile")
    // The tool's own answer, of this account and its line.
    const answer = ownAnswer(profile)
    assert.deepInclude(answer, { registration: "registered", pending: null, setback: null })
    assert.deepInclude(answer["connection"], { phase: "connected", failed_attempts: 0 })
    assert.strictEqual((answer["profile"] as { readonly claw_id?: string } | null)?.claw_id, "default")
    assert.match(refused, /task_id/)
    assert.match(refused, /invalid|must|expected/i)
    // Law secret.
    assert.notInclude(JSON.stringify(results), keys.app_secret)
    // A stranger has neither the tools nor the way to them.
    const ada = await Person.on(platform, "Ada", keys)
    const { done } = await ada.ask(await ada.begin(), "Have you tools?", { background: true })
    assert.include(done, "Have you tools?")
    assert.deepStrictEqual(model.asked.at(-1)?.tools, [])
  }, 300_000)
})
