/** Texts without a model: counted, cleaned up, made into a page. Pure; in time that grows with the text's length. */

const segmenter = new Intl.Segmenter("und", { granularity: "word" })

const ofWords = (text: string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { isWordLike, segment } of segmenter.segment(text)) {
    if (isWordLike !== true) continue
    const word = segment.toLowerCase()
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

const cell = (text: string): string => text.replace(/[\\|`<>]/g, "\\$&").replace(/\s+/g, " ")

/** Words (of Chinese too), characters, lines, and the most frequent words, as Markdown. */
export const count = (name: string, text: string): string => {
  const words = ofWords(text)
  let total = 0
  for (const times of words.values()) total += times
  const often = [...words]
    .toSorted(([one, times], [other, others]) => others - times || (one < other ? -1 : 1))
    .slice(0, 20)
  const lines = text === "" ? 0 : text.replace(/\r?\n$/, "").split(/\r\n|\r|\n/).length
  return [
    `# ${cell(name)}`,
    "",
    "| | |",
    "|---|---:|",
    `| Words | ${total} |`,
    `| Different words | ${words.size} |`,
    `| Characters | ${[...text].length} |`,
    `| Characters without spaces | ${[...text.replace(/\s+/gu, "")].length} |`,
    `| Lines | ${lines} |`,
    "",
    "| Word | Times |",
    "|---|---:|",
    ...often.map(([word, times]) => `| ${cell(word)} | ${times} |`),
    ""
  ].join("\n")
}

/** One kind of line end, no invisible characters, no spaces too many, at most one blank line, one line end last. */
export const clean = (text: string): string => {
  const lines = text
    .normalize("NFC")
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/[\u00a0\u2000-\u200a\u3000]/g, " ")
    .replace(/[^\P{C}\n\t\u200d]/gu, "")
    .split("\n")
    .map((line) => {
      const indent = /^[ \t]*/.exec(line)?.[0] ?? ""
      return `${indent}${line.slice(indent.length).replace(/[ \t]+/g, " ")}`.trimEnd()
    })
  const kept = lines.filter((line, at) => line !== "" || (lines[at - 1] ?? "") !== "")
  return `${kept.join("\n").replace(/^\n+|\n+$/g, "")}\n`
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)

/** Of one line, after escaping: code, links of the web, strong, emphasis. */
const spans = (text: string): string => {
  const codes: Array<string> = []
  return escaped(text)
    .replace(/`([^`]{1,1000})`/g, (_, code: string) => `\u0000${codes.push(code) - 1}\u0000`)
    .replace(/\[([^\][]{1,500})\]\((https?:\/\/[^\s()]{1,2000})\)/g, '<a href="$2">$1</a>')
    .replace(/\*\*([^*]{1,2000})\*\*/g, "<strong>$1</strong>")
    .replace(/(?<![\w*])[*_]([^*_]{1,2000})[*_](?![\w*])/g, "<em>$1</em>")
    .replace(/\u0000(\d+)\u0000/g, (_, at: string) => `<code>${codes[Number(at)] ?? ""}</code>`)
}

/** Headings, paragraphs, lists, quotes, fences and rules of Markdown; whatever else stands there stays text. */
const body = (markdown: string): string => {
  const out: Array<string> = []
  let open: "ul" | "ol" | "blockquote" | undefined
  let paragraph: Array<string> = []
  let fence: Array<string> | undefined
  const flush = () => {
    if (paragraph.length > 0) out.push(`<p>${paragraph.map(spans).join("\n")}</p>`)
    paragraph = []
  }
  const shut = () => {
    flush()
    if (open !== undefined) out.push(`</${open}>`)
    open = undefined
  }
  const within = (tag: NonNullable<typeof open>) => {
    flush()
    if (open === tag) return
    shut()
    open = tag
    out.push(`<${tag}>`)
  }
  for (const line of markdown.replace(/\u0000/g, "").split(/\r\n|\r|\n/)) {
    if (/^\s*(?:```|~~~)/.test(line)) {
      if (fence === undefined) {
        shut()
        fence = []
      } else {
        out.push(`<pre><code>${fence.map(escaped).join("\n")}</code></pre>`)
        fence = undefined
      }
      continue
    }
    if (fence !== undefined) {
      fence.push(line)
      continue
    }
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
    const item = /^\s*(?:([-*+])|\d{1,9}[.)])\s+(.*)$/.exec(line)
    const quote = /^>\s?(.*)$/.exec(line)
    if (heading !== null) {
      shut()
      const level = (heading[1] ?? "#").length
      out.push(`<h${level}>${spans(heading[2] ?? "")}</h${level}>`)
    } else if (/^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      shut()
      out.push("<hr>")
    } else if (item !== null) {
      within(item[1] === undefined ? "ol" : "ul")
      out.push(`<li>${spans(item[2] ?? "")}</li>`)
    } else if (quote !== null) {
      within("blockquote")
      out.push(`<p>${spans(quote[1] ?? "")}</p>`)
    } else if (line.trim() === "") shut()
    else {
      if (open !== undefined) shut()
      paragraph.push(line.trim())
    }
  }
  if (fence !== undefined) out.push(`<pre><code>${fence.map(escaped).join("\n")}</code></pre>`)
  shut()
  return out.join("\n")
}

/** One file that needs nothing from anywhere and runs nothing. */
export const page = (title: string, markdown: string): string => `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(/^#\s+(.+)$/m.exec(markdown)?.[1] ?? title)}</title>
<style>body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}pre{overflow:auto}</style>
</head>
<body>
${body(markdown)}
</body>
</html>
`
