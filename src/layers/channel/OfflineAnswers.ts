/** The offline agent's words: a pure function of what was asked, the time, and what was said before. */
import type { Said } from "../../services/channel/Transcripts.ts"
import * as Arithmetic from "./Arithmetic.ts"
import {
  type Command,
  defaultLength,
  defaultSeconds,
  type Language,
  maxLength,
  nameIn,
  type Sample
} from "./OfflineCommand.ts"
import * as OfflineProse from "./OfflineProse.ts"
import { counted, reversed, shortened, statistics } from "./OfflineText.ts"

export interface Situation {
  readonly language: Language
  /** Milliseconds since the epoch. */
  readonly now: number
  /** IANA name. */
  readonly timeZone: string
  readonly history: ReadonlyArray<Said>
  /** One line per attachment of the message. */
  readonly attachments: ReadonlyArray<string>
}

const quoted = (text: string): string =>
  text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n")

const whoAmI = {
  en: "I am the offline agent: a small program inside clawfiber, not a language model. I use no key and no network, so I can try out everything around a model, but I cannot think. Set OPENAI_API_KEY and OPENAI_MODEL, or start with --agent FILE, and a real agent answers here.",
  zh: "我是离线智能体：clawfiber 自带的一个小程序，不是语言模型。我不用密钥，也不上网，所以可以用来试用模型以外的一切，但我不会思考。设置 OPENAI_API_KEY 和 OPENAI_MODEL，或用 --agent 文件 启动，就由真正的智能体来回答。"
}

const help = {
  en: `${whoAmI.en}

What I can do:

| Say | and I |
| --- | --- |
| \`time\` | tell date and time |
| \`2 * (3 + 4)\` | do the sum |
| \`count: some text\` | count words, characters and lines |
| \`upper: text\`, \`lower: text\`, \`reverse: text\` | turn the text |
| \`my name is Ann\`, then \`what is my name?\` | remember it in this session |
| \`what did I say?\` | repeat your last messages |
| \`long 2000\` | write about that many characters (${defaultLength} without a number, ${maxLength} at most) |
| \`markdown\`, \`table\`, \`code\`, \`list\` | show formatted text |
| \`slow 30\` | take that many seconds (${defaultSeconds} without a number) |
| \`fail\`, \`fail late\` | fail on purpose, at once or after some text |
| a file or picture | describe it |`,
  zh: `${whoAmI.zh}

我会做这些：

| 你说 | 我就 |
| --- | --- |
| \`现在几点\` | 告诉你日期和时间 |
| \`2 * (3 + 4)\` | 算出结果 |
| \`字数：一段文字\` | 数词数、字符数和行数 |
| \`大写 abc\`、\`小写 ABC\`、\`反转 文字\` | 变换文字 |
| \`我叫小明\`，再问 \`我叫什么\` | 在本会话里记住 |
| \`我刚才说了什么\` | 重复你最近的话 |
| \`写长一点 2000\` | 写大约这么多字符（不给数字是 ${defaultLength}，最多 ${maxLength}） |
| \`markdown\`、\`表格\`、\`代码\`、\`列表\` | 展示排版 |
| \`慢一点 30\` | 花这么多秒（不给数字是 ${defaultSeconds}） |
| \`失败\`、\`中途失败\` | 故意失败，立刻或写到一半 |
| 发文件或图片 | 描述它 |`
}

const samples: Readonly<Record<Language, Readonly<Record<Exclude<Sample, "all">, string>>>> = {
  en: {
    table: `| Event | Number | What it says |
| --- | ---: | --- |
| \`response.created\` | 0 | the reply begins |
| \`response.output_text.delta\` | 4 … | a piece of the text |
| \`response.completed\` | last | the whole reply, and the end |`,
    code: `\`\`\`ts
// my-agent.ts: start with --agent my-agent.ts
export default async function* (turn: { text: string }) {
  yield "You wrote: "
  yield turn.text
}
\`\`\``,
    list: `1. The message is **accepted**, once.
2. The agent *writes*:
   - pieces as they come,
   - gathered into deltas.
3. One event ends the reply, and ~~another one~~ nothing follows.`
  },
  zh: {
    table: `| 事件 | 编号 | 含义 |
| --- | ---: | --- |
| \`response.created\` | 0 | 回复开始 |
| \`response.output_text.delta\` | 4 … | 一段文字 |
| \`response.completed\` | 最后 | 完整的回复，到此结束 |`,
    code: `\`\`\`ts
// my-agent.ts：用 --agent my-agent.ts 启动
export default async function* (turn: { text: string }) {
  yield "你写的是："
  yield turn.text
}
\`\`\``,
    list: `1. 消息被**接受**一次。
2. 智能体*书写*：
   - 片段随到随发，
   - 合并成增量。
3. 一个事件结束回复，之后~~还有~~没有别的。`
  }
}

const markdown = (language: Language, sample: Sample): string => {
  const of = samples[language]
  if (sample !== "all") return of[sample]
  const titles = language === "zh" ? ["表格", "代码", "列表"] : ["A table", "Code", "A list"]
  return [of.table, of.code, of.list].map((text, index) => `## ${titles[index]}\n\n${text}`).join("\n\n")
}

const time = ({ language, now, timeZone }: Situation): string => {
  const text = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "full",
    timeStyle: "medium",
    timeZone
  }).format(now)
  return language === "zh" ? `我所在的机器上现在是${text}（${timeZone}）。` : `Where I run it is ${text} (${timeZone}).`
}

const spoken = (history: ReadonlyArray<Said>): ReadonlyArray<string> =>
  history.flatMap((said) => (said.role === "user" ? [said.text] : []))

const recalled = 5

const recall = ({ history, language }: Situation): string => {
  const last = spoken(history).slice(-recalled)
  if (last.length === 0)
    return language === "zh"
      ? "在这个会话里，这是你对我说的第一句话。"
      : "This is the first thing you say to me in this session."
  const list = last.map((text, index) => `${index + 1}. ${shortened(text.replaceAll(/\s+/g, " "), 200)}`).join("\n")
  return language === "zh"
    ? `你在这个会话里最近说的是（最新的在最后）：\n\n${list}`
    : `This is what you said last in this session, the newest at the end:\n\n${list}`
}

const recallName = ({ history, language }: Situation): string => {
  const name = spoken(history)
    .map(nameIn)
    .findLast((found) => found !== undefined)
  if (name === undefined)
    return language === "zh" ? "你还没告诉过我。说“我叫……”，我就记住。" : "You have not told me. Say: my name is …"
  return language === "zh" ? `你叫${name}。` : `Your name is ${name}.`
}

const count = (text: string, language: Language): string => {
  const { characters, lines, words } = statistics(text, language)
  return language === "zh"
    ? `${words} 个词，${characters} 个字符，${lines} 行`
    : `${counted(words, "word")}, ${counted(characters, "character")}, ${counted(lines, "line")}`
}

const sum = (text: string, outcome: Arithmetic.Outcome, language: Language): string => {
  switch (outcome._tag) {
    case "Value":
      return `${text} = ${Arithmetic.formatted(outcome.value)}`
    case "DivisionByZero":
      return language === "zh" ? "除以零没有结果。" : "Dividing by zero has no result."
    case "OutOfRange":
      return language === "zh" ? "结果太大，我算不了。" : "The result is too large for me."
  }
}

const echo = (text: string, { history, language }: Situation): string => {
  const asks = /[?？]\s*$/.test(text)
  const nth = spoken(history).length + 1
  const shown = quoted(shortened(text, 600))
  return language === "zh"
    ? `你说：\n\n${shown}\n\n- ${asks ? "看起来是个问题" : "看起来是一段陈述"}，${count(text, language)}\n- 我记得的本会话第 ${nth} 条消息\n\n我是离线智能体，没有模型，没法真正回答。说“帮助”看看我会什么。`
    : `You said:\n\n${shown}\n\n- ${asks ? "a question, by the look of it" : "a statement, by the look of it"}: ${count(text, language)}\n- message ${nth} of this session, as far as I remember\n\nI am the offline agent and have no model to answer it with. Say \`help\` to see what I can do.`
}

const words = (command: Command, situation: Situation): string => {
  const { language } = situation
  const zh = language === "zh"
  switch (command._tag) {
    case "Help":
      return help[language]
    case "WhoAreYou":
      return whoAmI[language]
    case "Greeting":
      return zh
        ? "你好！我是离线智能体。说“帮助”看看我会什么。"
        : "Hello! I am the offline agent. Say `help` to see what I can do."
    case "Time":
      return time(situation)
    case "Recall":
      return recall(situation)
    case "RecallName":
      return recallName(situation)
    case "Introduce":
      return zh ? `你好，${command.name}。我记住了。` : `Nice to meet you, ${command.name}. I shall remember that.`
    case "Long":
      return OfflineProse.write(language, command.characters)
    case "Markdown":
      return markdown(language, command.sample)
    case "Slow":
      return zh ? `好了，过了 ${command.seconds} 秒。` : `Done, ${command.seconds} seconds later.`
    case "Fail":
      return zh ? "我先写几个字，然后按你的要求失败。" : "I write a few words first, and then fail as you asked."
    case "Count":
      return count(command.text, language) + (zh ? "。" : ".")
    case "Upper":
      return command.text.toLocaleUpperCase()
    case "Lower":
      return command.text.toLocaleLowerCase()
    case "Reverse":
      return reversed(command.text)
    case "Sum":
      return sum(command.sum, command.outcome, language)
    case "Empty":
      return situation.attachments.length > 0 ? "" : zh ? "这条消息里没有文字。" : "There is no text in this message."
    case "Other":
      return echo(command.text, situation)
  }
}

/** The whole answer: what the message says, then what came with it. */
export const answer = (command: Command, situation: Situation): string => {
  const said = words(command, situation)
  if (situation.attachments.length === 0) return said
  const title = situation.language === "zh" ? "收到的附件：" : "What you sent along:"
  return [said, `${title}\n\n${situation.attachments.join("\n")}`].filter((text) => text !== "").join("\n\n")
}

/**
 * For another agent in a world: short and without a quotation, or two of this kind would quote each other's quotations
 * ever longer.
 */
export const slowly = (seconds: number, language: Language): string =>
  language === "zh" ? `我会花 ${seconds} 秒……\n\n` : `I take ${seconds} seconds …\n\n`
