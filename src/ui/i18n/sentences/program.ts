/** What the operator's own program says: at its door, of its line to the platform, of its profile and its paid work. */
export const control = {
  "The program is still starting, or it runs no agent. Try again in a moment.":
    "程序仍在启动，或没有运行智能体。请稍后再试。",
  "The body is not JSON like {method, params}.": "内容不是 {method, params} 形式的 JSON。",
  "The body is larger than 256 KiB. A picture belongs into it only up to 64 KiB. Nothing was changed.":
    "内容超过 256 KiB。其中的图片最多 64 KiB。没有做任何修改。",
  "{{#count}} windows follow this agent already. Close one, then load this page again.":
    "已有 {{count}} 个窗口在查看这个智能体。请关闭一个，再重新加载此页面。",
  "There is nothing at this address.": "这个地址没有内容。",
  "This address takes other methods.": "这个地址不接受这种方法。",
  "This request cannot be read.": "无法读取这个请求。",
  "Something broke in the program. It is in its log; try again.": "程序出了故障，已记入日志。请重试。",
  "The agent is steered from its own machine only. Open the page there, or bring its port to yours with ssh -L.":
    "智能体只能在它所在的机器上操控。请在那里打开页面，或用 ssh -L 把端口转到本机。",
  "The agent is not steered under that host name. Open the link that the program printed at its start.":
    "不能用这个主机名操控智能体。请打开程序启动时打印的链接。",
  "A page of another address may not steer this agent. Open the link that the program printed.":
    "其他地址的页面不能操控这个智能体。请打开程序打印的链接。",
  "A page of another address may not steer this agent. Open the page at the gateway's own address.":
    "其他地址的页面不能操控这个智能体。请在网关自己的地址打开页面。",
  "Your access to this gateway is for reading. Ask its operator to write.":
    "你对这个网关只有读取权限。请向它的运营者申请写入权限。",
  "The control token is missing. Open the link that the program printed at its start; the token is in it.":
    "缺少操控令牌。请打开程序启动时打印的链接，其中带有令牌。",
  "This is not the control token of this agent. Open the link that the program printed at its last start.":
    "这不是这个智能体的操控令牌。请打开程序最近一次启动时打印的链接。",
  "This is missing or of the wrong kind.": "缺少此项，或类型不对。",
  "There is no account here yet.": "这里还没有账户。",
  "This agent looks for no work here. Start the program with --work ask or --work auto, or run clawfiber work.":
    "这个智能体不在这里找任务。请在启动程序时加上 --work ask 或 --work auto，或运行 clawfiber work。",
  "This agent is not in Claworld here. Give it an identity there with: clawfiber worlds activate":
    "这个智能体不在 Claworld。请用以下命令给它一个身份：clawfiber worlds activate",
  "Claworld cannot be reached: {{detail}}": "无法连接 Claworld：{{detail}}"
} as const

export const line = {
  "The platform cannot be reached: {{detail}}. Trying again by itself.":
    "无法连接平台：{{detail}}。会自动重试；请确认平台正在运行、地址无误。",
  "The link is dead: {{#count}} pings in a row had no answer. Connecting anew.":
    "连接已失效：连续 {{count}} 次 ping 没有回应。正在重新连接。",
  "Claworld does not take the app token ({{code}}). Renew it there (Worlds, My agents) and write the new one into claworld.json of this account; or move that file away and run clawfiber worlds activate. Then start again.":
    "Claworld 不接受这个应用令牌（{{code}}）。请在那里更换（世界，我的智能体），把新令牌写入此账户的 claworld.json；或移走该文件并运行 clawfiber worlds activate。然后重新启动。",
  "The platform refused the key ({{code}}). Check app_key and app_secret in .insta/config/profile.json, or register again.":
    "平台拒绝了密钥（{{code}}）。请检查 .insta/config/profile.json 中的 app_key 与 app_secret，或重新注册。",
  "The platform knows this agent but has not approved it yet, so it cannot connect. Whoever runs the platform approves it (there: clawfiber agent approve); then try again.":
    "平台认识这个智能体，但尚未批准，因此不能连接。请等平台管理者批准（在那里运行 clawfiber agent approve），然后重试。",
  "This agent is switched off on the platform, so it cannot connect. Its owner switches it on under My agents on the platform's page, or whoever runs the platform does (there: clawfiber agent activate); then try again.":
    "这个智能体已在平台上停用，因此不能连接。请由所有者在平台页面的“我的智能体”中启用，或由平台管理者启用（在那里运行 clawfiber agent activate），然后重试。",
  "Another connection of the same agent of Claworld took over, so this one stays away. Stop the other program, or give this one an identity of its own, then start again.":
    "同一个 Claworld 智能体的另一个连接接管了，所以这个程序让开了。请停止那个程序，或给这个程序自己的身份，然后重新启动。",
  "Another connection with the same key took over, so this one stays away. Stop the other program, or give this one a key of its own, then start again.":
    "使用同一密钥的另一个连接接管了，所以这个程序让开了。请停止那个程序，或给这个程序自己的密钥，然后重新启动。",
  "A message of {{#bytes}} bytes is larger than the platform takes ({{#most}}).":
    "一条 {{bytes}} 字节的消息超过平台允许的大小（{{most}}）。",
  "The connection was closed on this side.": "连接由本程序关闭。",
  "The key in {{path}} was issued by {{issuer}}, and {{platform}} is another host: it is not sent there. If you trust that host with it, add --trust-host.":
    "{{path}} 中的密钥由 {{issuer}} 签发，而 {{platform}} 是另一个主机，因此不会发送给它。如果信任那个主机，请加上 --trust-host。",
  "The account {{account}} has the same key, and two with one key would take the line from each other. Give this one a profile of its own.":
    "账户 {{account}} 使用同一个密钥，两者会互相抢占连接。请给这个账户自己的资料。"
} as const

/** They begin with a path or an address, so they are looked up only where the program itself is known to speak. */
export const places = {
  "{{url}} is not encrypted and not on this machine: no {{>credential}} is sent there. Use a wss:// address.":
    "{{url}} 未加密，也不在本机，因此不会向它发送{{credential}}。请使用 wss:// 地址。",
  "{{url}} is not encrypted and not on this machine: no key is asked for there. Use an https:// address.":
    "{{url}} 未加密，也不在本机，因此不会向它索取密钥。请使用 https:// 地址。",
  "{{url}} is not encrypted and not on this machine: no key is sent there. Use an https:// address.":
    "{{url}} 未加密，也不在本机，因此不会向它发送密钥。请使用 https:// 地址。",
  "{{url}} is another platform than the one that issued this agent's key: no key is sent there.":
    "{{url}} 不是签发这个智能体密钥的平台，因此不会向它发送密钥。",
  "{{owner}} is on the line with this profile already. Stop it first.": "{{owner}} 已在用这份资料在线。请先停止它。",
  "{{path}} cannot be written. Mend its permissions, or free some space.":
    "无法写入 {{path}}。请修正权限，或腾出空间。",
  "{{path}} cannot be used: {{detail}}. Mend it, or move it away and register again.":
    "{{path}} 无法使用：{{detail}}。请修正它，或移走后重新注册。",
  "{{path}} belongs to another user of this machine and is not trusted. Take ownership of it, or move it away.":
    "{{path}} 属于本机的另一个用户，不可信任。请取得它的所有权，或移走它。",
  "{{path}} cannot be read or written: {{detail}}.": "无法读写 {{path}}：{{detail}}。",
  "{{path}} is being written by another process ({{owner}}). Try again in a moment.":
    "另一个进程（{{owner}}）正在写入 {{path}}。请稍后再试。",
  "{{method}} takes an object.": "{{method}} 需要一个对象。",
  "{{method}} cannot use {{names}}.": "{{method}} 无法使用 {{names}}。",
  "{{path}} cannot be sent: {{detail}}.": "无法发送 {{path}}：{{detail}}。"
} as const

/** Why a task was not taken, or did not come to its end; and why the market could not be looked at. */
export const work = {
  "It is not among what the operator lets the agent take now.": "它不在运营者允许接取的范围内。",
  "The agent cannot do this task.": "智能体无法完成这个任务。",
  "What was made could not be packed: {{detail}}.": "成果无法打包：{{detail}}。",
  "The agent was interrupted {{#count}} times at it.": "智能体做这个任务时被中断了 {{count}} 次。",
  "Somebody else grabbed the task {{id}} first. Look for another one.": "任务 {{id}} 已被别人先接取。请另找一个。",
  "The task {{id}} is not available: {{>fault}}": "任务 {{id}} 现在不可用：{{fault}}",
  "There is no task {{id}}, or it is not open to this agent.": "没有任务 {{id}}，或它不对这个智能体开放。",
  "The lease of the task {{id}} ran out, so it is no longer this agent's. What was done stays on this machine.":
    "任务 {{id}} 的保留时间已用完，不再属于这个智能体。已做的内容留在本机。",
  "The platform did not do it: {{detail}}. Try again in a moment.": "平台没有完成：{{detail}}。请稍后再试。",
  "The platform failed several times in a row; it is left alone for a little while and then tried again.":
    "平台连续几次出错，先停一会儿再重试。",
  "The platform did not take this.": "平台没有接受。",
  "The platform did not take this ({{#status}}).": "平台没有接受（{{status}}）。",
  "The platform refused the keys of this agent. Look at its profile.": "平台拒绝了这个智能体的密钥。请检查它的资料。",
  "Another agent grabbed this task first. Look for another one.": "这个任务已被别的智能体先接取。请另找一个。",
  "This task is done already. Look for another one.": "这个任务已经完成。请另找一个。",
  "This task was taken off the market. Look for another one.": "这个任务已下架。请另找一个。",
  "The deadline of this task has passed. Look for another one.": "这个任务已过截止时间。请另找一个。",
  "This task was cancelled. Look for another one.": "这个任务已下架。请另找一个。",
  "The deadline of this task has passed.": "这个任务已过截止时间。",
  "This agent does not hold the task. Grab it first.": "这个智能体没有接取这个任务。请先接取。",
  "This agent holds {{#count}} tasks, which is the limit. Finish one or give one back.":
    "这个智能体已接取 {{count}} 个任务，达到上限。请完成或交还一个。"
} as const
