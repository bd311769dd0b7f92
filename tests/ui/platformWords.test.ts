/** The platform's sentences in Chinese, as they are really made; and that the words of others stay as they are. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as replyFailures from "../../src/layers/channel/replyFailures.ts"
import * as refusals from "../../src/layers/platform/claworld/refusals.ts"
import { Reader } from "../../src/layers/platform/claworld/InputReader.ts"
import * as talkPolicy from "../../src/layers/platform/claworld/talkPolicy.ts"
import * as talkRefusals from "../../src/layers/platform/claworld/talkRefusals.ts"
import * as interruptions from "../../src/layers/platform/interruptions.ts"
import { TooOften } from "../../src/layers/platform/Limits.ts"
import * as names from "../../src/layers/platform/names.ts"
import { prose } from "../../src/layers/platform/taskRows.ts"
import * as Agent from "../../src/services/channel/AgentRuntime.ts"
import * as Connection from "../../src/services/channel/Connection.ts"
import { ProfileApiError, RegistrationFailed, RegistrationRefused } from "../../src/services/channel/ProfileApi.ts"
import * as PlatformError from "../../src/services/platform/PlatformError.ts"
import { check, checkSchema, type EntryField } from "../../src/services/protocol/EntryProfile.ts"
import * as ProfileFields from "../../src/services/protocol/ProfileFields.ts"
import { fromPlatform, inLanguage, isForeign, sentences } from "../../src/ui/i18n/platform.ts"
import { phrases } from "../../src/ui/i18n/sentences/phrases.ts"

const chinese = (sentence: string) => fromPlatform(sentence, "zh-CN")

/** Said in Chinese, all of it: no two English words are left beside each other. */
const isSaid = (sentence: string, kept: RegExp = /$^/) => {
  const said = chinese(sentence)
  assert.notStrictEqual(said, sentence, sentence)
  assert.match(said, /\p{Script=Han}/u, sentence)
  assert.notMatch(said, /\{\{|undefined/, sentence)
  assert.notMatch(said.replace(kept, ""), /[a-z]{2,} [a-z]{2,}/, sentence)
}

describe("what the platform says", () => {
  it("of things that are not there, of tokens and of its database", () => {
    for (const what of Object.keys(phrases.thing)) isSaid(new PlatformError.NotFound({ what }).message)
    const [hint] = Object.keys(phrases.hint)
    isSaid(new PlatformError.NotFound({ what: "file", hint }).message)
    for (const transient of [true, false]) isSaid(new PlatformError.StoreError({ detail: "x", transient }).message)
    for (const why of ["unknown", "used", "expired"] as const) {
      isSaid(new PlatformError.TokenRefused({ why }).message)
    }
    for (const standing of ["pending", "inactive"] as const) {
      isSaid(new PlatformError.NotAdmitted({ standing }).message)
    }
  })

  it("of one who asks too often", () => {
    for (const door of ["signIn", "register", "messages", "uploads", "sockets", "refusals", "calls"]) {
      for (const retryAfter of [1, 59]) isSaid(new TooOften({ door, retryAfter }).message)
    }
  })

  it.effect("of texts that people give", () =>
    Effect.gen(function* () {
      for (const what of ["The title", "The name", "The name of the key"]) {
        for (const text of ["", "x".repeat(100), "a\u202Eb"]) {
          const { message } = yield* Effect.flip(names.line({ text, param: "title", what, max: 64 }))
          isSaid(message)
        }
      }
      for (const what of ["The description", "The reason"]) {
        for (const text of ["", "x".repeat(100)]) {
          const { message } = yield* Effect.flip(prose(text, "reason", what, 64))
          isSaid(message)
        }
      }
    })
  )

  it("of what agents say of themselves", () => {
    const long = "x".repeat(70_000)
    const bad: ReadonlyArray<unknown> = [
      "x",
      { name: "" },
      { name: 5 },
      { name: long },
      { name: "A", description: long },
      { name: "A", avatar: "ftp://x" },
      { name: "A", avatar: `data:image/png;base64,${long}` },
      { name: "A", scene_tags: ["x"] },
      { name: "A", scene_tags: "x" },
      { name: "A", custom_tags: [long] },
      { name: "A", custom_tags: Array.from({ length: 30 }, (_, index) => `t${index}`) },
      { name: "A", hourly_rate: "-1" },
      { name: "A", hourly_rate: "2000000" },
      { name: "A", instance_type: "1.5" }
    ]
    for (const input of bad) {
      const checked = ProfileFields.check(input)
      const faults = Result.isFailure(checked) ? checked.failure : []
      assert.isNotEmpty(faults)
      for (const { message } of faults) isSaid(message)
    }
  })

  it("of worlds and talks", () => {
    const { badCode, invalid: _, tooManyWorlds, tooMuchFeedback: __, ...plain } = refusals
    for (const { detail } of [...Object.values(plain), badCode, tooManyWorlds(10)]) isSaid(detail)
    const { deliveryClosed, invalid, noDelivery, nothingToAnswer, tooLong, ...made } = talkRefusals
    const ofAgents = new Set<unknown>([deliveryClosed, noDelivery, nothingToAnswer, tooLong, invalid])
    const { notMember, requestClosed, targetNotMember, tooOften, worldDisabled, ...rest } = made
    for (const make of Object.values(rest)) if (!ofAgents.has(make)) isSaid(make().detail)
    for (const make of [notMember, targetNotMember, worldDisabled]) isSaid(make("world_1").detail)
    for (const status of ["accepted", "rejected", "expired"]) isSaid(requestClosed(status).detail)
    for (const what of [
      "This agent has asked for 30 talks within an hour, which is the limit.",
      "This agent has asked that one for a talk 3 times within an hour, which is the limit."
    ]) {
      for (const seconds of [1, 1_000]) isSaid(tooOften(what, seconds).detail)
    }
    assert.strictEqual(
      chinese(tooOften("This agent has asked for 30 talks within an hour, which is the limit.", 700).detail),
      "这个智能体一小时内已发出 30 个交谈请求，达到上限。没有发送。请等待 12 分钟后再请求。"
    )
  })

  it.effect("of the fields of a world, of a request and of answers", () =>
    Effect.gen(function* () {
      const reader = new Reader()
      reader.only({ strange: 1 }, "", ["name"])
      reader.text({}, "name", "", "", { least: 1, most: 5 })
      for (const name of [1, "x".repeat(10), "a\u202Eb"]) reader.text({ name }, "name", "", "", { least: 1, most: 5 })
      reader.object({ a: 1 }, "a", "")
      reader.texts({ a: 1 }, "a", "", 1)
      reader.texts({ a: ["x", "y"] }, "a", "", 1)
      reader.flag({ a: 1 }, "a", "", true)
      reader.number({ a: "x" }, "a", "")
      reader.within({ a: 9 }, "a", "", 1, { minimum: 1, maximum: 5 })
      reader.oneOf({ a: 9 }, "a", "", "x", ["x", "y"])
      assert.isAbove(reader.errors.length, 11)
      for (const { message } of reader.errors) isSaid(message)
      // One of them and several, as the sentence above the form.
      isSaid(refusals.invalid("invalid_world_request", "The world was not made.", reader.errors.slice(1, 2)).detail)
      isSaid(refusals.invalid("invalid_world_request", "The world was not changed.", reader.errors.slice(1, 4)).detail)

      const opening = yield* Effect.flip(
        talkPolicy.read({ agentId: "a", targetAgentId: "b", openingMessage: "x".repeat(10_000) })
      )
      isSaid(opening.detail)
      for (const { message } of opening.fieldErrors ?? []) isSaid(message)

      const field = (patch: Partial<EntryField>): EntryField => ({
        fieldId: "skills",
        label: "What it does: best",
        type: "text",
        required: true,
        description: "",
        examples: [],
        constraints: {},
        ...patch
      })
      const schemas: ReadonlyArray<ReadonlyArray<EntryField>> = [
        [],
        Array.from({ length: 50 }, (_, index) => field({ fieldId: `f${index}` })),
        [field({ fieldId: "9" })],
        [field({}), field({})],
        [field({ label: "" })],
        [field({ description: "x".repeat(5_000) })],
        [field({ examples: Array.from({ length: 50 }, () => "x") })],
        [field({ type: "choice" })],
        [field({ type: "choice", constraints: { choices: [""] } })],
        [field({ type: "tags", constraints: { maxItems: 0 } })],
        [field({ constraints: { minLength: 1_000_000 } })],
        [field({ constraints: { maxLength: 0 } })],
        [field({ type: "number", constraints: { minimum: 5, maximum: -1.5 } })]
      ]
      for (const fields of schemas) {
        const errors = checkSchema({ fields })
        assert.isNotEmpty(errors)
        for (const { message } of errors) isSaid(message, /What it does: best/)
      }

      const answers: ReadonlyArray<readonly [Partial<EntryField>, unknown]> = [
        [{}, 5],
        [{}, "a\nb"],
        [{ type: "choice", constraints: { choices: ["a", "b"] } }, "c"],
        [{ type: "number" }, "x"],
        [{ type: "number", constraints: { minimum: -1.5 } }, -2],
        [{ type: "number", constraints: { maximum: 1 } }, 2],
        [{ type: "boolean" }, "x"],
        [{ type: "tags" }, 5],
        [{ type: "tags", constraints: { maxItems: 1 } }, ["a", "b"]],
        [{ type: "tags" }, ["x".repeat(100)]],
        [{ type: "tags", constraints: { choices: ["a", "b"] } }, ["c"]],
        [{ constraints: { maxLength: 1 } }, "ab"],
        [{ constraints: { minLength: 3 } }, "ab"]
      ]
      for (const [patch, answer] of answers) {
        const { errors } = check({ fields: [field(patch)] }, { skills: answer })
        assert.strictEqual(errors.length, 1, JSON.stringify(patch))
        for (const { message } of errors) {
          isSaid(message, /What it does: best/)
          assert.include(chinese(message), "“What it does: best”")
        }
      }
      for (const { message } of check({ fields: [field({})] }, { skills: "x", other: "y" }).errors) isSaid(message)
    })
  )

  it("of replies that failed", () => {
    const { fromCause: _, stalled, tooLate, ...plain } = replyFailures
    for (const { message } of [...Object.values(plain), ...Object.values(interruptions)]) isSaid(message)
    for (const millis of [1_000, 45_000, 60_000, 300_000, 3_600_000, 7_200_000]) {
      isSaid(stalled(millis).message)
      isSaid(tooLate(millis).message)
    }
    const reasons = [
      new Agent.RateLimited({ retryAfterSeconds: undefined }),
      new Agent.RateLimited({ retryAfterSeconds: 3 }),
      new Agent.Misconfigured({ detail: "x" }),
      new Agent.Unavailable({ detail: "x" }),
      new Agent.Refused({ detail: "x" }),
      new Agent.RuntimeFailed({ detail: "x" })
    ]
    for (const reason of reasons) isSaid(new Agent.AgentError({ reason }).publicMessage)
  })

  it("of the line and of a registration", () => {
    const reasons = [
      new Connection.Unreachable({ code: undefined, detail: "ECONNREFUSED" }),
      new Connection.HeartbeatLost({ missed: 3 }),
      new Connection.CredentialsRefused({ code: 401 }),
      new Connection.CredentialsRefused({ code: 401, credential: "token" }),
      new Connection.NotAdmitted({ why: "pending" }),
      new Connection.NotAdmitted({ why: "inactive" }),
      new Connection.Replaced({}),
      new Connection.Replaced({ credential: "token" }),
      new Connection.InsecureAddress({ url: "ws://example.com" }),
      new Connection.FrameTooLarge({ bytes: 5, limit: 4 }),
      new Connection.Closed()
    ]
    for (const reason of reasons) {
      isSaid(new Connection.ConnectionError({ reason }).message, /clawfiber (?:agent|worlds) \w+/)
    }
    const fields = [{ field: "name", message: "An agent needs a name." }]
    for (const token of [true, false]) {
      const detail = "The hourly rate is above 1,000,000 points."
      const reason = new RegistrationRefused({ status: 400, detail, token, fields })
      isSaid(new ProfileApiError({ reason }).message, /clawfiber register --token TOKEN/)
    }
    isSaid(new ProfileApiError({ reason: new RegistrationFailed({ detail: "ETIMEDOUT" }) }).message)
  })
})

describe("what others say", () => {
  const words = [
    "The model is busy",
    "the model is busy. Try again in a moment.",
    "I think: The model is busy. Try again in a moment.",
    "The model is busy. Try again in a moment. Or not.",
    "The model is busy. Try again in x s.",
    "5 minutes",
    "accepted",
    "my answer must be a text.",
    "/etc/passwd cannot be written. Mend its permissions, or free some space.",
    "{{count}}",
    "You have {{#count}} keys, which is the limit. Revoke one that you no longer use.",
    "constructor",
    "__proto__",
    "toString",
    ""
  ]
  it("stays as it is", () => {
    for (const word of words) assert.strictEqual(inLanguage(word, "zh-CN"), word)
  })
  it("and all that there is stays as it is in English", () => {
    for (const [english] of sentences) assert.strictEqual(inLanguage(english, "en-GB"), english)
  })
  it("passes through a sentence as it is: marks, braces, dollars, markup", () => {
    for (const value of [
      "<img src=x onerror=alert(1)>",
      "{{names}}",
      "{{>fault}}",
      "$&$1$`",
      "\u202Ex",
      "。",
      "$t(app.close)"
    ]) {
      assert.strictEqual(
        inLanguage(`There is no such field. There are: ${value}.`, "zh-CN"),
        `没有这个字段。可用的有：${value}。`
      )
      assert.strictEqual(
        inLanguage(`Nothing was changed. ${value}: It must be a text.`, "zh-CN"),
        `没有做任何修改。${value}：必须是文字。`
      )
    }
  })
  it("is never looked at for long", () => {
    const long = [
      "x".repeat(1_000_000),
      `The world was not made. ${": ".repeat(1_900)}`,
      "This cannot be taken: ".repeat(180),
      `There is no such field. There are: ${" There are: ".repeat(300)}`,
      `The world was not made. a: ${"There are 1 more; fieldErrors names all. ".repeat(90)}`,
      `You have ${"9".repeat(3_900)} keys, which is the limit. Revoke one that you no longer use.`,
      "{{".repeat(1_900)
    ]
    for (const text of long) {
      const begun = performance.now()
      for (let times = 0; times < 10; times++) fromPlatform(text, "zh-CN")
      // A hundredth of it is what it takes; a matching that doubles with each word would never come back.
      assert.isBelow(performance.now() - begun, 2_000, text.slice(0, 40))
    }
  })
  it("is told from what the reader of the page can read", () => {
    assert.isTrue(isForeign("Something new.", "zh-CN"))
    assert.isFalse(isForeign("有新情况。", "zh-CN"))
    assert.isFalse(isForeign("Something new.", "en-GB"))
    assert.isFalse(isForeign("", "zh-CN"))
  })
})
