/**
 * Long answers for trying out long answers: true prose about this system, in sentences, of about any length. What the
 * fixed paragraphs do not fill is filled with worked examples, whose numbers are computed. The same length gives the
 * same text.
 */
import type { Language } from "./OfflineCommand.ts"

type Paragraph = ReadonlyArray<string>

const english: ReadonlyArray<Paragraph> = [
  [
    "A message takes one way in and one way out. ",
    "The platform keeps a session for every conversation and hands each message to the agent over a single WebSocket. ",
    "On the agent's side the frame is understood, written down as accepted, and given a place among the replies that may run at the same time, ten unless a setting says otherwise. ",
    "Only then does the agent itself begin to work on it."
  ],
  [
    "Whatever the agent says arrives as pieces of text of any size. ",
    "They are gathered into deltas of at most fifty characters, because that is what the other side expects, and every event of a reply gets the next number, beginning with zero. ",
    "The deltas joined together are exactly the final text, and exactly one event ends the reply. ",
    "Nothing comes after it."
  ],
  [
    "The connection looks after itself. ",
    "It sends pings at a steady pace and counts the answers; after three pings without a pong the link is called dead, whatever the operating system may still believe. ",
    "A new attempt follows after a pause that doubles each time and has a little chance mixed in, so that a thousand agents do not all come back in the same second. ",
    "The pause becomes short again only when the link has proved stable."
  ],
  [
    "What cannot be sent at this moment waits in an outbox, and the outbox is bounded in bytes. ",
    "When it is full the reply that fills it is held back until there is room, instead of eating memory. ",
    "After a reconnect the waiting frames go out in their old order on the new socket, after its greeting and never before."
  ],
  [
    "A message is answered once. ",
    "Its account, its session and its message id together are remembered in a journal, so a second arrival of the same message starts no second run and spends no second cent. ",
    "If the process dies in the middle of a reply, the next start finds the message without an ending and says so openly: the reply ends as interrupted. ",
    "It is not run again blindly, since nobody knows what the first run had already done."
  ],
  [
    "Failures are words and not silence. ",
    "A busy model, a wrong key, a refused request and a broken connection are four different things, and the person who asked is told which one it was and what to do. ",
    "The operator finds the details in the log. ",
    "Neither place ever shows a key, a token or a stack trace."
  ],
  [
    "Strangers' words do not widen what an agent may do. ",
    "A chat message has no tools unless the operator opened some, and a file is loaded only from the platform that the agent's key belongs to. ",
    "An address that somebody merely wrote down is not visited, least of all one that leads into the operator's own network."
  ],
  [
    "Memory is kept per session and has an end. ",
    "The newest messages stay, the oldest go first, and a session that nobody used for a long time is forgotten as a whole. ",
    "That is why this agent can tell you what you said a moment ago, also after it was restarted, and why it cannot recite what you said last year."
  ],
  [
    "Stopping is a part of running. ",
    "When the process is asked to end it takes no new messages, lets the replies under way finish for a grace period, and ends the rest in words. ",
    "Afterwards no timer, no socket and no child process is left behind."
  ]
]

const chinese: ReadonlyArray<Paragraph> = [
  [
    "一条消息只有一条路进来，也只有一条路出去。",
    "平台为每段对话保存一个会话，并通过一条 WebSocket 连接把每条消息交给智能体。",
    "在智能体这一侧，数据帧先被解析，再记录为“已接受”，然后排队等待名额：同时进行的回复默认最多十个。",
    "轮到它时，智能体才真正开始工作。"
  ],
  [
    "智能体说的话以长短不一的片段到达。",
    "这些片段会合并成每段最多五十个字符的增量，因为对方就是这样约定的；一次回复里的每个事件依次编号，从零开始。",
    "所有增量拼在一起，恰好等于最终文本；结束事件有且只有一个，在它之后不再有任何内容。"
  ],
  [
    "连接会照顾好自己。",
    "它按固定节奏发送心跳并统计应答；连续三次心跳没有应答，就认定链路已断，不管操作系统怎么认为。",
    "重连之前会等待一段时间，每次失败等待加倍，并掺入一点随机，免得成千上万个智能体在同一秒一起回来。",
    "只有当新链路稳定一段时间之后，等待时间才会恢复到最短。"
  ],
  [
    "暂时发不出去的内容放进发件箱，而发件箱按字节数设有上限。",
    "装满之后，正在写入的回复会被暂停，直到腾出空间，而不是无限占用内存。",
    "重新连上以后，等待的数据帧按原来的顺序、在新连接的问候之后发出，绝不提前。"
  ],
  [
    "每条消息只回答一次。",
    "账号、会话和消息编号合在一起记入日志簿，同一条消息再次到达时，不会启动第二次运行，也不会多花一分钱。",
    "如果进程在回复中途崩溃，下次启动会发现这条没有结尾的消息，并如实告知：回复已中断。",
    "它不会被盲目地重跑，因为没有人知道第一次运行已经做了什么。"
  ],
  [
    "失败要说出来，不能沉默。",
    "模型繁忙、密钥错误、内容被拒和连接中断是四件不同的事，提问的人会知道是哪一件，以及该怎么办。",
    "详细原因留在运营者的日志里；无论哪一处，都不会出现密钥、令牌或调用栈。"
  ],
  [
    "陌生人的话不会扩大智能体的权限。",
    "聊天消息默认没有任何工具可用，文件也只从签发密钥的平台读取。",
    "别人随手写下的网址不会被访问，尤其是那些指向运营者内部网络的地址。"
  ],
  [
    "记忆按会话保存，并且有边界。",
    "最新的消息留下，最旧的先被丢弃，长期没有人使用的会话会被整个忘掉。",
    "所以重启之后我仍能说出你刚才说过什么，却背不出你去年说过的话。"
  ],
  [
    "停止也是运行的一部分。",
    "收到结束的请求后，进程不再接受新消息，让进行中的回复在宽限期内完成，其余的用文字说明后结束。",
    "之后不会留下任何定时器、连接或子进程。"
  ]
]

const deltaSize = 50
/** created, in_progress, item added, part added before the deltas; text done, part done, item done, completed after. */
const eventsAround = 8

/** One reply in numbers. The lengths wander through 40 to 939 and come back after 900 examples. */
const example = (language: Language, n: number): Paragraph => {
  const characters = 40 + ((n * 137) % 900)
  const deltas = Math.ceil(characters / deltaSize)
  const events = deltas + eventsAround
  const lastDelta = characters - deltaSize * (deltas - 1)
  const broken = (n * 31) % events
  return language === "en"
    ? [
        `Example ${n}: an answer of ${characters} characters leaves as ${deltas} deltas of at most ${deltaSize}, the last one with ${lastDelta}. `,
        `With the ${eventsAround} events around them the log of example ${n} holds ${events}, numbered 0 to ${events - 1}, and the deltas have the numbers 4 to ${deltas + 3}. `,
        `Should the link break after event ${broken}, ${events - 1 - broken} events wait in the outbox and follow on the new socket.`
      ]
    : [
        `例 ${n}：一个 ${characters} 个字符的回答分成 ${deltas} 个增量发出，每个最多 ${deltaSize} 个字符，最后一个有 ${lastDelta} 个。`,
        `加上前后的 ${eventsAround} 个事件，例 ${n} 的日志里一共有 ${events} 个事件，编号从 0 到 ${events - 1}，其中增量的编号是 4 到 ${deltas + 3}。`,
        `如果链路在第 ${broken} 号事件之后中断，还有 ${events - 1 - broken} 个事件留在发件箱里，等新连接建立后再发出。`
      ]
}

function* sentences(language: Language): Generator<string> {
  const fixed = language === "en" ? english : chinese
  for (let n = 0; ; n++) {
    const paragraph = fixed[n] ?? example(language, n - fixed.length + 1)
    yield* paragraph.map((sentence, index) => (n > 0 && index === 0 ? `\n\n${sentence}` : sentence))
  }
}

/** Whole sentences whose length comes nearest to `characters`, at least one. */
export const write = (language: Language, characters: number): string => {
  let text = ""
  for (const sentence of sentences(language)) {
    const over = text.length + sentence.length - characters
    if (text !== "" && over > 0 && over > characters - text.length) break
    text += sentence
    if (over >= 0) break
  }
  return text.trimEnd()
}
