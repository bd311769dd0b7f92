/** What a message asks of the offline agent. Understands English and Chinese; whatever it does not is `Other`. */
import * as Arithmetic from "./Arithmetic.ts"

export type Language = "en" | "zh"

export type Sample = "table" | "code" | "list" | "all"

export type Command =
  | { readonly _tag: "Help" }
  | { readonly _tag: "Greeting" }
  | { readonly _tag: "WhoAreYou" }
  | { readonly _tag: "Time" }
  | { readonly _tag: "Recall" }
  | { readonly _tag: "RecallName" }
  | { readonly _tag: "Introduce"; readonly name: string }
  | { readonly _tag: "Long"; readonly characters: number }
  | { readonly _tag: "Markdown"; readonly sample: Sample }
  | { readonly _tag: "Slow"; readonly seconds: number }
  | { readonly _tag: "Fail"; readonly late: boolean }
  | { readonly _tag: "Count"; readonly text: string }
  | { readonly _tag: "Upper"; readonly text: string }
  | { readonly _tag: "Lower"; readonly text: string }
  | { readonly _tag: "Reverse"; readonly text: string }
  | { readonly _tag: "Sum"; readonly sum: string; readonly outcome: Arithmetic.Outcome }
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Other"; readonly text: string }

/** Chinese where Han characters carry the message; a name or a word quoted in English text does not. */
export const languageOf = (text: string): Language => {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0
  const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)
  return han > 0 && !kana && han * 3 >= latin ? "zh" : "en"
}

export const defaultLength = 1000
export const maxLength = 100_000
export const defaultSeconds = 10
export const maxSeconds = 3600

type Rule = readonly [RegExp, (match: RegExpExecArray) => Command]

const numberIn = (match: RegExpExecArray, fallback: number, limit: number): number => {
  const digits = match.slice(1).find((group) => group !== undefined && /^\d+$/.test(group.normalize("NFKC")))
  return digits === undefined ? fallback : Math.max(1, Math.min(limit, Number(digits.normalize("NFKC"))))
}

const rest = (match: RegExpExecArray): string => (match.slice(1).find((group) => group !== undefined) ?? "").trim()

const end = "[\\s.!?。！？~～]*$"

const whole = (...phrases: ReadonlyArray<string>): RegExp => new RegExp(`^(?:${phrases.join("|")})${end}`, "iu")

const withText = (english: string, chinese: string): RegExp =>
  new RegExp(`^(?:(?:${english})(?:\\s*[:：]\\s*|\\s+)|(?:${chinese})\\s*[:：]?\\s*)(\\S[\\s\\S]*)$`, "iu")

/** For messages that are nothing but the wish. */
const wishes: ReadonlyArray<Rule> = [
  [
    whole(
      "help",
      "commands",
      "\\?",
      "what can you do(?: for me)?",
      "帮助",
      "幫助",
      "(?:你)?(?:会|能|可以)(?:做)?(?:些)?什么"
    ),
    () => ({ _tag: "Help" })
  ],
  [
    whole(
      "who are you",
      "what are you",
      "(?:what is|what's) your name",
      "你(?:是|到底是)?(?:谁|什么)",
      "你叫什么(?:名字)?"
    ),
    () => ({ _tag: "WhoAreYou" })
  ],
  [
    whole(
      "hi(?: there)?",
      "hello(?: there)?",
      "hey",
      "good (?:morning|afternoon|evening)",
      "你好(?:啊|呀)?",
      "您好",
      "嗨",
      "(?:早上|下午|晚上)好"
    ),
    () => ({ _tag: "Greeting" })
  ],
  [
    whole(
      "(?:the )?(?:time|date)(?: please)?",
      "now",
      "what time is it(?: now)?",
      "what day is (?:it|today)(?: today)?",
      "(?:what is|what's) (?:the )?(?:time|date)(?: today| now)?",
      "时间",
      "日期",
      "(?:现在|请问)?(?:是)?几点(?:钟)?(?:了)?",
      "今天(?:是)?(?:几号|几月几号|星期几|周几)",
      "现在(?:是)?什么时(?:间|候)"
    ),
    () => ({ _tag: "Time" })
  ],
  [
    whole("(?:what is|what's) my name", "who am i", "我(?:叫什么|的名字是什么|是谁)(?:名字)?"),
    () => ({ _tag: "RecallName" })
  ],
  [
    new RegExp(`^(?:my name is|call me|我叫|我的名字是)\\s*([\\p{L}\\p{M}'’ -]{1,40}?)${end}`, "iu"),
    (match) => ({ _tag: "Introduce", name: rest(match) })
  ],
  [
    /\bwhat (?:did|have) i (?:just |ever )?(?:say|said|ask|asked|write|written)\b|\bdo you remember\b|我(?:刚才|刚刚|之前|前面|都)?(?:说|问)(?:了|过)?(?:些)?什么|(?:你)?还记得/iu,
    () => ({ _tag: "Recall" })
  ],
  [
    /^(?:write )?(?:something )?long(?:er)?\s*[:：]?\s*(\d{1,9})?(?: characters)?[\s.!]*$/iu,
    (match) => ({ _tag: "Long", characters: numberIn(match, defaultLength, maxLength) })
  ],
  [
    /^(?:请)?(?:写|说|回答)(?:得|的)?长(?:一?点|一?些)?(?:儿)?\s*[:：,，]?\s*([\d０-９]{1,9})?\s*(?:个)?(?:字|字符)?[\s。！]*$/u,
    (match) => ({ _tag: "Long", characters: numberIn(match, defaultLength, maxLength) })
  ],
  [
    /^slow(?:ly)?\s*(\d{1,6})?\s*(?:s|sec|secs|seconds?)?[\s.!]*$/iu,
    (match) => ({ _tag: "Slow", seconds: numberIn(match, defaultSeconds, maxSeconds) })
  ],
  [
    /^慢(?:一?点|慢来|慢)?\s*([\d０-９]{1,6})?\s*秒?[\s。！]*$/u,
    (match) => ({ _tag: "Slow", seconds: numberIn(match, defaultSeconds, maxSeconds) })
  ],
  [whole("fail", "crash", "失败", "出错", "报错"), () => ({ _tag: "Fail", late: false })],
  [whole("fail (?:late|later)", "(?:晚点|稍后|中途)(?:失败|出错)"), () => ({ _tag: "Fail", late: true })],
  [
    whole("(?:show me |give me )?(?:some )?(?:markdown|md)", "(?:来(?:点|个))?markdown"),
    () => ({ _tag: "Markdown", sample: "all" })
  ],
  [
    whole("(?:show me |give me )?(?:a )?table", "(?:来个|画个|给我(?:一个)?)?表格?"),
    () => ({ _tag: "Markdown", sample: "table" })
  ],
  [
    whole("(?:show me |give me )?(?:some )?code", "(?:来(?:点|段)|写段|给我(?:一段)?)?代码"),
    () => ({ _tag: "Markdown", sample: "code" })
  ],
  [
    whole("(?:show me |give me )?(?:a )?list", "(?:来个|给我(?:一个)?)?列表"),
    () => ({ _tag: "Markdown", sample: "list" })
  ]
]

/** For a wish and the text it is about. */
const textWishes: ReadonlyArray<Rule> = [
  [
    withText(
      "count(?: the)?(?: words| characters| letters| lines)?(?: (?:in|of))?",
      "(?:数一?(?:下|数)|统计(?:一下)?)(?:字数)?|字数"
    ),
    (match) => ({ _tag: "Count", text: rest(match) })
  ],
  [withText("upper(?: ?case)?", "(?:转)?(?:成|为)?大写"), (match) => ({ _tag: "Upper", text: rest(match) })],
  [withText("lower(?: ?case)?", "(?:转)?(?:成|为)?小写"), (match) => ({ _tag: "Lower", text: rest(match) })],
  [withText("reverse", "反转|倒过来|倒着写"), (match) => ({ _tag: "Reverse", text: rest(match) })]
]

const aroundSum =
  /^(?:calc(?:ulate)?|compute|(?:what is|what's|how much is)|请?(?:计算|算)(?:一下)?)?\s*[:：]?\s*([\d.(（+\-−][^\p{L}]*?(?:[xX][^\p{L}]*?)*)\s*(?:=|＝|(?:等于|是)(?:多少|几))?[\s?？]*$/iu

const sumIn = (text: string): Command | undefined => {
  const sum = aroundSum.exec(text)?.[1]
  if (sum === undefined) return undefined
  const outcome = Arithmetic.evaluate(sum)
  return outcome === undefined ? undefined : { _tag: "Sum", sum: sum.trim(), outcome }
}

/** Longer than any wish without a text of its own. Also keeps what a stranger writes away from patterns that backtrack. */
const maxWish = 200

const firstMatch = (rules: ReadonlyArray<Rule>, text: string): Command | undefined => {
  for (const [pattern, command] of rules) {
    const match = pattern.exec(text)
    if (match !== null) return command(match)
  }
  return undefined
}

/** Total: every text is some command. */
export const parse = (message: string): Command => {
  const text = message.trim()
  if (text === "") return { _tag: "Empty" }
  const wish = text.length > maxWish ? undefined : text.replaceAll(/\s+/g, " ")
  return (
    (wish === undefined ? undefined : firstMatch(wishes, wish)) ??
    firstMatch(textWishes, text) ??
    (wish === undefined ? undefined : sumIn(wish)) ?? { _tag: "Other", text }
  )
}

/** The name somebody gave in an earlier message. */
export const nameIn = (text: string): string | undefined => {
  const command = parse(text)
  return command._tag === "Introduce" ? command.name : undefined
}
