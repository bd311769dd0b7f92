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
  verifyChannelMessageLiveCapabilityAdapterProofs
} from "openclaw/plugin-sdk/channel-outbound"
import * as AccountTasks from "../../src/layers/channel/AccountTasks.ts"
import { message, outbound } from "../../src/programs/openclaw/outbound.ts"
import * as registry from "../../src/programs/openclaw/registry.ts"
import * as speaking from "../../src/programs/openclaw/speaking.ts"
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
  })

  it("without an account it says so, and nobody wonders whether it was sent", async () => {
    const refused: unknown = await message.send.text({ cfg, to: "x", text: "x" }).catch((cause: unknown) => cause)
    assert.deepInclude(refused, { code: "OPENCLAW_PLATFORM_MESSAGE_NOT_DISPATCHED" })
    assert.match(String(refused), /does not run/)
  })
})
