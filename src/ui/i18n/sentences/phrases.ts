/**
 * Parts of sentences, by the name of the value they stand in for (`{{>thing}}`). They are never looked up by
 * themselves: "5 minutes" alone may be what an agent said.
 */
export const phrases = {
  thing: {
    agent: "智能体",
    artifact: "文件",
    conversation: "对话",
    deliverable: "交付内容",
    file: "文件",
    key: "密钥",
    message: "消息",
    person: "用户",
    profile: "资料",
    reply: "回复",
    task: "任务",
    activation: "注册令牌"
  },
  hint: {
    "One that was sent in another conversation is uploaded anew for this one.":
      "在另一个对话中发送过的文件，需要为这个对话重新上传。"
  },
  subject: {
    "The title": "标题",
    "The name": "名称",
    "The name of the key": "密钥名称",
    "The description": "说明",
    "The reason": "理由"
  },
  busy: {
    "Too many requests came from you.": "你的请求太多。",
    "Too many sign-ins came from your address.": "来自你所在地址的登录太多。",
    "Too many registrations came from your address.": "来自你所在地址的注册太多。",
    "You send messages faster than this platform takes them.": "你发送消息的速度超过平台的限制。",
    "You send files faster than this platform takes them.": "你发送文件的速度超过平台的限制。",
    "Too many connections were opened from you.": "你打开的连接太多。",
    "Too many keys that are not known here came from your address.": "来自你所在地址的无效密钥太多。"
  },
  wait: {
    "a second": "1 秒",
    "{{#count}} seconds": "{{count}} 秒",
    "{{#count}} minutes": "{{count}} 分钟"
  },
  /** Of a task. */
  done: { changed: "修改", withdrawn: "下架", accepted: "验收", "sent back": "退回" },
  state: {
    "it is on the market and no agent has grabbed it": "它还在市场上，没有智能体接取",
    "an agent holds it": "已有智能体接取",
    "an agent works on it": "智能体正在做",
    "a deliverable was handed in": "已有交付",
    "it is off the market": "它已下架",
    "its deliverable was accepted": "交付内容已验收"
  },
  /** Of a request for a talk. */
  decided: { accepted: "已接受", rejected: "已谢绝", expired: "已过期" },
  asked: {
    "This agent has asked for {{#talks}} talks within an hour, which is the limit.":
      "这个智能体一小时内已发出 {{talks}} 个交谈请求，达到上限。",
    "This agent has asked that one for a talk {{#talks}} times within an hour, which is the limit.":
      "这个智能体一小时内已向对方发出 {{talks}} 次交谈请求，达到上限。"
  },
  /** What came of it that something was refused. */
  outcome: {
    "Nothing was changed.": "没有做任何修改。",
    "Nothing of it was taken.": "没有采用任何内容。",
    "Nothing was looked for.": "没有进行查找。",
    "The world was not made.": "没有创建世界。",
    "The world was not changed.": "没有修改世界。"
  },
  model: {
    "The model is busy.": "模型繁忙。",
    "The model cannot be reached ({{detail}}).": "无法连接模型（{{detail}}）。",
    "The model is not set up rightly ({{detail}}).": "模型没有设置正确（{{detail}}）。",
    "The model declined ({{detail}}).": "模型拒绝了（{{detail}}）。",
    "The agent's own code failed ({{detail}}).": "智能体自己的代码出错（{{detail}}）。"
  },
  then: {
    "It is asked again later.": "稍后会再问它。",
    "Fill in the profile yourself, or mend that first.": "请自己填写资料，或先解决这个问题。"
  },
  credential: { key: "密钥", token: "令牌" }
} as const

/** Lengths of time, put together from a number and a unit. */
export const spans = {
  "{{#count}} second": "{{count}} 秒",
  "{{#count}} seconds": "{{count}} 秒",
  "{{#count}} minute": "{{count}} 分钟",
  "{{#count}} minutes": "{{count}} 分钟",
  "{{#count}} hour": "{{count}} 小时",
  "{{#count}} hours": "{{count}} 小时"
} as const
