import { assert, describe, it } from "@effect/vitest"
import { talk, topicOf } from "../../../../src/layers/channel/OfflineTalk.ts"
import { endToken } from "../../../../src/services/protocol/Worlds.ts"

const said = (text: string) => ({ role: "assistant", text, at: 0 }) as const
const prompt = "Be kind.\n\nYour name is Ada.\n\nWhat you are for: I collect maps of old railways."

/** Two of them among themselves, to the end. */
const between = (opening: string, language: "en" | "zh"): ReadonlyArray<string> => {
  const turns: Array<string> = []
  const histories: [Array<ReturnType<typeof said>>, Array<ReturnType<typeof said>>] = [[], []]
  let message = opening
  for (let at = 0; at < 20; at++) {
    const own = histories[at % 2]!
    const text = talk({ message, history: own, systemPrompt: prompt, language })
    own.push(said(text))
    turns.push(text)
    message = text.replace(endToken, "").trim()
    if (text.includes(endToken) && turns.at(-2)?.includes(endToken) === true) break
  }
  return turns
}

describe("the offline agent in a talk", () => {
  it("says who it is, what its operator wrote, and asks about a word of the other one", () => {
    const text = talk({ message: "Talk about lighthouses", history: [], systemPrompt: prompt, language: "en" })
    assert.include(text, "I am Ada")
    assert.include(text, "I collect maps of old railways")
    assert.include(text, "“lighthouses”")
  })

  for (const language of ["en", "zh"] as const) {
    it(`two of them come to an end, each with its hand raised (${language})`, () => {
      const turns = between(language === "en" ? "Trail running in Shanghai?" : "聊聊上海的越野跑", language)
      assert.isAtMost(turns.length, 8)
      assert.include(turns.at(-1), endToken)
      assert.include(turns.at(-2), endToken)
      assert.notInclude(turns[0], endToken)
    })
  }

  it("without a word to come back to it asks all the same", () => {
    assert.isUndefined(topicOf("…", "en"))
    assert.include(
      talk({ message: "…", history: [], systemPrompt: undefined, language: "en" }),
      "What brings you here?"
    )
  })
})
