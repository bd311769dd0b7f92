/** The real OpenClaw with our plugin, our platform beside it, people on it, and a model server of the tests. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type OpenAI from "openai"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Gateway } from "./Gateway.ts"
import { hasToolResult, lastWords, type Model } from "./Model.ts"
import { Person, until } from "./Person.ts"
import type { Keys, Platform } from "./Platform.ts"
import { Stage } from "./Stage.ts"

let stage: Stage
let model: Model
let platform: Platform
/** Open to everybody, without tools. */
let open: Keys
/** For whom the operator has let in, with the host's tools. */
let friends: Keys
let gateway: Gateway
let ada: OpenAI

beforeAll(async () => {
  stage = await Stage.set(async (stage) => {
    ;({ model, platform } = stage)
    open = await platform.register("Open")
    friends = await platform.register("Friends")
    gateway = await stage.host({
      enabled: true,
      wsUrl: platform.url,
      appKey: open.app_key,
      appSecret: open.app_secret,
      dmPolicy: "open",
      systemPrompt: "You are the agent of the tests.",
      // Keys of a later version, or of the host: they keep nothing from starting.
      somethingNew: true,
      accounts: { friends: { appKey: friends.app_key, appSecret: friends.app_secret, dmPolicy: "pairing" } }
    })
    await gateway.start()
    await Promise.all([platform.online(open.claw_id), platform.online(friends.claw_id)])
  })
  ada = await platform.person("Ada")
})

afterAll(() => stage?.strike())

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
    const answered = await ask(keys, input).catch((cause: unknown) => {
      if (attempt < 5 && String(cause).includes("not on the line")) return undefined
      throw cause
    })
    if (answered === undefined) continue
    if (answered.failure === undefined || attempt > 4 || !answered.failure.includes("being stopped")) return answered
  }
}

const log = () => stage.log()

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

  it("a person sees at once that the agent is at work, and the host that the account is", async () => {
    interface Shown {
      readonly accountId: string
      readonly busy?: boolean
      readonly activeRuns?: number
      readonly lastRunActivityAt?: number
    }
    const shown = async (): Promise<Shown | undefined> => {
      const { channelAccounts } = (await gateway.call("channels.status", { probe: false })) as {
        readonly channelAccounts: { readonly instaclaw: ReadonlyArray<Shown> }
      }
      return channelAccounts.instaclaw.find(({ accountId }) => accountId === "default")
    }
    let go = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    model.otherwise = (asked) =>
      lastWords(asked).includes("Think long.") ? { pieces: ["Thought."], gate, gateAt: 0 } : undefined
    const stream = await ada.responses.create({ model: open.claw_id, input: "Think long.", stream: true })
    const types: Array<string> = []
    for await (const { type } of stream) {
      types.push(type)
      if (type !== "response.in_progress") continue
      // The model has not said a word yet.
      await until("busy", async () => (await shown())?.activeRuns === 1)
      const first = (await shown())?.lastRunActivityAt ?? Infinity
      // The host's own signs of life, while nothing is said: a turn that thinks long is not taken for a dead one.
      await until("another sign of life", async () => ((await shown())?.lastRunActivityAt ?? 0) > first)
      go()
    }
    model.otherwise = undefined
    assert.isBelow(types.indexOf("response.in_progress"), types.indexOf("response.output_text.delta"))
    assert.strictEqual(types.at(-1), "response.completed")
    await until("idle again", async () => {
      const now = await shown()
      return now?.activeRuns === 0 && now.busy === false
    })
  }, 120_000)

  it("law confined: to whom nobody has let in by name no file of the machine goes, and that is said", async () => {
    writeFileSync(join(gateway.home, "workspace", "secret.txt"), "It is secret.")
    model.otherwise = (asked) =>
      lastWords(asked).includes("Your files!") ? { pieces: ["There:\n", "MEDIA:./secret.txt"] } : undefined
    const { deltas, done, failure } = await ask(open, "Your files!")
    model.otherwise = undefined
    assert.isUndefined(failure, log())
    assert.strictEqual(deltas.join(""), done)
    assert.include(done, "There:")
    assert.include(done, "The file secret.txt was not sent")
    assert.notInclude(done, "](")
    assert.notInclude(done, gateway.home)
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
    { timeout: 240_000 },
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

describe("an answer with files, to whom the operator has let in", () => {
  const answering = async (words: string, pieces: ReadonlyArray<string>) => {
    model.otherwise = (asked) => (lastWords(asked).includes(words) ? { pieces } : undefined)
    const answered = await persist(friends, words)
    model.otherwise = undefined
    assert.isUndefined(answered.failure, log())
    assert.strictEqual(answered.deltas.join(""), answered.done)
    // No path of the machine, and no mark of the host's.
    assert.notInclude(answered.done, gateway.home)
    assert.notInclude(answered.done, "MEDIA:")
    return answered.done
  }

  it("brings them as links that open for that person, once, beside the words", async () => {
    const files = { "report.txt": "It is in the report.", "second [2].txt": "And more." }
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(gateway.home, "workspace", name), content)
    }
    const done = await answering("The reports, please.", [
      "Here they are.\n",
      "MEDIA:./report.txt\n",
      `MEDIA:${join(gateway.home, "workspace", "second [2].txt")}\n`,
      "MEDIA:./report.txt"
    ])
    assert.include(done, "Here they are.")
    const links = [...done.matchAll(/\[([^\]]+)\]\((\/artifacts\/[\w-]+)\)/g)]
    assert.deepStrictEqual(
      links.map(([, name]) => name),
      ["report.txt", "second (2).txt"],
      done
    )
    assert.deepStrictEqual(
      await Promise.all(links.map(([, , link]) => platform.text("Ada", String(link)))),
      Object.values(files)
    )
    // Of nobody else.
    const stranger = await platform.text("Mallory", String(links[0]?.[2])).then(
      () => "open",
      (cause: unknown) => String(cause)
    )
    assert.notStrictEqual(stranger, "open")
  })

  it("an address of the web stays an address; what cannot be sent is named", async () => {
    const web = await answering("A picture, please.", ["Look:\n", "MEDIA:https://example.com/a.png"])
    assert.include(web, "Look:")
    assert.include(web, "https://example.com/a.png")
    const none = await answering("What is not there.", ["Take it:\n", "MEDIA:./not-there.txt"])
    assert.include(none, "Take it:")
    assert.include(none, "not-there.txt")
    assert.notInclude(none, "](")
    const kept = await answering("The host's own.", ["Take it:\n", "MEDIA:/etc/passwd"])
    assert.match(kept, /passwd/)
    assert.notInclude(kept, "root:")
    assert.notInclude(kept, "](")
  })

  it("its message tool knows where it is: without a target it speaks into this conversation", async () => {
    const person = await Person.on(platform, "Ada", friends)
    const session = await person.begin()
    let result = ""
    model.otherwise = (asked) => {
      if (!lastWords(asked).includes("Use your tool.")) return undefined
      if (hasToolResult(asked)) {
        result = JSON.stringify(asked.messages.findLast(({ role }) => role === "tool"))
        return { pieces: ["I did."] }
      }
      return { pieces: [], call: { name: "message", arguments: { action: "send", message: "By the tool." } } }
    }
    const answered = await person.ask(session, "Use your tool.", { background: true })
    const asked = model.asked.findLast((one) => lastWords(one).includes("Use your tool."))
    model.otherwise = undefined
    assert.include(asked?.tools ?? [], "message", String(asked?.tools))
    // What the host tells its agent of the channel.
    assert.include(JSON.stringify(asked?.messages.filter(({ role }) => role === "system")), "InstaClaw: the answer to")
    assert.isUndefined(answered.failure, log())
    const replies = (await person.history(session)).map(({ reply_text }) => reply_text)
    assert.include(replies, "By the tool.", result)
  })
})

describe("checks of the host", () => {
  it("finds nothing wrong with the configuration and the plugin", { timeout: 400_000 }, async () => {
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
