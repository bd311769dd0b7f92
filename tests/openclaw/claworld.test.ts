/** Claworld in the real OpenClaw: its agent meets a plain Node agent on our platform, asks for a talk, and talks. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as MemoryJournal from "../../src/layers/channel/MemoryJournal.ts"
import * as activation from "../../src/layers/worlds/activation.ts"
import * as WorldLine from "../../src/layers/worlds/WorldLine.ts"
import { AgentRuntime, type Turn } from "../../src/services/channel/AgentRuntime.ts"
import { endToken } from "../../src/services/protocol/Worlds.ts"
import { toolNames } from "../../src/services/protocol/WorldTools.ts"
import type { Gateway } from "./Gateway.ts"
import { hasToolResult, lastWords, Model } from "./Model.ts"
import type { Platform } from "./Platform.ts"
import { Stage } from "./Stage.ts"

let stage: Stage
let model: Model
let platform: Platform
let gateway: Gateway

const world = "dating-demo-world"
const profile = (headline: string) => ({ headline, intent: "To talk of maps", location: "Shanghai", interests: "maps" })

const runtime = ManagedRuntime.make(
  Layer.mergeAll(FetchHttpClient.layer, SecureRandom.layerWebCrypto, MemoryJournal.layer())
)
const scope = Scope.makeUnsafe()

/** The other one: our own relay and an agent without a model, in this process. */
const peer = {
  turns: [] as Array<Turn>,
  /** What it says to each turn. */
  says: (_turn: Turn, count: number): string => `Turn ${count} from Node.`,
  line: undefined as WorldLine.WorldLine | undefined
}
const its = (): WorldLine.WorldLine => {
  if (peer.line === undefined) throw new Error("the peer is not there")
  return peer.line
}

const activate = (displayName: string) =>
  runtime.runPromise(activation.activate({ serverUrl: new URL(platform.url), displayName }))

beforeAll(async () => {
  stage = await Stage.set(bringUp)
})

const bringUp = async (stage: Stage): Promise<void> => {
  ;({ model, platform } = stage)
  peer.line = await runtime.runPromise(
    WorldLine.open({
      accountId: "peer",
      identity: await activate("Cartographer"),
      runtime: AgentRuntime.of({
        description: "a plain agent",
        model: "none",
        reply: (turn) => {
          peer.turns.push(turn)
          return Stream.succeed({ _tag: "Text", text: peer.says(turn, peer.turns.length) })
        }
      }),
      systemPrompt: undefined,
      version: "test"
    }).pipe(Scope.provide(scope))
  )
  await runtime.runPromise(
    its().api.join(world, { agentId: its().identity.agentId, profile: profile("Cartographer of the north") })
  )
  const second = await activate("Second")
  gateway = await stage.host({ enabled: false }, { env: { SECOND_TOKEN: Redacted.value(second.appToken) } })
  const file = join(gateway.home, "openclaw.json")
  const config = JSON.parse(readFileSync(file, "utf8")) as { channels: object }
  config.channels = {
    claworld: {
      serverUrl: platform.url,
      registration: { enabled: true, displayName: "Host", agentCode: "host" },
      heartbeatSeconds: 1,
      toolProfile: "full",
      somethingNew: true,
      accounts: {
        second: { appToken: { source: "env", provider: "default", id: "SECOND_TOKEN" } },
        refused: { appToken: "cwa_of-nobody" },
        wrong: { serverUrl: "ftp://claworld.example", appToken: "cwa_1" }
      }
    }
  }
  writeFileSync(file, JSON.stringify(config))
  await gateway.start()
}

afterAll(async () => {
  // The gateway first: the peer answers what is still open.
  await stage?.gateway.stop()
  await runtime.runPromise(Scope.close(scope, Exit.void))
  await runtime.dispose()
  await stage?.strike()
})

const log = () => stage.log()

/** What happens in another process: looked for until it is there. */
const until = async <A>(look: () => Promise<A | undefined>, what: string): Promise<A> => {
  const deadline = Date.now() + 300_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`${what} does not come\n${log()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

interface Answered {
  readonly [key: string]: unknown
}

/** As the operator's own session of the host has it. */
const tool = async (name: string, args: object): Promise<Answered> => {
  const said = (await gateway.call("tools.invoke", { name, args })) as {
    readonly ok: boolean
    readonly output?: { readonly details?: Answered }
    readonly error?: unknown
  }
  assert.isTrue(said.ok, JSON.stringify(said))
  return said.output?.details ?? {}
}

interface Shown {
  readonly accountId: string
  readonly running: boolean
  readonly connected: boolean
  readonly lastError: string | null
}

const accounts = async (channel = "claworld"): Promise<ReadonlyMap<string, Shown>> => {
  const { channelAccounts } = (await gateway.call("channels.status", { probe: false })) as {
    readonly channelAccounts: Readonly<Record<string, ReadonlyArray<Shown>>>
  }
  return new Map((channelAccounts[channel] ?? []).map((account) => [account.accountId, account]))
}

describe("the channel claworld", () => {
  it("runs each account by its own identity, and says of each how it is", async () => {
    const shown = await until(async () => {
      const all = await accounts()
      return all.get("default")?.connected === true && all.get("second")?.connected === true ? all : undefined
    }, "the line of two accounts")
    assert.isFalse(shown.get("refused")?.connected)
    assert.match(shown.get("refused")?.lastError ?? "", /does not take the app token of the account refused/)
    assert.isFalse(shown.get("wrong")?.connected)
    assert.match(shown.get("wrong")?.lastError ?? "", /begins with something else than https/)
    assert.notInclude(log(), "cwa_")
    // The plugin's other channel, which nobody has set up, begins nothing.
    for (const { running } of (await accounts("instaclaw")).values()) assert.isFalse(running)
    assert.notInclude(gateway.output.join(""), "[instaclaw")
  })

  it("keeps the token of an agent that registered from here, for its owner alone", () => {
    const folder = join(gateway.home, "state", "clawfiber", "default", "claworld", "identities")
    const [own = ""] = readdirSync(folder)
    const file = join(folder, own, "claworld.json")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.match((JSON.parse(readFileSync(file, "utf8")) as { address: string }).address, /^host@/)
  })

  it("gives the nine tools to the operator's agent; each account is who it is; rubbish is told so", async () => {
    const paired = await tool("claworld_pair_agent", {})
    assert.deepInclude(paired, { status: "paired", accountId: "default", bindingSource: "verified_app_token" })
    assert.deepInclude(paired["relay"], { agentCode: "host", online: true, resolved: true })
    const second = await tool("claworld_pair_agent", { accountId: "second" })
    assert.deepInclude(second, { status: "paired", accountId: "second", bindingSource: "configured_app_token" })
    const wrong = await tool("claworld_pair_agent", { accountId: "wrong" })
    assert.deepInclude(wrong, { status: "unbound", accountId: "wrong" })
    assert.match(String(wrong["reason"]), /begins with something else/)

    const shape = { status: "error", error: "claworld_tool_failed" }
    const rubbish = await tool("claworld_join_world", { accountId: "default", worldId: 7, surprise: { deep: [1] } })
    assert.deepInclude(rubbish, { ...shape, code: "tool_input_invalid", category: "input" })
    const nobody = await tool("claworld_list_worlds", { accountId: "nobody" })
    assert.deepInclude(nobody, { ...shape, code: "account_unknown", category: "config" })
    const nowhere = await tool("claworld_get_world_detail", { worldId: "no-such-world" })
    assert.deepInclude(nowhere, { ...shape, code: "world_not_found", httpStatus: 404 })
  })

  it(
    "its agent enters, asks for a talk and holds it to its end, in turns, without tools",
    { timeout: 300_000 },
    async () => {
      const { worlds } = (await tool("claworld_list_worlds", {})) as { worlds: ReadonlyArray<{ worldId: string }> }
      assert.include(
        worlds.map(({ worldId }) => worldId),
        world
      )
      const round = await tool("claworld_join_world", { accountId: "default", worldId: world })
      assert.strictEqual(round["status"], "needs_profile")
      const joined = await tool("claworld_join_world", {
        accountId: "default",
        worldId: world,
        profile: profile("Host with maps")
      })
      assert.strictEqual(joined["status"], "joined", JSON.stringify(joined))
      const { candidates } = joined["candidateFeed"] as {
        candidates: ReadonlyArray<{ targetAgentId: string; online: boolean }>
      }
      const { agentId } = its().identity
      assert.isTrue(
        candidates.find(({ targetAgentId }) => targetAgentId === agentId)?.online,
        JSON.stringify(candidates)
      )

      // The host's own agent asks, with its model, in the operator's session.
      model.otherwise = (asked) => {
        const words = lastWords(asked)
        if (words.includes("Ask the cartographer")) {
          if (hasToolResult(asked)) return { pieces: ["I asked."] }
          return {
            pieces: [],
            call: {
              name: "claworld_request_chat",
              arguments: { accountId: "default", worldId: world, targetAgentId: agentId, openingMessage: "Old maps." }
            }
          }
        }
        if (words.includes("Old maps.")) return { pieces: ["Hello ", "from the host."] }
        return words.includes("Turn 1 from Node.")
          ? { pieces: ["The second from the host."] }
          : { pieces: [`It was good to talk.\n${endToken}`] }
      }
      const before = model.asked.length
      await gateway.call("agent", { message: "Ask the cartographer.", sessionKey: "main", idempotencyKey: "ask-1" })
      const request = await until(async () => {
        const [found] = await runtime.runPromise(its().api.chatRequests({ direction: "inbound" }))
        return found
      }, "a request of the host's agent")
      assert.includeMembers([...(model.asked[before]?.tools ?? [])], [...toolNames], log())

      peer.says = (_turn, count) =>
        // Another agent begins nothing anew in this one's sessions.
        count === 2 ? "/new" : count === 3 ? `Goodbye.\n${endToken}` : `Turn ${count} from Node.`
      const start = model.asked.length
      let latest: ReadonlyArray<string> = []
      const accepted = await runtime.runPromise(its().api.acceptChatRequest(request.chatRequestId))
      const key = accepted.chatRequest.conversation?.conversationKey ?? ""
      const talk = await until(async () => {
        const found = await runtime.runPromise(its().api.transcript(key))
        latest = found.turns.map(({ text }) => text)
        return found.conversation.status === "ended" ? found : undefined
      }, "the end of the talk").catch((cause: unknown) => {
        throw new Error(`${JSON.stringify(latest)}\n${model.asked.slice(start).map(lastWords).join("\n")}`, { cause })
      })
      assert.deepStrictEqual(
        talk.turns.map(({ text }) => text),
        [
          "Hello from the host.",
          "Turn 1 from Node.",
          "The second from the host.",
          "/new",
          "It was good to talk.",
          "Goodbye."
        ],
        log()
      )
      const asked = model.asked.slice(start).filter((one) => !lastWords(one).includes("Ask the cartographer"))
      assert.strictEqual(asked.length, 3, JSON.stringify(asked.map(lastWords)))
      // Law confined: a stranger's words come to an agent without tools, as data, under the operator's rules.
      assert.deepStrictEqual(
        asked.map(({ tools }) => tools),
        [[], [], []]
      )
      const told = JSON.stringify(asked[0]?.messages)
      assert.include(told, "on behalf of your operator")
      assert.include(told, "Cartographer of the north")
      // One session: what was said before is known.
      assert.include(JSON.stringify(asked[2]?.messages), "Turn 1 from Node.")
      assert.include(lastWords(asked[2] ?? { messages: [], tools: [] }), "/new")
    }
  )

  it("its skills are among those that the host's agents are given", async () => {
    const { skills } = (await gateway.call("skills.status")) as { skills: ReadonlyArray<{ name: string }> }
    assert.includeMembers(
      skills.map(({ name }) => name),
      ["claworld-help", "claworld-join-and-chat", "claworld-manage-worlds"]
    )
  })
})

/**
 * A talk outside of worlds, asked for by the host's agent: what the other one says, in order. Gives where it stands, on
 * demand, and its turns once it has ended.
 */
const talkAbout = async (brief: string, words: ReadonlyArray<string>) => {
  let said = 0
  peer.says = () => words[said++] ?? `Nothing more.\n${endToken}`
  const requested = await tool("claworld_request_chat", {
    accountId: "default",
    targetAgentId: its().identity.agentId,
    openingMessage: brief,
    // A gateway that comes back takes its time.
    episodePolicy: { maxTurns: 12, turnTimeoutMs: 900_000 }
  })
  assert.notStrictEqual(requested["status"], "error", JSON.stringify(requested))
  const { chatRequestId } = requested["chatRequest"] as { readonly chatRequestId: string }
  const accepted = await runtime.runPromise(its().api.acceptChatRequest(chatRequestId))
  const key = accepted.chatRequest.conversation?.conversationKey ?? ""
  const turns = async () => (await runtime.runPromise(its().api.transcript(key))).turns.map(({ text }) => text)
  const ended = () =>
    until(async () => {
      const found = await runtime.runPromise(its().api.transcript(key))
      return found.conversation.status === "ended"
        ? found.turns.map(({ text }) => text).filter((text) => text !== "")
        : undefined
    }, "the end of the talk")
  return { turns, ended }
}

/** How often the model was asked about this. */
const askedOf = (words: string) => model.asked.filter((request) => lastWords(request).includes(words)).length

const hasCome = async (what: string, holds: () => boolean) =>
  until(() => Promise.resolve(holds() ? true : undefined), what)

const online = () =>
  until(async () => ((await accounts()).get("default")?.connected === true ? true : undefined), "the line")

/** The host's agent opens, hangs at the other one's first words, and goes on at the second. */
const hangs = (brief: string) => {
  model.otherwise = (asked) => {
    const words = lastWords(asked)
    if (words.includes(brief)) return { pieces: ["Hello from the host."] }
    if (words.includes("One from Node.")) return { pieces: ["The beginning", " and no end."], gate: Model.never }
    return { pieces: [`Here again.\n${endToken}`] }
  }
  return ["One from Node.", "Two from Node.", `Goodbye.\n${endToken}`]
}

describe("a talk that is cut off on the host's side", () => {
  it("law stop: the account is stopped in the middle of a turn: its run ends, and the talk goes on after the start", async () => {
    const { ended } = await talkAbout("To be stopped.", hangs("To be stopped."))
    await hasCome("the turn", () => askedOf("One from Node.") > 0)
    const before = askedOf("One from Node.")
    await gateway.call("channels.stop", { channel: "claworld", accountId: "default" })
    await hasCome("the end of the run", () => model.cut.some((said) => said.includes("One from Node.")))
    await until(async () => ((await accounts()).get("default")?.running === false ? true : undefined), "the stop")
    await gateway.call("channels.start", { channel: "claworld", accountId: "default" })
    assert.deepStrictEqual(
      await ended(),
      ["Hello from the host.", "One from Node.", "Two from Node.", "Here again.", "Goodbye."],
      log()
    )
    // Law once: what it had begun to say is not asked for again.
    assert.strictEqual(askedOf("One from Node."), before)
  }, 200_000)

  it("kill -9 of the gateway: one silence for the turn that was cut off, no second run of it, and the talk ends as it should", async () => {
    const cut = askedOf("One from Node.")
    const { ended } = await talkAbout("To be killed.", hangs("To be killed."))
    await hasCome("the turn", () => askedOf("One from Node.") === cut + 1)
    await gateway.stop("SIGKILL")
    await gateway.start()
    await online()
    assert.deepStrictEqual(
      await ended(),
      ["Hello from the host.", "One from Node.", "Two from Node.", "Here again.", "Goodbye."],
      log()
    )
    // Neither by us nor by the host, which takes up by itself what a crash has cut off.
    assert.strictEqual(askedOf("One from Node."), cut + 1)
    // Nor does a later start: a talk from then on is as any other.
    model.otherwise = (asked) => ({
      pieces: [lastWords(asked).includes("Afterwards.") ? "All well." : `So be it.\n${endToken}`]
    })
    const after = await talkAbout("Afterwards.", [`Indeed.\n${endToken}`])
    assert.deepStrictEqual(await after.ended(), ["All well.", "Indeed.", "So be it."])
    assert.strictEqual(askedOf("One from Node."), cut + 1)
  }, 600_000)
})

describe("what the operator does to it while it runs", () => {
  it("restarts by the host's own method", async () => {
    for (let round = 0; round < 3; round++) {
      await gateway.call("channels.stop", { channel: "claworld" })
      await until(async () => ((await accounts()).get("default")?.running === false ? true : undefined), "the stop")
      await gateway.call("channels.start", { channel: "claworld" })
      await online()
    }
    assert.deepInclude(await tool("claworld_pair_agent", {}), { status: "paired", accountId: "default" })
  }, 200_000)

  it("an edit of the configuration is taken up: a new account comes, one that is switched off goes", async () => {
    const third = await activate("Third")
    const file = join(gateway.home, "openclaw.json")
    const edited = JSON.parse(readFileSync(file, "utf8")) as {
      readonly channels: { readonly claworld: { readonly accounts: Record<string, object> } }
    }
    const { accounts: named } = edited.channels.claworld
    named["third"] = { appToken: Redacted.value(third.appToken) }
    named["second"] = { ...named["second"], enabled: false }
    writeFileSync(file, JSON.stringify(edited, undefined, 2))
    await until(async () => {
      const all = await accounts()
      return all.get("third")?.connected === true && all.get("second")?.running !== true ? true : undefined
    }, "the third account")
    await online()
    assert.deepInclude(await tool("claworld_pair_agent", { accountId: "third" }), { status: "paired" })
    assert.notStrictEqual((await tool("claworld_pair_agent", { accountId: "second" }))["status"], "paired")
  }, 400_000)

  it("`openclaw claworld setup` writes an account, which the running gateway takes up; what cannot work is refused", async () => {
    const fourth = await activate("Fourth")
    const file = join(gateway.home, "openclaw.json")
    const before = readFileSync(file, "utf8")
    const refused = await gateway.cli("claworld", "setup", "--account", "bad", "--url", "http://far.example")
    assert.notStrictEqual(refused.code, 0, refused.output)
    assert.include(refused.output, "is not encrypted and not on this machine")
    assert.strictEqual(readFileSync(file, "utf8"), before)
    const token = Redacted.value(fourth.appToken)
    const done = await gateway.cli(
      "claworld",
      "setup",
      "--account",
      "fourth",
      "--url",
      platform.url,
      "--app-token",
      token
    )
    assert.strictEqual(done.code, 0, done.output)
    assert.notInclude(done.output, token)
    await until(
      async () => ((await accounts()).get("fourth")?.connected === true ? true : undefined),
      "the fourth account"
    )
    await online()
    assert.deepInclude(await tool("claworld_pair_agent", { accountId: "fourth" }), { status: "paired" })
    const status = await gateway.cli("claworld", "status")
    assert.strictEqual(status.code, 0, status.output)
    assert.match(status.output, /fourth: on the line/)
    assert.match(status.output, /refused: not on the line/)
    assert.match(status.output, /does not take the app token/)
  }, 900_000)
})
