/** The real OpenClaw with our plugin, our platform beside it, people on it, and a model server of the tests. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type OpenAI from "openai"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Gateway } from "./Gateway.ts"
import { hasToolResult, lastWords, Model } from "./Model.ts"
import { type Keys, Platform } from "./Platform.ts"

let model: Model
let platform: Platform
/** Open to everybody, without tools. */
let open: Keys
/** For whom the operator has let in, with the host's tools. */
let friends: Keys
let gateway: Gateway
let ada: OpenAI

beforeAll(async () => {
  model = await Model.start()
  platform = await Platform.start()
  open = await platform.register("Open")
  friends = await platform.register("Friends")
  gateway = await Gateway.make({
    modelUrl: model.url,
    channel: {
      enabled: true,
      wsUrl: platform.url,
      appKey: open.app_key,
      appSecret: open.app_secret,
      dmPolicy: "open",
      systemPrompt: "You are the agent of the tests.",
      // Keys of a later version, or of the host: they keep nothing from starting.
      somethingNew: true,
      accounts: { friends: { appKey: friends.app_key, appSecret: friends.app_secret, dmPolicy: "pairing" } }
    }
  })
  await gateway.start()
  ada = await platform.person("Ada")
  await Promise.all([platform.online(open.claw_id), platform.online(friends.claw_id)])
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

interface Answered {
  readonly deltas: ReadonlyArray<string>
  readonly done: string
  readonly failure: string | undefined
}

const ask = async (keys: Keys, input: string, onDelta?: (text: string) => void): Promise<Answered> => {
  const stream = await ada.responses.create({ model: keys.claw_id, input, stream: true })
  const deltas: Array<string> = []
  let done = ""
  let failure: string | undefined
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") {
      deltas.push(event.delta)
      onDelta?.(event.delta)
    }
    if (event.type === "response.output_text.done") done = event.text
    if (event.type === "response.failed") failure = event.response.error?.message
  }
  return { deltas, done, failure }
}

/**
 * Says it again where the account was just being restarted, as the person is told to: the first approval writes the
 * host's configuration, and the host restarts its channels for it.
 */
const persist = async (keys: Keys, input: string): Promise<Answered> => {
  for (let attempt = 0; ; attempt++) {
    await platform.online(keys.claw_id)
    const answered = await ask(keys, input)
    if (answered.failure === undefined || attempt === 3 || !answered.failure.includes("being stopped")) return answered
  }
}

/** What the host said last, for a test that failed. */
const log = () => gateway.output.slice(-60).join("")

describe("chat through the host's agent", () => {
  it("streams the model's words to the person, once and in order, before the model has ended", async () => {
    let go = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    model.script.push({ pieces: ["The first words are here. ", "lo ", "from ", "the ", "host."], gate })
    const { deltas, done, failure } = await ask(open, "Say hello.", () => go())
    assert.isUndefined(failure, log())
    assert.strictEqual(done, "The first words are here. lo from the host.")
    assert.strictEqual(deltas.join(""), done)
    // The gate opened by the first delta: nothing was held back until the end.
    assert.isAbove(deltas.length, 1)
  })

  it("law confined: whoever is not known by name gets an agent without tools, and the operator's prompt", async () => {
    await ask(open, "What can you do?")
    const asked = model.asked.at(-1)
    assert.deepStrictEqual(asked?.tools, [])
    const system = JSON.stringify(asked?.messages.filter(({ role }) => role === "system" || role === "developer"))
    assert.include(system, "You are the agent of the tests.")
  })

  it("each conversation is one of its own: two people share no memory", async () => {
    await ask(open, "My secret word is quetzal.")
    const bob = await platform.person("Bob")
    const before = model.asked.length
    await bob.responses.create({ model: open.claw_id, input: "What is the word?" })
    assert.notInclude(JSON.stringify(model.asked.slice(before)), "quetzal")
  })

  it("a provider's failure is a failure in words, and the next message is answered", async () => {
    // One that the host does not try again.
    model.otherwise = ({ messages }) =>
      JSON.stringify(messages).includes("Will this fail?") ? { pieces: [], status: 400 } : undefined
    const failed = await ask(open, "Will this fail?")
    model.otherwise = undefined
    assert.isDefined(failed.failure, log())
    assert.notInclude(String(failed.failure), "127.0.0.1")
    const after = await ask(open, "And now?")
    assert.isUndefined(after.failure)
    assert.include(after.done, "And now?")
  })

  it("two messages at once, of two conversations, both answered", async () => {
    const [one, two] = await Promise.all([ask(open, "Message one."), ask(open, "Message two.")])
    assert.include(one.done, "Message one.")
    assert.include(two.done, "Message two.")
  })
})

describe("a stranger, and whom the operator let in", () => {
  it(
    "asks the operator first; then text around a tool call comes out whole and once",
    { timeout: 120_000 },
    async () => {
      const stranger = await ask(friends, "Hello?")
      assert.isUndefined(stranger.failure, log())
      const code = /[A-Z0-9]{6,}/.exec(stranger.done.replace(/u_\w+|user_\w+/g, ""))?.[0] ?? ""
      assert.notStrictEqual(code, "", stranger.done)
      const approved = await gateway.cli("pairing", "approve", "instaclaw", code, "--account", "friends")
      assert.strictEqual(approved.code, 0, approved.output)

      const first = await persist(friends, "Hello again.")
      assert.include(first.done, "Hello again.", log())
      const tools = model.asked.at(-1)?.tools ?? []
      assert.isAbove(tools.length, 0)
      // Ours are for the operator's own sessions and for a registration, not for chats.
      assert.isFalse(tools.some((name) => name.startsWith("insta_")))

      assert.include(tools, "read", tools.join(", "))
      writeFileSync(join(gateway.home, "workspace", "note.txt"), "It is in the note.")
      model.otherwise = (asked) => {
        if (!lastWords(asked).includes("Look it up.")) return undefined
        if (hasToolResult(asked)) return { pieces: ["Here it ", "is."] }
        return { pieces: ["Let me ", "look. "], call: { name: "read", arguments: { path: "note.txt" } } }
      }
      const { deltas, done, failure } = await persist(friends, "Look it up.")
      model.otherwise = undefined
      assert.isUndefined(failure, log())
      assert.strictEqual(deltas.join(""), done)
      assert.strictEqual(done.replace(/\s+/g, " ").trim(), "Let me look. Here it is.")
    }
  )
})

describe("checks of the host", () => {
  it("finds nothing wrong with the configuration and the plugin", { timeout: 120_000 }, async () => {
    const validate = await gateway.cli("config", "validate")
    assert.strictEqual(validate.code, 0, validate.output)
    const doctor = await gateway.cli("plugins", "doctor")
    assert.strictEqual(doctor.code, 0, doctor.output)
    const inspect = await gateway.cli("plugins", "inspect", "clawfiber", "--runtime")
    assert.strictEqual(inspect.code, 0, inspect.output)
    assert.include(inspect.output, "insta_propose_registration")
    assert.include(inspect.output, "instaclaw.registration.get")
    const status = await gateway.cli("channels", "status")
    assert.strictEqual(status.code, 0, status.output)
    assert.match(status.output, /instaclaw/i)
  })
})
