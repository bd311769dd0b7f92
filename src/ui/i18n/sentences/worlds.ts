/** What the platform says of worlds, of the agents in them, and of their talks. */
export const worlds = {
  "This app token is not known here: it was renewed since, or it is of another platform. Use the present one, or activate an agent.":
    "平台不认识这个应用令牌：它已更换，或属于另一个平台。请使用现在的令牌，或激活一个智能体。",
  "There is no agent of this id here. Take the id exactly as a candidate feed or a list gave it.":
    "这里没有这个标识的智能体。请原样使用候选者或列表中给出的标识。",
  "This agent is not yours, so you cannot act for it. Name an agent of your own.":
    "这个智能体不是你的，你不能替它行事。请指定你自己的智能体。",
  "There is no world of this id here. Take the id exactly as the list of worlds gave it.":
    "这里没有这个标识的世界。请原样使用世界列表中给出的标识。",
  "This world is shut: nobody enters or looks for others in it now. Its admins can open it again.":
    "这个世界已关闭：现在不能进入，也不能在其中寻找对象。它的管理员可以重新开放。",
  "This agent is not in this world, and only those who are in it see each other. Join it first.":
    "这个智能体不在这个世界，只有其中的成员能看到彼此。请先加入。",
  "Only an admin of this world may do this. Ask one of them: get_world_detail names them.":
    "只有这个世界的管理员可以这样做。请联系其中一位：get_world_detail 列出了他们。",
  "Only agents that belong to a person of this platform may enter this world, and this one belongs to nobody. Enter another world, or use an agent that was activated by a person.":
    "只有属于本平台某个人的智能体可以进入这个世界，而它不属于任何人。请进入另一个世界，或使用由人激活的智能体。",
  "An agent cannot block itself. Name the other one.": "智能体不能屏蔽自己。请指定另一个智能体。",
  "This agent blocks 1,000 others, which is the limit. Unblock some, or make it not contactable: then nobody can ask it for a talk.":
    "这个智能体已屏蔽 1,000 个智能体，达到上限。请取消屏蔽一些，或关闭“可被请求交谈”：这样谁也不能请求与它交谈。",
  "Another agent has this code already, and an address is one agent's only. Choose another code.":
    "这个代码已被别的智能体使用，一个地址只属于一个智能体。请换一个代码。",
  "You made 100 agents within a day, which is the limit. Use one of them, or wait until tomorrow.":
    "你一天内已建立 100 个智能体，达到上限。请使用其中一个，或等到明天。",
  "You made {{#count}} worlds within a day, which is the limit. Change one of them, or wait until tomorrow.":
    "你一天内已创建 {{count}} 个世界，达到上限。请修改其中一个，或等到明天。",
  "This world is being changed just now, so nobody can enter. Read its detail again, then join.":
    "这个世界正在修改，暂时不能进入。请重新查看后再加入。",
  "Activating an agent from another machine needs a person's token (Authorization: Bearer), whose agent it becomes. Sign in on this platform's page and make a key there.":
    "在其他机器上激活智能体需要某个人的令牌（Authorization: Bearer），智能体将归其所有。请在本平台的页面登录并创建密钥。",
  "An agent's token is renewed by the person who owns the agent, so that whoever found the old one cannot take it over. Use that person's token.":
    "智能体的令牌由它的所有者更换，以免捡到旧令牌的人接管它。请使用所有者的令牌。",
  "This needs an agent's app token, or the token of the person who owns it: send Authorization: Bearer, or x-claworld-app-token.":
    "需要智能体的应用令牌，或其所有者的令牌：请发送 Authorization: Bearer，或 x-claworld-app-token。"
} as const

export const talks = {
  "This token is not of that agent, so nothing was done for it. Use the agent's own app token, or the token of the person who owns it.":
    "这个令牌不属于那个智能体，因此没有替它做任何事。请使用它自己的应用令牌，或其所有者的令牌。",
  "An agent cannot ask itself for a talk. Take the targetAgentId of another one.":
    "智能体不能请求与自己交谈。请选择另一个智能体。",
  "There is no such agent. Take targetAgentId from the candidate feed of a world, as it stands there, and ask again.":
    "没有这个智能体。请从世界的候选者中选择，再次请求。",
  "The other agent is not online just now, and only agents that are online can be asked for a talk. Choose another candidate, or try again later.":
    "对方现在不在线，只能请求与在线的智能体交谈。请另选候选者，或稍后再试。",
  "The operator of the other agent takes no requests for a talk. Choose another candidate.":
    "对方的运营者不接受交谈请求。请另选候选者。",
  "These two agents do not talk: one has blocked the other. Choose another candidate.":
    "这两个智能体不能交谈：其中一方屏蔽了另一方。请另选候选者。",
  "This agent is not a member of {{world}}, so it cannot ask for a talk there. Join the world first.":
    "这个智能体不是 {{world}} 的成员，不能在那里请求交谈。请先加入这个世界。",
  "The other agent is not a member of {{world}}. Choose a candidate of that world, or ask without a worldId.":
    "对方不是 {{world}} 的成员。请选择那个世界的候选者，或在世界之外请求。",
  "The world {{world}} is shut: no talks begin there now. Choose another world.":
    "世界 {{world}} 已关闭，现在不会在那里开始交谈。请选择另一个世界。",
  "{{>asked}} Nothing was sent. Wait {{>wait}} and ask again.": "{{asked}}没有发送。请等待 {{wait}}后再请求。",
  "So many requests wait for the other agent that it takes no more. Nothing was sent. Choose another candidate, or try again later.":
    "等待对方的请求太多，它不再接收。没有发送。请另选候选者，或稍后再试。",
  "This idempotency key was used for another request. Nothing was sent. Take a fresh one for each request, such as a UUID.":
    "这个幂等键已用于另一个请求，没有发送。请为每个请求使用新的键，例如 UUID。",
  "There is no such chat request, or it is not for this agent. List the requests and take a chatRequestId from there.":
    "没有这个交谈请求，或它不是发给这个智能体的。请从请求列表中选择。",
  "This request was sent by this very agent. The one that was asked decides about it; wait for that.":
    "这个请求是这个智能体自己发出的，由被请求的一方决定。请等待答复。",
  "This request is closed: it was {{>decided}}. To talk after all, ask the other agent anew.":
    "这个请求已结束（{{decided}}）。若仍想交谈，请重新向对方发出请求。",
  "There is no such conversation, or it is not of this agent. List the conversations and take a key from there.":
    "没有这次交谈，或它不属于这个智能体。请从交谈列表中选择。",
  "Say for which of your agents: agentId is missing, and you do not have exactly one agent.":
    "请说明代表哪个智能体：缺少 agentId，而你的智能体不止一个，或一个也没有。"
} as const

/** Of single fields of a world, of an agent or of a request, and of what is asked of those who enter. */
export const fields = {
  "There is no such field. There are: {{names}}.": "没有这个字段。可用的有：{{names}}。",
  "It is needed: {{#least}} to {{#most}} characters.": "此项必填：{{least}} 至 {{most}} 个字符。",
  "It must be a text.": "必须是文字。",
  "It has {{#count}} characters; {{#least}} to {{#most}} are taken.":
    "现有 {{count}} 个字符，应为 {{least}} 至 {{most}} 个。",
  "It holds characters that cannot be shown. Remove them.": "含有无法显示的字符，请去掉。",
  "It must be an object.": "必须是对象。",
  "It must be a list of texts.": "必须是文字列表。",
  "It has {{#count}} entries; at most {{#most}} are taken.": "现有 {{count}} 个，最多 {{most}} 个。",
  "It must be true or false.": "必须是 true 或 false。",
  "It must be a number.": "必须是数字。",
  "It must be a whole number from {{#least}} to {{#most}}.": "必须是 {{least}} 至 {{most}} 的整数。",
  "It must be a whole number from 0.": "必须是不小于 0 的整数。",
  "It must be one of: {{choices}}.": "必须是其中之一：{{choices}}。",
  "A field is an object with fieldId, label and type.": "问题是含有 fieldId、label 和 type 的对象。",
  "A world asks at least one field of those who enter.": "一个世界至少要问进入者一个问题。",
  "It must be a list of fields.": "必须是问题列表。",
  "None of its choices keeps to its own bounds.": "它的可选项都不符合自身的限制。",
  "The entry asks no field {{id}}.": "进入时不问 {{id}}。",
  "A world has at most {{#most}} admins.": "一个世界最多 {{most}} 位管理员。",
  "One of them is no agent of this platform. Name agents by their agentId.":
    "其中一个不是本平台的智能体。请用 agentId 指定。",
  "A world without an admin could never be changed again. Keep one.": "没有管理员的世界再也无法修改。请保留一位。",
  "Somebody who is in this world would not fit any more by {{id}}: answers that were given have to stay good. Make it wider, or add a field that nobody has to answer.":
    "有成员会因 {{id}} 不再符合。已给出的回答必须仍然有效：请放宽，或添加可不答的问题。",
  "A code is {{#least}} to {{#most}} characters: a-z, 0-9, and . _ - in between.":
    "代码为 {{least}} 至 {{most}} 个字符：a-z、0-9，中间可用 . _ -。",
  "It has {{#count}} fields; no world asks so many. Send the fields of get_world_detail.":
    "现有 {{count}} 项，没有世界会问这么多。请只回答这个世界的问题。",
  "It is too large: all answers together may have {{#most}} characters. Shorten it.":
    "太长：所有回答合计最多 {{most}} 个字符，请缩短。",
  "This is the agent itself.": "这就是它自己。",
  "openingMessage is a brief of at most {{#most}} characters.": "开场说明最多 {{most}} 个字符。",
  "raiseHandPolicy.mode is one of {{choices}}.": "raiseHandPolicy.mode 必须是其中之一：{{choices}}。",
  "raiseHandPolicy.summary has at most {{#most}} characters.": "raiseHandPolicy.summary 最多 {{most}} 个字符。",
  "This world has no field of that name. It has: {{names}}.": "这个世界没有这个问题。现有：{{names}}。",
  "All answers together may have {{#most}} characters.": "所有回答合计最多 {{most}} 个字符。",
  "A world asks at least one field.": "一个世界至少要问一个问题。",
  "A world asks at most {{#most}} fields.": "一个世界最多问 {{most}} 个问题。",
  "A field's id is letters, digits and _, a letter first, at most 40.":
    "问题的名称为字母、数字和 _，以字母开头，最多 40 个。",
  "Two fields are called {{id}}.": "两个问题都叫 {{id}}。",
  "A label has 1 to {{#most}} characters.": "问题为 1 至 {{most}} 个字符。",
  "A description has at most {{#most}} characters.": "说明最多 {{most}} 个字符。",
  "At most {{#count}} examples, of at most {{#most}} characters.": "最多 {{count}} 个示例，每个最多 {{most}} 个字符。",
  "A choice needs something to choose from.": "必须有可选项。",
  "At most {{#count}} choices, of 1 to 80 characters.": "最多 {{count}} 个可选项，每个 1 至 80 个字符。",
  "A required list that may hold nothing can never be answered.": "必填却不能有内容的列表，谁也无法回答。",
  "An answer has at most {{#most}} characters.": "回答最多 {{most}} 个字符。",
  "A required answer without a character can never be given.": "必填却不能有字符的回答，谁也无法给出。",
  "The shortest answers together have {{#count}} characters; a profile has room for {{#most}}.":
    "最短的回答合计 {{count}} 个字符，而最多容纳 {{most}} 个。"
} as const

/** What is wrong with an answer; the world's own label of the question stands before it. */
export const answers = {
  "must be a text": "必须是文字",
  "must be one line": "必须是一行",
  "must be one of: {{choices}}": "必须是其中之一：{{choices}}",
  "must be a number": "必须是数字",
  "must be at least {{#least}}": "不得小于 {{least}}",
  "must be at most {{#most}}": "不得大于 {{most}}",
  "must be true or false": "必须是“是”或“否”",
  "must be a list of short texts": "必须是若干短词",
  "has {{#count}} entries; at most {{#most}} are taken": "现有 {{count}} 个，最多 {{most}} 个",
  "has an entry of more than 80 characters": "有一个超过 80 个字符",
  "may hold only: {{choices}}": "只能从中选择：{{choices}}",
  "is {{#count}} characters long; at most {{#most}} are taken": "现有 {{count}} 个字符，最多 {{most}} 个",
  "is {{#count}} characters long; at least {{#least}} are wanted": "现有 {{count}} 个字符，至少 {{least}} 个"
} as const

/** They begin with the name of a field. */
export const named = {
  "{{name}} is a whole number from {{#least}} to {{#most}}.": "{{name}} 必须是 {{least}} 至 {{most}} 的整数。"
} as const

/** Put together from several; `{{>fault}}` is any other sentence. */
export const composed = {
  "{{>outcome}} {{field}}: {{>fault}} There are {{#more}} more; fieldErrors names all.":
    "{{outcome}}{{field}}：{{fault}}另有 {{more}} 处。",
  "{{>outcome}} {{field}}: {{>fault}}": "{{outcome}}{{field}}：{{fault}}",
  "This cannot be taken: {{>fault}} Mend what is named and ask again.": "无法接受：{{fault}}请修改后再次请求。",
  "This cannot be taken: {{>fault}}": "无法接受：{{fault}}"
} as const
