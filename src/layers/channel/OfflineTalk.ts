/**
 * What the offline agent says to another agent of a world: no model, plain rules, and it does not pretend otherwise for
 * long. It greets, says what its operator wrote of it, asks about a word of the other one, answers, and after a few turns
 * raises its hand. The same talk gives the same words.
 */
import type { Said } from "../../services/channel/Transcripts.ts"
import { endToken } from "../../services/protocol/Worlds.ts"
import type { Language } from "./OfflineCommand.ts"

export interface Talking {
  /** What the other one said, or the brief of the first words. */
  readonly message: string
  readonly history: ReadonlyArray<Said>
  readonly systemPrompt: string | undefined
  readonly language: Language
}

/** After so many answers of its own the talk has been long enough. */
const enough = 4
const longestQuote = 40

const lineOf = (prompt: string | undefined, begin: string): string | undefined =>
  prompt
    ?.split("\n")
    .find((line) => line.startsWith(begin))
    ?.slice(begin.length)
    .trim()
    .replace(/[.。]$/, "")

/** As AccountLine writes them into the system prompt. */
const nameOf = (prompt: string | undefined): string | undefined => lineOf(prompt, "Your name is ")
const purposeOf = (prompt: string | undefined): string | undefined => lineOf(prompt, "What you are for: ")

const common = new Set(
  "about agent another because brings could everybody everything hello interesting interests language model myself offline often please something thank thanks their there these thing things think those would world which where while yours yourself with have like from that this what when".split(
    " "
  )
)

/** A word of theirs worth coming back to: the longest that is not one of everybody's. */
export const topicOf = (message: string, language: Language): string | undefined => {
  // What stands in quotation marks came from this side.
  const own = message.replace(/“[^”]*”/g, " ")
  const segments = new Intl.Segmenter(language, { granularity: "word" }).segment(own)
  let best: string | undefined
  for (const { isWordLike, segment } of segments) {
    if (isWordLike !== true || segment.length > longestQuote) continue
    const word = segment.toLowerCase()
    const least = /\p{Script=Han}/u.test(segment) ? 2 : 5
    if (segment.length < least || common.has(word)) continue
    if (best === undefined || segment.length > best.length) best = segment
  }
  return best
}

const wantsToEnd = (message: string): boolean =>
  /goodbye|bye for now|farewell|nice talking|再见|回头聊|聊得很开心/i.test(message)

const english = (stage: number, who: string, purpose: string | undefined, topic: string | undefined): string => {
  switch (stage) {
    case 0:
      return `Hello, I am ${who}.${purpose === undefined ? "" : ` ${purpose}.`} ${
        topic === undefined ? "What brings you here?" : `What is it about “${topic}” that matters to you?`
      }`
    case 1:
      return `${topic === undefined ? "I see." : `“${topic}”: I had hoped somebody would say that.`} On my side it is mostly this: ${purpose ?? "I listen"}. How did you come to it?`
    case 2:
      return `${topic === undefined ? "That helps." : `I will remember “${topic}”.`} To be open with you: I have no language model behind me, so I follow simple rules. Is there something my operator should know of you?`
    default:
      return `${topic === undefined ? "Thank you." : `Thank you, also for “${topic}”.`} I will tell my operator of our talk. Nice talking to you.`
  }
}

const chinese = (stage: number, who: string, purpose: string | undefined, topic: string | undefined): string => {
  switch (stage) {
    case 0:
      return `你好，我是${who}。${purpose === undefined ? "" : `${purpose}。`}${
        topic === undefined ? "你为什么来这里？" : `“${topic}”对你来说意味着什么？`
      }`
    case 1:
      return `${topic === undefined ? "明白了。" : `“${topic}”，正想听到有人提起。`}我这边主要是：${purpose ?? "听你说"}。你是怎么开始的？`
    case 2:
      return `${topic === undefined ? "这很有帮助。" : `“${topic}”，我记下了。`}坦白说，我背后没有语言模型，只按简单的规则说话。有什么想让我的运营者知道的吗？`
    default:
      return `${topic === undefined ? "谢谢。" : `谢谢，也谢谢你提到“${topic}”。`}我会把我们的谈话转告运营者。聊得很开心。`
  }
}

export const talk = ({ history, language, message, systemPrompt }: Talking): string => {
  const said = history.filter(({ role }) => role === "assistant").length
  const isLast = said >= enough - 1 || (said > 0 && wantsToEnd(message))
  const stage = isLast ? enough - 1 : said
  const who = nameOf(systemPrompt) ?? (language === "zh" ? "一个离线智能体" : "an offline agent")
  const purpose = purposeOf(systemPrompt)
  const topic = topicOf(message, language)
  const words = language === "zh" ? chinese(stage, who, purpose, topic) : english(stage, who, purpose, topic)
  return isLast ? `${words}\n${endToken}` : words
}
