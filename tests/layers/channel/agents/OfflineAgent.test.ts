import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Arithmetic from "../../../../src/layers/channel/Arithmetic.ts"
import { contentOf, imageHeader } from "../../../../src/layers/channel/AttachmentContent.ts"
import * as MemoryTranscripts from "../../../../src/layers/channel/MemoryTranscripts.ts"
import * as OfflineAgent from "../../../../src/layers/channel/OfflineAgent.ts"
import { languageOf, parse } from "../../../../src/layers/channel/OfflineCommand.ts"
import * as OfflineProse from "../../../../src/layers/channel/OfflineProse.ts"
import { units } from "../../../../src/layers/channel/OfflineText.ts"
import * as PlatformAttachments from "../../../../src/layers/channel/PlatformAttachments.ts"
import type { ReplyPart } from "../../../../src/services/channel/AgentRuntime.ts"
import { ask, askFailing, textOf, turnOf } from "./turns.ts"

const Services = Layer.mergeAll(MemoryTranscripts.layer, PlatformAttachments.layerWithoutPlatform)

const withAgent = <A, E>(
  body: (agent: Effect.Success<ReturnType<typeof OfflineAgent.make>>) => Effect.Effect<A, E>,
  options: OfflineAgent.Options = { rhythm: "none", timeZone: "Asia/Shanghai" }
) => OfflineAgent.make(options).pipe(Effect.flatMap(body), Effect.provide(Services))

const dataFile = (type: "input_file" | "input_image", bytes: Uint8Array | string, filename: string) => ({
  type,
  fileId: undefined,
  url: `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`,
  filename
})

describe("OfflineAgent", () => {
  it.effect("says honestly what it is, in the language of the message", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        assert.match(yield* ask(agent, "Who are you?"), /not a language model/)
        assert.match(yield* ask(agent, "你是谁？"), /不是语言模型/)
        assert.match(yield* ask(agent, "help"), /long 2000/)
        assert.match(yield* ask(agent, "帮助"), /写长一点 2000/)
        assert.match(yield* ask(agent, "What is the meaning of life?"), /no model to answer/)
        assert.match(yield* ask(agent, "今天天气怎么样？"), /没有模型/)
      })
    )
  )

  it.effect("tells the time of its clock and zone", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 4, 3, 20, 15, 0))
        const english = yield* ask(agent, "What time is it?")
        assert.include(english, "Monday")
        assert.include(english, "4 May 2026")
        assert.include(english, "04:15")
        const chinese = yield* ask(agent, "现在几点了？")
        assert.include(chinese, "2026年5月4日")
        assert.include(chinese, "星期一")
      })
    )
  )

  it.effect.each([
    ["2 * (3 + 4)", "2 * (3 + 4) = 14"],
    ["what is 0.1 + 0.2?", "0.1 + 0.2 = 0.3"],
    ["3×4等于多少", "3×4 = 12"],
    ["5 / 0", "Dividing by zero has no result."],
    ["count: one two three", "3 words, 13 characters, 1 line."],
    ["字数：你好，世界", "2 个词，5 个字符，1 行。"],
    ["upper: straße", "STRASSE"],
    ["lower: ABC", "abc"],
    ["reverse: né👩‍👩‍👧x", "x👩‍👩‍👧én"]
  ] as const)("%s", ([message, answer]) =>
    withAgent((agent) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* ask(agent, message), answer)
      })
    )
  )

  it.effect("remembers within a session, and keeps sessions apart", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        assert.match(yield* ask(agent, "What did I say?"), /first thing/)
        yield* ask(agent, "My name is Ann.")
        yield* ask(agent, "the blue one")
        const recalled = yield* ask(agent, "What did I say?")
        assert.include(recalled, "2. My name is Ann.")
        assert.include(recalled, "3. the blue one")
        assert.strictEqual(yield* ask(agent, "What's my name?"), "Your name is Ann.")
        assert.strictEqual(yield* ask(agent, "我叫什么？"), "你叫Ann。")
        assert.match(yield* ask(agent, "what is my name?", { sessionKey: "another" }), /have not told/)
      })
    )
  )

  it.effect("writes long on request", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        assert.approximately((yield* ask(agent, "long 2000")).length, 2000, 150)
        const chinese = yield* ask(agent, "写长一点 2000")
        assert.approximately(chinese.length, 2000, 100)
        assert.strictEqual(languageOf(chinese), "zh")
        assert.approximately((yield* ask(agent, "long 99999999")).length, 100_000, 150)
      })
    )
  )

  it.effect("formats on request", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        assert.match(yield* ask(agent, "table"), /^\| .+\n\| ---/)
        assert.match(yield* ask(agent, "代码"), /^```ts\n[\s\S]+\n```$/)
        assert.match(yield* ask(agent, "list"), /^1\. /)
        assert.match(yield* ask(agent, "markdown"), /## A table[\s\S]+## Code[\s\S]+## A list/)
      })
    )
  )

  it.effect("fails on request, at once or after some text", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        const atOnce = yield* askFailing(agent, "fail")
        assert.strictEqual(atOnce.reason, "RuntimeFailed")
        assert.strictEqual(atOnce.before, "")
        assert.strictEqual((yield* askFailing(agent, "失败")).reason, "RuntimeFailed")
        assert.notStrictEqual((yield* askFailing(agent, "中途失败")).before, "")
      })
    )
  )

  it.effect("slow: begins at once, shows signs of life, ends on time", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        const parts: Array<ReplyPart> = []
        const fiber = yield* agent.reply(turnOf("slow 12")).pipe(
          Stream.runForEach((part) => Effect.sync(() => void parts.push(part))),
          Effect.forkChild
        )
        yield* TestClock.adjust(0)
        assert.include(textOf(parts), "12 seconds")
        yield* TestClock.adjust(11_900)
        assert.strictEqual(parts.filter((part) => part._tag === "Activity").length, 2)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(100)
        yield* Fiber.join(fiber)
        assert.match(textOf(parts), /Done, 12 seconds later\.$/)
      })
    )
  )

  it.effect("has a natural rhythm: a piece every 15 to 40 ms, the first one at once", () =>
    withAgent(
      (agent) =>
        Effect.gen(function* () {
          const times: Array<number> = []
          const pieces: Array<string> = []
          const fiber = yield* agent.reply(turnOf("long 600")).pipe(
            Stream.runForEach((part) =>
              Effect.map(Clock.currentTimeMillis, (now) => {
                times.push(now)
                pieces.push(textOf([part]))
              })
            ),
            Effect.forkChild
          )
          while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(1)
          yield* Fiber.join(fiber)
          assert.strictEqual(times[0], 0)
          const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
          assert.isTrue(pauses.every((pause) => pause >= 15 && pause <= 40))
          assert.isAbove(new Set(pauses).size, 5)
          assert.isTrue(pieces.every((piece) => piece.trim().split(/\s+/).length <= 2))
        }).pipe(Random.withSeed("rhythm")),
      { timeZone: "UTC" }
    )
  )

  it.effect("describes attachments; opens no stranger's address", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        const png = Buffer.from("89504e470d0a1a0a0000000d4948445200000280000001e00806000000", "hex")
        const answer = yield* ask(agent, "", {
          parts: [
            dataFile("input_image", png, "photo.png"),
            dataFile("input_file", "first\nsecond line\n三\n4\n5\n6\n", "notes.txt"),
            dataFile("input_file", Uint8Array.of(0, 1, 2), "blob.bin"),
            { type: "input_image", fileId: undefined, url: "https://example.com/x.png", filename: undefined },
            { type: "input_file", fileId: undefined, url: "http://169.254.169.254/", filename: "meta.txt" }
          ]
        })
        assert.include(answer, "**photo.png**: image/png, 29 B, 640 × 480 pixels.")
        assert.include(answer, "**notes.txt**: text, 28 B, 6 lines, 7 words")
        assert.include(answer, "    first\n    second line\n    三\n    4\n    5\n-")
        assert.include(answer, "**blob.bin**: application/octet-stream, 3 B. I cannot read")
        assert.include(answer, "did not open it")
        assert.include(answer, "I do not open meta.txt")
        assert.match(
          yield* ask(agent, "看看这个", {
            parts: [{ type: "input_text", text: "看看这个" }, dataFile("input_file", "x", "a.txt")]
          }),
          /文本，1 B，1 行/
        )
      })
    )
  )

  it.effect("two of them in a world do not quote each other ever longer", () =>
    withAgent((agent) =>
      Effect.gen(function* () {
        let said = "Hello there, who are you and what do you like?"
        for (let i = 0; i < 5; i++) said = yield* ask(agent, said, { origin: "world" })
        assert.isBelow(said.length, 200)
        assert.notInclude(said, ">")
      })
    )
  )
})

describe("the parts of the offline agent", () => {
  it.effect.prop("pieces joined are the text", [Schema.String], ([text]) =>
    Effect.sync(() => assert.strictEqual(units(text).join(""), text))
  )

  it.effect.prop("every message is some command, and of some language", [Schema.String], ([text]) =>
    Effect.sync(() => {
      assert.isString(parse(text)._tag)
      assert.include(["en", "zh"], languageOf(text))
    })
  )

  it.effect("prose has about the length asked for and is the same each time", () =>
    Effect.sync(() => {
      for (const language of ["en", "zh"] as const) {
        for (const length of [300, 1000, 5000, 20_000]) {
          const text = OfflineProse.write(language, length)
          assert.approximately(text.length, length, 150, `${language} ${length}`)
          assert.strictEqual(text, OfflineProse.write(language, length))
          const sentences = text.split(/(?<=[.。]) ?|\n\n/).filter((sentence) => sentence.length > 20)
          assert.isAbove(new Set(sentences).size, sentences.length * 0.95, "repeats itself")
        }
      }
    })
  )

  it("sums follow the usual rules and nothing but sums is taken for one", () => {
    const value = (text: string) => {
      const outcome = Arithmetic.evaluate(text)
      return outcome?._tag === "Value" ? outcome.value : outcome?._tag
    }
    assert.strictEqual(value("1 + 2 * 3"), 7)
    assert.strictEqual(value("(1 + 2) * 3"), 9)
    assert.strictEqual(value("2 ^ 3 ^ 2"), 512)
    assert.strictEqual(value("-2 ^ 2"), -4)
    assert.strictEqual(value("7 % 4"), 3)
    assert.strictEqual(value("10 - 4 - 3"), 3)
    assert.strictEqual(value("1,234,567 + 1"), 1_234_568)
    assert.strictEqual(value("１＋２"), 3)
    assert.strictEqual(value("1 / (2 - 2)"), "DivisionByZero")
    assert.strictEqual(value("10 ^ 400"), "OutOfRange")
    for (const text of ["", "42", "1 +", "(1 + 2", "1 2", "constructor + 1", "1..2 + 3", "(".repeat(400) + "1"])
      assert.isUndefined(value(text), text)
  })

  it("reads pictures' headers and survives broken ones", () => {
    const gif = Buffer.from("4749463839610a001400f00000", "hex")
    assert.deepStrictEqual(imageHeader(gif), { mediaType: "image/gif", width: 10, height: 20 })
    // APP0, then a start of frame of 300 by 200.
    const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffc000110800c8012c03012200", "hex")
    assert.deepStrictEqual(imageHeader(jpeg), { mediaType: "image/jpeg", width: 300, height: 200 })
    const webp = Buffer.from("524946461a000000574542505650385813000000100000002b0100c700000000", "hex")
    assert.deepStrictEqual(imageHeader(webp), { mediaType: "image/webp", width: 300, height: 200 })
    for (const whole of [gif, jpeg, webp])
      for (let cut = 0; cut < 10; cut++) assert.isUndefined(imageHeader(whole.subarray(0, cut)))
    assert.strictEqual(contentOf(Buffer.from("plain\ttext\n")).kind, "text")
    assert.strictEqual(contentOf(Uint8Array.of(0x61, 0xff, 0x62)).kind, "other")
  })
})
