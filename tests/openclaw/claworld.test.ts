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
import { Gateway } from "./Gateway.ts"
import { hasToolResult, lastWords, Model } from "./Model.ts"
import { Platform } from "./Platform.ts"

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
  model = await Model.start()
  platform = await Platform.start()
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
  gateway = await Gateway.make({
    modelUrl: model.url,
    channel: { enabled: false },
    env: { SECOND_TOKEN: Redacted.value(second.appToken) }
  })
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
})

afterAll(async () => {
  await gateway?.stop()
  await runtime.runPromise(Scope.close(scope, Exit.void))
  await runtime.dispose()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

/** What the host said last, for a test that failed. */
const log = () => gateway.output.slice(-60).join("")

/** What happens in another process: looked for until it is there. */
const until = async <A>(look: () => Promise<A | undefined>, what: string): Promise<A> => {
  const deadline = Date.now() + 100_000
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
