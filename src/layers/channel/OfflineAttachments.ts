/** What the offline agent can tell about an attachment: type and size, dimensions of pictures, a look into texts. */
import * as Effect from "effect/Effect"
import type { AttachedPart, Attachments } from "../../services/channel/Attachments.ts"
import { contentOf } from "./AttachmentContent.ts"
import type { Language } from "./OfflineCommand.ts"
import { counted, shortened, statistics } from "./OfflineText.ts"

const shownLines = 5
const shownCharacters = 200

const size = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1024 * 1024)).toFixed(1)} MiB`
}

const firstLines = (text: string): string =>
  text
    .split(/\r?\n/, shownLines)
    .map((line) => `    ${shortened(line, shownCharacters)}`)
    .join("\n")

/** Never fails: what cannot be opened is told. */
export const describe = Effect.fnUntraced(function* (
  part: AttachedPart,
  attachments: Attachments["Service"],
  language: Language
) {
  const fetched = yield* Effect.result(attachments.fetch(part))
  const zh = language === "zh"
  if (fetched._tag === "Failure") {
    return zh ? `- 附件：无法打开（${fetched.failure.message}）` : `- ${fetched.failure.message}`
  }
  const attachment = fetched.success
  const kind = part.type === "input_image" ? (zh ? "图片" : "image") : zh ? "文件" : "file"
  const name = attachment.filename === undefined ? kind : `**${attachment.filename}**`
  if (attachment._tag === "Link") {
    return zh
      ? `- ${name}：在 ${attachment.url}。我没有网络，没有打开它。`
      : `- ${name}: at ${attachment.url}. I have no network and did not open it.`
  }
  const content = contentOf(attachment.bytes)
  const bytes = size(attachment.bytes.length)
  switch (content.kind) {
    case "image":
      return zh
        ? `- ${name}：${content.mediaType}，${bytes}，${content.width} × ${content.height} 像素。`
        : `- ${name}: ${content.mediaType}, ${bytes}, ${content.width} × ${content.height} pixels.`
    case "text": {
      const { characters, lines, words } = statistics(content.text, language)
      return zh
        ? `- ${name}：文本，${bytes}，${lines} 行，${words} 个词，${characters} 个字符。开头几行：\n\n${firstLines(content.text)}`
        : `- ${name}: text, ${bytes}, ${counted(lines, "line")}, ${counted(words, "word")}, ${counted(characters, "character")}. It begins:\n\n${firstLines(content.text)}`
    }
    case "other":
      return zh
        ? `- ${name}：${attachment.mediaType}，${bytes}。这种内容我读不了。`
        : `- ${name}: ${attachment.mediaType}, ${bytes}. I cannot read what is inside.`
  }
})
