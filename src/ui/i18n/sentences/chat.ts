/** What the platform says at every door, of signing in, of conversations and their replies, of files and keys. */

export const doors = {
  "This platform does not answer to that host name. Use the address it printed at its start, or start it with --public-url and the address it is to be reached under.":
    "平台不以这个主机名提供服务。请使用它启动时显示的地址，或在启动时用 --public-url 指明它的访问地址。",
  "A page of another address may not call this platform. Open the platform's own page instead.":
    "其他地址的页面不能调用这个平台。请打开平台自己的页面。",
  "This request cannot be read. Check that its body is JSON and that it says so in content-type.":
    "无法读取这个请求。请确认内容是 JSON，并在 content-type 中注明。",
  "There is nothing at this address. GET /docs lists what there is.": "这个地址没有内容。GET /docs 列出了所有地址。",
  "This address takes other methods. GET /docs lists them.": "这个地址不接受这种方法。GET /docs 列出了可用的方法。",
  "This request is larger than the platform takes.": "这个请求超过平台允许的大小。",
  "The body is of a type that is not taken here. Send JSON, or a form where a file is sent.":
    "这里不接受这种类型的内容。请发送 JSON；发送文件时请用表单。",
  "This address speaks WebSocket only.": "这个地址只支持 WebSocket。",
  "The platform is stopping or overloaded. Try again in a moment.": "平台正在停止或负载过高，请稍后再试。",
  "The platform is stopping. Connect again in a moment.": "平台正在停止，请稍后重新连接。",
  "The platform is stopping.": "平台正在停止。",
  "Something broke on the platform's side. It is in its log; try again.": "平台出了故障，已记入它的日志。请重试。",
  "The platform could not write its answer. This is a fault of the platform.": "平台无法写出回答。这是平台自身的故障。",
  "The platform cannot reach its database just now. Nothing was lost; try again in a moment.":
    "平台暂时无法访问数据库。内容没有丢失，请稍后再试。",
  "The platform's database refuses this. What was stored before is safe; whoever runs the platform has to look at its log.":
    "平台的数据库拒绝了这次操作。之前保存的内容是安全的；需要平台管理者查看日志。",
  "There is no such {{>thing}}, or it is not yours.": "没有这个{{thing}}，或它不属于你。",
  "There is no such {{>thing}}, or it is not yours. {{>hint}}": "没有这个{{thing}}，或它不属于你。{{hint}}",
  "{{>busy}} Wait {{>wait}} and try again.": "{{busy}}请等待 {{wait}}后再试。",
  "{{>subject}} is empty. Give it 1 to {{#most}} characters.": "{{subject}}不能为空，请填写 1 至 {{most}} 个字符。",
  "{{>subject}} is empty. Say it in 1 to {{#most}} characters.": "{{subject}}不能为空，请填写 1 至 {{most}} 个字符。",
  "{{>subject}} is longer than {{#most}} characters. Shorten it.": "{{subject}}超过 {{most}} 个字符，请缩短。",
  "{{>subject}} contains characters that cannot be shown. Remove them.": "{{subject}}含有无法显示的字符，请去掉。",
  "The id holds characters that cannot be kept. Use letters and digits.": "标识含有无法保存的字符，请只用字母和数字。"
} as const

export const people = {
  "Signing in by a name alone is open on the platform's own machine only. Use a token you were given, or start the platform with --open-sign-in if everyone who reaches it may come in under any name.":
    "只有在平台所在的机器上才能仅凭名字登录。请使用别人给你的令牌；如果允许所有能访问平台的人以任意名字登录，请在启动平台时加上 --open-sign-in。",
  "Your sign-in has expired. Sign in again.": "登录已过期，请重新登录。",
  "This is not a sign-in of this platform. Sign in again, or check the key.":
    "这不是本平台的登录。请重新登录，或检查密钥。",
  "This sign-in is of somebody not known here. Sign in again.": "平台不认识这个登录用户，请重新登录。",
  "This key is not known here, or it was revoked. Make a new one under your keys.":
    "平台不认识这个密钥，或它已被吊销。请在“你的密钥”中新建一个。",
  "This ticket is used up, too old or not known. Ask for a new one: it is good for one connection within 90 seconds.":
    "这张连接凭证已用过、已过期或不存在。请重新获取：每张只能在 90 秒内连接一次。",
  "This needs a sign-in: send Authorization: Bearer with a token or a key.":
    "需要登录：请在 Authorization: Bearer 中发送令牌或密钥。",
  "This token is not good here: its issuer, its audience or its signature is not what this platform takes.":
    "这个令牌在此无效：它的签发者、受众或签名不符合平台的要求。",
  "This token has expired. Get a new one from its issuer.": "这个令牌已过期，请向签发者重新获取。",
  "The issuer of this token cannot be asked for its keys just now, so the token cannot be checked. Try again in a moment.":
    "暂时无法向令牌的签发者获取公钥，因此无法核验这个令牌。请稍后再试。",
  "You have {{#count}} keys, which is the limit. Revoke one that you no longer use.":
    "你已有 {{count}} 个密钥，达到上限。请吊销一个不再使用的。",
  "A key makes no other keys. Sign in, and make it there.": "密钥不能用来创建别的密钥。请登录后创建。"
} as const

export const files = {
  "The field file is missing: send one file in it, as multipart/form-data.":
    "缺少 file 字段：请以 multipart/form-data 在其中发送一个文件。",
  "This upload is larger than the platform takes. Send a smaller file.":
    "上传的内容超过平台允许的大小，请发送小一些的文件。",
  "This upload cannot be read. Send it again as multipart/form-data.":
    "无法读取上传的内容。请以 multipart/form-data 重新发送。",
  "There is no such file, or it is not yours.": "没有这个文件，或它不属于你。",
  "This file is for the people and the agent of its session. Send Authorization: Bearer, or x-app-key and x-app-secret.":
    "这个文件只给所属对话中的人和智能体。请发送 Authorization: Bearer，或 x-app-key 和 x-app-secret。",
  "The file is larger than {{size}}, which is the limit. Send a smaller one.":
    "文件超过上限 {{size}}，请发送小一些的文件。",
  "Your files would take more than {{size}}, which is the limit. Delete conversations with files that you no longer need.":
    "你的文件合计将超过上限 {{size}}。请删除不再需要的、带有文件的对话。"
} as const

export const messages = {
  "{{#count}} messages already wait for this agent, which is the limit. It is away or far behind; try again later.":
    "已有 {{count}} 条消息在等这个智能体，达到上限。它不在线或处理不过来，请稍后再试。",
  "A frame was larger than the {{#most}} bytes that are taken here, so the connection ends. Send less at once, or send it as a file.":
    "一次发送的内容超过允许的 {{most}} 字节，连接因此断开。请减少单次内容，或改为文件发送。",
  "This message is larger than the {{#most}} bytes that are taken.": "这条消息超过允许的 {{most}} 字节。",
  "The message is empty. Send a text, a file or an image.": "消息是空的。请发送文字、文件或图片。",
  "The message has no part that can be read here. Send a text, a file or an image.":
    "消息中没有可以读取的内容。请发送文字、文件或图片。",
  "The message holds nothing that this agent can read. Send a text, a file or an image.":
    "消息中没有这个智能体能读取的内容。请发送文字、文件或图片。",
  "input has no part that is understood: send text, a file or an image.":
    "input 中没有可以理解的内容：请发送文字、文件或图片。"
} as const

/** Why a reply failed, said by the platform and by the agent's program; what an agent says itself stays as it is. */
export const replies = {
  "The agent lost its connection in the middle of the answer and did not come back. Ask again.":
    "智能体在回答中途断线，没有回来。请再问一次。",
  "The agent left before it began to answer and has not come back. Ask again when it is on the line.":
    "智能体还没开始回答就离开了，没有回来。请等它上线后再问。",
  "The platform was restarted in the middle of the answer. Ask again.": "平台在回答中途重启了。请再问一次。",
  "The agent's connection was replaced by a newer one in the middle of the answer. Ask again.":
    "智能体在回答中途换了新的连接。请再问一次。",
  "The answer could not be stored on the platform. Ask again in a moment.": "平台无法保存这个回答。请稍后再问。",
  "Three times the agent's connection ended of this message or its answer, which is larger than one of them takes at once. Send less, or send it as a file.":
    "智能体的连接因这条消息或它的回答断开了三次：单次内容太大。请少发一些，或改为文件发送。",
  "The answer was stopped on request.": "回答已按要求停止。",
  "The message is larger than an agent takes at once. Send less, or send it as a file.":
    "这条消息超过智能体单次能接收的大小。请少发一些，或改为文件发送。",
  "A part of the answer was lost on its way to the platform, and the agent does not say it again. Ask again.":
    "回答的一部分在传到平台的途中丢失，智能体不会重发。请再问一次。",
  "The answer is longer than the platform keeps, so it was stopped there. Ask for less at once.":
    "回答超过平台能保存的长度，已在那里截断。请一次少问一些。",
  "The agent did not come back in time to get this message. Send it again when it is there.":
    "智能体没有及时回来接收这条消息。请等它上线后重新发送。",
  "The agent ended the reply as failed and gave no reason.": "智能体以失败结束了回复，没有说明原因。",
  "The agent's reply ended before it was whole.": "智能体的回复没有说完就结束了。",
  "The agent's reply ended before it was whole ({{code}}).": "智能体的回复没有说完就结束了（{{code}}）。",
  "The reply was cancelled.": "回复已取消。",
  "The reply was stopped, as it was asked for.": "回复已按要求停止。",
  "Too many messages wait for this agent, so this one was not taken. Send it again in a moment.":
    "等待这个智能体的消息太多，这条没有被接收。请稍后重新发送。",
  "The agent is being stopped, so the reply ends here. Send the message again in a moment.":
    "智能体正在停止，回复到此为止。请稍后重新发送消息。",
  "The agent's program stopped while it worked on this message, and how far it came is not known. Send it again if you still need the answer.":
    "智能体的程序在处理这条消息时停止了，进展不明。如仍需要答案，请重新发送。",
  "The agent gave no sign of life for {{>span}}, so the reply was ended. Send the message again to have it tried once more.":
    "智能体 {{span}}没有任何动静，回复已被终止。请重新发送消息再试一次。",
  "The reply was not finished within {{>span}}, so it was ended. Ask for less at once, or send the message again.":
    "回复没有在 {{span}}内完成，已被终止。请一次少问一些，或重新发送消息。",
  "The agent cannot take messages just now, and nothing was begun for this one. Send it again in a moment; if that does not help, its operator has to look.":
    "智能体暂时无法接收消息，这条尚未开始处理。请稍后重新发送；如果仍不行，需要它的运营者查看。",
  "A part of the answer could not be sent, so the reply ends here. Send the message again.":
    "回答的一部分无法发送，回复到此为止。请重新发送消息。",
  "The answer is longer than the platform takes in one message, so its end could not be sent. Ask for less at once.":
    "回答超过平台单条消息的长度，结尾无法发送。请一次少问一些。",
  "The agent failed on this message through a fault of its program. Its operator can find the reason in the log.":
    "智能体因程序故障未能处理这条消息。它的运营者可在日志中找到原因。",
  "The model is busy. Try again in a moment.": "模型繁忙，请稍后再试。",
  "The model is busy. Try again in {{#seconds}} s.": "模型繁忙，请在 {{seconds}} 秒后再试。",
  "The agent's model is not set up rightly. Its operator has to look at the settings.":
    "智能体的模型没有设置正确，需要它的运营者检查设置。",
  "The model cannot be reached just now. Try again in a moment.": "暂时无法连接模型，请稍后再试。",
  "The model declined to answer this.": "模型拒绝回答这个问题。",
  "The agent's own code failed on this message. Its operator can find the reason in the log.":
    "智能体自己的代码在处理这条消息时出错。它的运营者可在日志中找到原因。",
  "This conversation is too long for the model. Start a new one, or send less text.":
    "这个对话对模型来说太长了。请开始新对话，或少发一些文字。",
  "The model cannot read what was attached. Send it in another form, or as text.":
    "模型无法读取附件。请换一种格式，或以文字发送。",
  "I cannot read the attached file ({{type}}). Send text, or a picture as PNG, JPEG, GIF or WebP.":
    "无法读取附件（{{type}}）。请发送文字，或 PNG、JPEG、GIF、WebP 格式的图片。",
  "I cannot read {{name}} ({{type}}). Send text, or a picture as PNG, JPEG, GIF or WebP.":
    "无法读取 {{name}}（{{type}}）。请发送文字，或 PNG、JPEG、GIF、WebP 格式的图片。",
  "I read at most {{#count}} attachments of one message. Send fewer at a time.":
    "一条消息最多读取 {{count}} 个附件，请分几次发送。",
  "The pictures are too large together. Send fewer at a time, or smaller ones.":
    "图片合计太大。请分几次发送，或换小一些的。"
} as const
