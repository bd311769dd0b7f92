/** The real OpenClaw with our plugin, our platform beside it, a person on it, and a model server of the tests. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type OpenAI from "openai"
import { Gateway } from "./Gateway.ts"
import { Model } from "./Model.ts"
import { type Keys, Platform } from "./Platform.ts"

let model: Model
let platform: Platform
let keys: Keys
let gateway: Gateway
let ada: OpenAI

beforeAll(async () => {
  model = await Model.start()
  platform = await Platform.start()
  keys = await platform.register("Claw")
  gateway = await Gateway.make({
    modelUrl: model.url,
    channel: {
      enabled: true,
      appKey: keys.app_key,
      appSecret: keys.app_secret,
      wsUrl: `${platform.url.replace("http", "ws")}/ws/chat`,
      dmPolicy: "open",
      allowFrom: ["*"]
    }
  })
  await gateway.start()
  ada = await platform.person("Ada")
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

const ask = async (input: string) => {
  const stream = await ada.responses.create({ model: keys.claw_id, input, stream: true })
  const deltas: Array<string> = []
  let done = ""
  let failure: string | undefined
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") deltas.push(event.delta)
    if (event.type === "response.output_text.done") done = event.text
    if (event.type === "response.failed") failure = event.response.error?.message
  }
  return { deltas, done, failure }
}

describe("chat through the host's agent", () => {
  it("streams the model's words to the person, once and in order", async () => {
    model.script.push({ pieces: ["Hel", "lo ", "from ", "the ", "host."] })
    const { deltas, done, failure } = await ask("Say hello.")
    assert.isUndefined(failure, gateway.output.join(""))
    assert.strictEqual(done, "Hello from the host.")
    assert.strictEqual(deltas.join(""), done)
  })
})
