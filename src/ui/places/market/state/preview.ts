/** How a file can be looked at here: by its name and kind, and only as far as it is not too large. Pure. */

export type Look = "image" | "markdown" | "table" | "text" | "none" | "large"

/** Bytes. */
const mostText = 512 * 1024
const mostImage = 20 * 1024 * 1024

const images = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])
const textNames =
  /\.(?:txt|log|json|xml|ya?ml|toml|ini|html?|css|m?[jt]sx?|py|rb|go|rs|java|c|h|cpp|sh|sql|srt|vtt|tex|rtf|svg)$/i

const kindOf = (name: string, mediaType: string): Exclude<Look, "large"> => {
  const type = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? ""
  if (images.has(type)) return "image"
  if (/\.(?:md|markdown)$/i.test(name) || type === "text/markdown") return "markdown"
  if (/\.(?:csv|tsv)$/i.test(name) || type === "text/csv" || type === "text/tab-separated-values") return "table"
  if (textNames.test(name) || type.startsWith("text/") || type === "application/json") return "text"
  return "none"
}

export const lookOf = (file: { readonly name: string; readonly mediaType: string; readonly size: number }): Look => {
  const kind = kindOf(file.name, file.mediaType)
  if (kind === "none") return kind
  return file.size > (kind === "image" ? mostImage : mostText) ? "large" : kind
}
