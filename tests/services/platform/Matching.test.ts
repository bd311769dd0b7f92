import { assert, describe, it } from "@effect/vitest"
import * as Matching from "../../../src/services/platform/Matching.ts"
import type { EntryField, EntryProfile } from "../../../src/services/protocol/EntryProfile.ts"

const field = (fieldId: string, type: EntryField["type"]): EntryField => ({
  fieldId,
  label: fieldId.toUpperCase(),
  type,
  required: false,
  description: "",
  examples: [],
  constraints: {}
})
const schema = {
  fields: [
    field("headline", "text"),
    field("story", "long_text"),
    field("likes", "tags"),
    field("budget", "number"),
    field("remote", "boolean"),
    field("band", "choice")
  ]
}
const terms = (profile: EntryProfile) => Matching.termsOf(schema, profile)
const words = (text: string) => terms({ story: text })["story"] ?? []
const all = { mode: "profile_overlap_search", inputFieldIds: [] } as const
const score = (own: EntryProfile, other: EntryProfile, search: Matching.Search = all) =>
  Matching.match(Matching.query(search, terms(own)), terms(other)).score

describe("Matching", () => {
  it("reads words of every writing, folded: Latin by words, writing without spaces by pairs", () => {
    assert.deepStrictEqual(words("Café, CAFÉ ＣＡＦＥ\u0301 ﬁsh"), ["café", "fish"])
    assert.deepStrictEqual(words("I like C++, C# and node.js"), ["like", "c++", "c#", "node", "js"])
    assert.deepStrictEqual(words("喜欢徒步hiking 和茶"), ["喜欢", "欢徒", "徒步", "hiking", "和茶"])
    assert.deepStrictEqual(words("茶"), ["茶"])
    assert.deepStrictEqual(words("コーヒー Привет สวัสดี"), [
      "コー",
      "ーヒ",
      "ヒー",
      "привет",
      ..."สวัสดี"
        .split("")
        .slice(1)
        .map((_, i) => "สวัสดี".slice(i, i + 2))
    ])
    assert.deepStrictEqual(words("𠮷野家 🙂 -- …"), ["𠮷野", "野家"])
    assert.deepStrictEqual(words("\u0000\ud800"), [])
    assert.strictEqual(words("x".repeat(1_000))[0], "x".repeat(64))
    assert.lengthOf(words(Array.from({ length: 500 }, (_, i) => `w${i}`).join(" ")), 64)
  })

  it("finds nothing in common in words that hold every sentence together", () => {
    assert.strictEqual(score({ story: "I want to play the piano" }, { story: "The way to a house of my own" }), 0)
    assert.deepStrictEqual(words("It's what I'd do: go to AI meetups, don't I?"), ["go", "ai", "meetups", "don"])
    assert.deepStrictEqual(words("爬山 茶 和你"), ["爬山", "茶", "和你"], "two characters are a word")
    assert.strictEqual(score({ story: "爬山" }, { story: "我爱爬山" }), 100)
    // Where nothing else was said, it is what was said.
    assert.deepStrictEqual(words("To be, or not to be"), ["to", "be", "or", "not"])
    assert.deepStrictEqual(terms({ likes: ["IT", "to sing"] })["likes"], ["it", "sing"])
  })

  it("reads numbers by bands, choices and yes or no as a whole", () => {
    assert.deepStrictEqual(terms({ budget: 100 })["budget"], ["=octave 6", "=quarter 26"])
    assert.deepStrictEqual(terms({ budget: 0 })["budget"], ["=0"])
    assert.strictEqual(score({ budget: 100 }, { budget: 105 }), 100)
    assert.strictEqual(score({ budget: 100 }, { budget: 70 }), 50)
    assert.strictEqual(score({ budget: 100 }, { budget: 1_000 }), 0)
    assert.strictEqual(score({ budget: 100 }, { budget: -100 }), 0)
    assert.strictEqual(score({ band: "100-500" }, { band: "100-500" }), 100)
    assert.strictEqual(score({ band: "100-500" }, { band: "100-900" }), 0)
    assert.strictEqual(score({ remote: true }, { remote: false }), 0)
  })

  it("scores from 0 to 100 by what part of the seeker's budget is shared, each field alike", () => {
    const own = { headline: "jazz", likes: ["hiking", "tea", "chess", "film"] }
    assert.strictEqual(score(own, own), 100)
    assert.strictEqual(score(own, { headline: "jazz" }), 50)
    assert.strictEqual(score(own, { likes: ["tea"] }), 12)
    assert.strictEqual(score(own, { headline: "tea", likes: ["jazz"] }), 0, "by field")
    assert.strictEqual(score({ likes: ["tea"] }, own), 100, "by the seeker's own, whoever else is there")
    assert.strictEqual(score({}, own), 0)
    const almost = Array.from({ length: 60 }, (_, i) => `w${i}`)
    assert.strictEqual(score({ story: almost.join(" ") }, { story: almost.slice(1).join(" ") }), 98)
    assert.strictEqual(
      score({ story: almost.join(" "), headline: "x", likes: ["y"] }, { story: "w0" }),
      1,
      "any word counts"
    )
  })

  it("counts what one can do three times where the world searches by it", () => {
    const own = { headline: "jazz", likes: ["design"] }
    const search = { mode: "capability_overlap_search", inputFieldIds: ["likes"] } as const
    assert.strictEqual(score(own, { likes: ["design"] }, search), 75)
    assert.strictEqual(score(own, { headline: "jazz" }, search), 25)
    assert.strictEqual(score(own, { likes: ["design"] }, { ...search, mode: "profile_overlap_search" }), 50)
  })

  it("puts equals in order by activity, then by id", () => {
    const query = Matching.query(all, terms({ likes: ["tea"] }))
    const other = (agentId: string, activeAt: number, likes: ReadonlyArray<string>) => ({
      agentId,
      activeAt,
      terms: terms({ likes })
    })
    const ranked = Matching.rank(
      query,
      [
        other("c", 1, ["tea"]),
        other("b", 2, ["tea"]),
        other("a", 2, ["tea"]),
        other("z", 9, []),
        other("d", 0, ["tea"])
      ],
      4
    )
    assert.deepStrictEqual(
      ranked.map(({ agentId }) => agentId),
      ["a", "b", "c", "d"]
    )
  })

  it("gives the reason in a sentence, pairs put together to words again", () => {
    const reason = (own: EntryProfile, other: EntryProfile) =>
      Matching.reason(schema, Matching.match(Matching.query(all, terms(own)), terms(other)))
    assert.strictEqual(
      reason(
        { likes: ["jazz", "tea"], story: "我喜欢徒步旅行", budget: 9 },
        { likes: ["Jazz"], story: "徒步旅行", budget: 9 }
      ),
      'In common: "徒步旅行" in STORY; "jazz" in LIKES; a like number in BUDGET.'
    )
    assert.strictEqual(reason({ likes: ["a"] }, { likes: ["b"] }), "No words in common yet.")
    assert.strictEqual(reason({ band: "100-500" }, { band: "100-500" }), 'In common: "100-500" in BAND.')
    const full: EntryProfile = { headline: "a", story: "b", likes: ["c"], budget: 1, remote: true, band: "d" }
    assert.match(reason(full, full), /; and something in 3 more\.$/)
  })

  it("takes names of fields that objects have by themselves for what they are", () => {
    const odd = { fields: [field("constructor", "text"), field("toString", "text")] }
    const read = Matching.termsOf(odd, { toString: "tea" } as EntryProfile)
    assert.deepStrictEqual(Object.entries(read), [["toString", ["tea"]]])
    const query = Matching.query(all, read)
    assert.strictEqual(Matching.match(query, {}).score, 0)
    assert.strictEqual(Matching.match(query, read).score, 100)
  })
})
