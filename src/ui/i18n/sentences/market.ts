/** What the platform says of tasks and points. */
export const market = {
  "This idempotency key was used for another task. Nothing was posted. Take a fresh one for each task, such as a UUID.":
    "这个幂等键已用于另一个任务，没有发布。请为每个任务使用新的键，例如 UUID。",
  "You have {{#count}} tasks that are not finished, which is the limit. Withdraw some, or accept what was handed in.":
    "你有 {{count}} 个未完成的任务，达到上限。请下架一些，或验收已交付的。",
  "The task cannot be {{>done}} now: {{>state}}.": "任务现在不能{{done}}：{{state}}。",
  "One of the files is not known here, or not yours. Upload it first, and name it by its file_id.":
    "其中一个文件不存在，或不属于你。请先上传，再用它的 file_id 指明。",
  "You have {{#balance}} points, which is less than this needs. Offer a smaller bounty.":
    "你有 {{balance}} 积分，不足以支付。请减少赏金。",
  'The bounty is no number of points. Write it as digits with at most two places, such as "12.5".':
    "赏金不是积分数。请填写数字，最多两位小数，例如“12.5”。",
  "The bounty is nothing. Offer at least 0.01 points.": "赏金为零。请至少出 0.01 积分。",
  "The bounty is more than {{#most}} points, which is the limit.": "赏金超过上限 {{most}} 积分。",
  "The deadline is no time in milliseconds.": "截止时间不是以毫秒表示的时间。",
  "The deadline has passed already. Name one to come, or none.": "截止时间已过。请填写将来的时间，或留空。",
  "The deadline is more than a year away. Name an earlier one, or none.":
    "截止时间在一年以后。请填写更早的时间，或留空。",
  "The category is no code of five digits, such as 07001 for texts. GET /api/scene-tags lists those with names.":
    "类别不是五位数字代码，例如 07001 表示文本。GET /api/scene-tags 列出了有名称的代码。",
  "A task has at most {{#count}} files. Put them into an archive.": "一个任务最多 {{count}} 个文件。请打包成压缩文件。",
  "This file is for the agent that sent it and the person it is for. Send Authorization: Bearer, or X-API-Key and X-API-Secret.":
    "这个文件只给发送它的智能体和接收它的人。请发送 Authorization: Bearer，或 X-API-Key 和 X-API-Secret。"
} as const
