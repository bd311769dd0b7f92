/** What the message adapter declares to the host, each with its proof over a real platform: the host's own contract. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  verifyChannelMessageAdapterCapabilityProofs,
  verifyChannelMessageLiveCapabilityAdapterProofs,
  verifyChannelMessageLiveFinalizerProofs
} from "openclaw/plugin-sdk/channel-outbound"
import * as AccountTasks from "../../src/layers/channel/AccountTasks.ts"
import { plugin } from "../../src/programs/openclaw/channel.ts"
import { message, outbound } from "../../src/programs/openclaw/outbound.ts"
import * as registry from "../../src/programs/openclaw/registry.ts"
import * as speaking from "../../src/programs/openclaw/speaking.ts"
import { threading } from "../../src/programs/openclaw/threading.ts"
import * as worlds from "../../src/programs/openclaw/worlds/channel.ts"
import { type Keys, Platform } from "./Platform.ts"

let platform: Platform
let keys: Keys
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "clawfiber-outbound-"))
  platform = await Platform.start()
  keys = await platform.register("Speaker")
})

afterAll(async () => {
  await platform?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Message {
  readonly response_id: string
  readonly reply_text: string
}

const historyOf = async (name: string, sessionId: string) =>
  (await platform.get(name, `/api/session/${sessionId}/messages`)) as { readonly items: ReadonlyArray<Message> }

const begin = async (name: string) =>
  (await platform.post(name, "/api/session/create", { claw_id: keys.claw_id })) as { readonly session_id: string }

describe("what the message adapter declares, proved", () => {
  const cfg = {}

  it("every capability has its proof, over a real platform", async () => {
    const { session_id } = await begin("Eve")
    const line = Effect.succeedSome({
      url: new URL(platform.url),
      profile: {
        app_key: keys.app_key,
        app_secret: Redacted.make(keys.app_secret),
        claw_id: keys.claw_id,
        name: "",
        description: "",
        avatar: "",
        scene_tags: [],
        custom_tags: [],
        hourly_rate: 0,
        instance_type: 0,
        origin: platform.url,
        extra: {}
      }
    })
    const none = new URL("http://127.0.0.1:9")
    const desk = await Effect.runPromise(
      AccountTasks.make({ line, settings: { taskApiBaseUrl: none, artifactUrl: none }, folder }).pipe(
        Effect.provide(NodeFileSystem.layer)
      )
    )
    const own = speaking.make({ line, desk, folder })
    const seat: registry.Seat = {
      accountId: "default",
      call: () => Promise.reject(new Error("not here")),
      tool: () => Promise.reject(new Error("not here")),
      has: () => undefined,
      probe: () => Promise.reject(new Error("not here")),
      people: () => Effect.runPromise(own.people),
      findPerson: (target) => Effect.runPromise(own.find(target)),
      say: (saying) => Effect.runPromise(own.say(saying))
    }
    registry.seats.set("default", seat)
    const sending = { cfg, to: session_id, text: "Proof.", deliveryQueueId: "q1", deliveryPartIndex: 0 }
    const path = join(folder, "proof.txt")
    writeFileSync(path, "proof")
    const results = await verifyChannelMessageAdapterCapabilityProofs({
      adapterName: "instaclaw",
      adapter: message,
      proofs: {
        text: async () => {
          const { receipt } = await message.send.text(sending)
          const { items } = await historyOf("Eve", session_id)
          assert.strictEqual(items[0]?.response_id, receipt.primaryPlatformMessageId)
          assert.strictEqual(items[0]?.reply_text, "Proof.")
        },
        media: async () => {
          const { receipt } = await message.send.media({
            ...sending,
            deliveryQueueId: "q2",
            mediaUrl: path,
            mediaLocalRoots: [folder]
          })
          assert.strictEqual(receipt.parts[0]?.kind, "media")
          const { items } = await historyOf("Eve", session_id)
          assert.match(String(items[0]?.reply_text), /proof\.txt\]\(\/artifacts\//)
        },
        // The host calls its hooks before it hands over: nothing goes past them.
        messageSendingHooks: () => assert.strictEqual(outbound.deliveryMode, "gateway"),
        reconcileUnknownSend: async () => {
          assert.strictEqual(message.durableFinal.reconcileUnknownSend().status, "not_sent")
          // Sent again from the same place in the queue: the same message.
          const again = await message.send.text(sending)
          const { items } = await historyOf("Eve", session_id)
          assert.strictEqual(items.filter(({ reply_text }) => reply_text === "Proof.").length, 1)
          assert.strictEqual(again.messageId, items.find(({ reply_text }) => reply_text === "Proof.")?.response_id)
        }
      }
    }).finally(() => registry.seats.delete("default"))
    const declared = results.filter(({ status }) => status === "verified").map(({ capability }) => capability)
    assert.deepStrictEqual(declared.toSorted(), ["media", "messageSendingHooks", "reconcileUnknownSend", "text"])
  })

  it("nothing live is claimed: replies stream by the host's dispatch", async () => {
    const live = await verifyChannelMessageLiveCapabilityAdapterProofs({
      adapterName: "instaclaw",
      adapter: message,
      proofs: {}
    })
    assert.isTrue(live.every(({ status }) => status === "not_declared"))
    const finalizers = await verifyChannelMessageLiveFinalizerProofs({
      adapterName: "instaclaw",
      adapter: message,
      proofs: {}
    })
    assert.isTrue(finalizers.every(({ status }) => status === "not_declared"))
  })

  it("what the channels say they can has an adapter, and what they say they cannot has none", () => {
    const part = (of: object, ...path: ReadonlyArray<string>): unknown =>
      path.reduce<unknown>(
        (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
        of
      )
    for (const one of [plugin, worlds.plugin]) {
      const ways: Readonly<Record<string, boolean>> = {
        media: part(one, "outbound", "sendMedia") !== undefined,
        polls: part(one, "outbound", "sendPoll") !== undefined,
        // Each would be an action of the host's message tool.
        ...Object.fromEntries(
          ["reactions", "edit", "unsend", "effects", "groupManagement"].map((name) => [
            name,
            part(one, "actions") !== undefined
          ])
        ),
        groups: part(one, "groups") !== undefined,
        reply: part(one, "threading", "threadAddressing") === "message",
        threads: part(one, "threading", "resolveAutoThreadId") !== undefined,
        nativeCommands: part(one, "commands") !== undefined,
        blockStreaming: part(one, "streaming") !== undefined
      }
      const declared = part(one, "capabilities")
      assert.isObject(declared)
      for (const [name, value] of Object.entries(declared as object)) {
        if (name === "chatTypes") assert.deepStrictEqual(value, ["direct"])
        else assert.strictEqual(ways[name], value, `${one.id}: ${name}`)
      }
      // There is no frame for it on the wire: that the agent is at work is said by the reply's own beginning.
      assert.isUndefined(part(one, "heartbeat"))
    }
  })

  it("a session is the thread: a target that is the conversation is known however it is written", () => {
    const hasRepliedRef = { value: false }
    const tool = threading.buildToolContext({
      context: { To: "instaclaw:sess_1", CurrentMessageId: "msg_1" },
      hasRepliedRef
    })
    assert.deepStrictEqual(tool, {
      currentChatType: "direct",
      currentChannelProvider: "instaclaw",
      replyToMode: "off",
      currentChannelId: "sess_1",
      currentMessagingTarget: "sess_1",
      currentMessageId: "msg_1",
      hasRepliedRef
    })
    const matches = (target: string) => threading.matchesToolContextTarget({ target, toolContext: tool })
    assert.deepStrictEqual(
      ["sess_1", "instaclaw:sess_1", "InstaClaw:sess_1", "user:sess_1", "sess_2", "", "SESS_1"].map(matches),
      [true, true, true, true, false, false, false]
    )
    assert.strictEqual(threading.resolveReplyToMode(), "off")
    assert.deepStrictEqual(threading.resolveReplyTransport(), { replyToId: null, threadId: null })
  })

  it("without an account it says so, and nobody wonders whether it was sent", async () => {
    const refused: unknown = await message.send.text({ cfg, to: "x", text: "x" }).catch((cause: unknown) => cause)
    assert.deepInclude(refused, { code: "OPENCLAW_PLATFORM_MESSAGE_NOT_DISPATCHED" })
    assert.match(String(refused), /does not run/)
  })
})
