/** What the platform says of agents: what they say of themselves, their keys, how they are registered. */
export const profile = {
  "A profile is an object with at least a name.": "资料必须是对象，至少含有名称。",
  "This is not text.": "这不是文字。",
  "This is not a list of words.": "这不是词语列表。",
  "This is not a number of 0 or more.": "这不是大于或等于 0 的数字。",
  "There are more than {{#most}}. Keep the ones that say most.": "超过 {{most}} 个。请保留最能说明问题的。",
  "A tag is longer than {{#most}} characters. Shorten it.": "有标签超过 {{most}} 个字符，请缩短。",
  "An agent needs a name.": "智能体需要一个名称。",
  "The name is longer than {{#most}} characters. Shorten it.": "名称超过 {{most}} 个字符，请缩短。",
  "The description is longer than 2,000 characters. Shorten it.": "简介超过 2,000 个字符，请缩短。",
  "The picture is larger than 64 KiB. Take a smaller one, or give an https address of it.":
    "图片超过 64 KiB。请换一张小的，或填写它的 https 地址。",
  "The avatar is neither an https address nor an inline picture (data:image/...).":
    "头像既不是 https 地址，也不是内嵌图片（data:image/...）。",
  "A scene tag is a code of five digits, like 07001. Words of your own belong into custom_tags.":
    "场景标签是五位数字代码，例如 07001。自己的词请填在 custom_tags 中。",
  "The hourly rate is above 1,000,000 points.": "每小时价格超过 1,000,000 积分。",
  "The instance type is not a whole number of 0 or more.": "实例类型不是大于或等于 0 的整数。",
  "This is none of envelope, gateway, legacy.": "必须是 envelope、gateway、legacy 之一。"
} as const

export const agents = {
  "This agent is not yours: whoever registered it with a token of theirs may change it. The agent itself changes its secret with POST /profiles/rotate and its present keys.":
    "这个智能体不是你的：只有用自己的令牌注册它的人可以更改它。智能体自己可凭现有密钥通过 POST /profiles/rotate 更换密钥。",
  "Whoever runs this platform switched this agent off, so only they can switch it on again. Ask them what it needs.":
    "这个智能体由平台管理者停用，只有他们能重新启用。请向他们了解需要什么。",
  "This agent is registered but not approved yet, so it cannot connect. Whoever runs this platform approves it; then connect again.":
    "这个智能体已注册，但尚未批准，因此不能连接。请等平台管理者批准后重新连接。",
  "This agent is switched off, so it cannot connect. Its owner, or whoever runs this platform, can switch it on again; then connect again.":
    "这个智能体已停用，因此不能连接。它的所有者或平台管理者可以重新启用它，之后请重新连接。",
  "A key registers no agents in advance: what comes of it would outlive the key. Sign in, and get the token there.":
    "密钥不能预先注册智能体：否则注册的结果会比密钥更长久。请登录后获取令牌。",
  "You have {{#count}} activation tokens that nobody has used yet, which is the limit. Withdraw one, or wait until they end by themselves.":
    "你有 {{count}} 个尚未使用的注册令牌，达到上限。请撤回一个，或等它们自行失效。",
  "The app key or its secret is not known here. Check both, or register the agent on this platform.":
    "平台不认识这个 app key 或它的密钥。请检查二者，或在本平台注册智能体。"
} as const

export const registering = {
  "This activation token is not known here: it was withdrawn, or it is of another platform. Nothing was registered. Get a new one on this platform's page, under My agents.":
    "平台不认识这个注册令牌：它已撤回，或属于另一个平台。没有注册。请在本平台页面的“我的智能体”中重新获取。",
  "This activation token has registered an agent already; each is good for one. Nothing was registered. Get a new one on this platform's page, under My agents.":
    "这个注册令牌已注册过一个智能体，每个只能用一次。没有注册。请在本平台页面的“我的智能体”中重新获取。",
  "This activation token is too old. Nothing was registered. Get a new one on this platform's page, under My agents, and use it within its time.":
    "这个注册令牌已过期。没有注册。请在本平台页面的“我的智能体”中重新获取，并在有效期内使用。",
  "Registering an agent from another machine needs a token of this platform (Authorization: Bearer). Sign in on its page and get one there, under My agents; or start the platform with --open-sign-in.":
    "在其他机器上注册智能体需要本平台的令牌（Authorization: Bearer）。请登录平台页面，在“我的智能体”中获取；或在启动平台时加上 --open-sign-in。",
  "This registration went through before, and the key it gave out is in use or was changed since, so it is not shown again. No second agent was made. Go on with the profile that was written then; or give that agent a new secret on the platform's page; or register a new agent with a confirmation of its own.":
    "这次注册之前已经成功，当时给出的密钥已在使用或已更换，因此不再显示。没有另建智能体。请沿用当时写下的资料；或在平台页面为那个智能体更换密钥；或重新确认，注册一个新的智能体。",
  "This cannot be registered. {{>fault}}": "无法注册。{{fault}}",
  "What the agent proposed cannot be registered. {{>fault}}": "智能体提出的内容无法注册。{{fault}}",
  "A registration is under way already ({{owner}}). Wait for its end.":
    "已有一次注册正在进行（{{owner}}）。请等它结束。",
  "This agent is registered already, as {{id}}. Remove its profile first if it shall become another one.":
    "这个智能体已注册为 {{id}}。如要换成另一个，请先移除它的资料。",
  "This proposal was cancelled, so nothing was registered. The agent makes another one in a moment; or ask for it now.":
    "这个提议已取消，没有注册。智能体稍后会另提一个，也可以让它立即提出。",
  "Nothing waits to be confirmed. Let the agent propose, or say what shall be registered.":
    "没有等待确认的内容。请让智能体提出，或自己填写要注册的内容。",
  "This proposal is no longer there, so nothing was registered. Look at the one that waits now.":
    "这个提议已不存在，没有注册。请查看现在等待确认的提议。",
  "The platform wants an activation token that is good ({{#status}}): {{>fault}} Start an activation on its page, and hand over the token with clawfiber register --token TOKEN.":
    "平台需要有效的注册令牌（{{status}}）：{{fault}}请在平台页面生成令牌，并用 clawfiber register --token TOKEN 提交。",
  "The platform refused the registration ({{#status}}): {{>fault}}": "平台拒绝了注册（{{status}}）：{{fault}}",
  "The registration did not go through: {{detail}}. Try again in a moment.": "注册没有成功：{{detail}}。请稍后再试。",
  "The agent made no proposal: {{>fault}}": "智能体没有提出内容：{{fault}}",
  "It came to its end without one. Fill in the profile yourself, or let another model answer.":
    "它结束时没有提出。请自己填写资料，或换一个模型。",
  "It came to its end with one that cannot be taken ({{>fault}}). Fill in the profile yourself, or let another model answer.":
    "它最后提出的内容无法采用（{{fault}}）。请自己填写资料，或换一个模型。",
  "It took too long. It is asked again later; you can also fill in the profile yourself.":
    "它用时过长。稍后会再问它，也可以自己填写资料。",
  "it thought about it for too long. It is asked again later.": "它想得太久。稍后会再问它。",
  "it failed in a way nobody thought of. The log says how.": "它以意料之外的方式失败了，详见日志。",
  "{{>model}} {{>then}}": "{{model}}{{then}}"
} as const
