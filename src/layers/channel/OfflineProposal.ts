/**
 * A proposal without a model: out of what the folder says of itself, by a few plain rules. Always one that
 * ProfileFields.check takes; a person looks at it before anything is registered.
 */
import { bounds, type Proposal } from "../../services/protocol/ProfileFields.ts"
import * as SceneTags from "../../services/protocol/SceneTags.ts"
import { isRecord } from "../../services/protocol/Wire.ts"
import { type Language, languageOf } from "./OfflineCommand.ts"
import type { Study, StudiedFile } from "./WorkspaceText.ts"

const cut = (text: string, length: number): string => [...text].slice(0, length).join("")

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim()

interface Found {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly tags?: ReadonlyArray<string> | undefined
}

const ofPackageJson = (text: string): Found => {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return {}
  }
  if (!isRecord(content)) return {}
  const { description, keywords, name } = content
  return {
    // @scope/name
    name: typeof name === "string" ? name.replace(/^@[^/]*\//, "") : undefined,
    description: typeof description === "string" ? description : undefined,
    tags: Array.isArray(keywords) ? keywords.filter((word) => typeof word === "string") : undefined
  }
}

/** `key = "value"` of pyproject.toml and Cargo.toml; the first one is the project's own. */
const ofToml = (text: string): Found => ({
  name: /^name[ \t]{0,20}=[ \t]{0,20}"([^"\n]{1,200})"/m.exec(text)?.[1],
  description: /^description[ \t]{0,20}=[ \t]{0,20}"([^"\n]{1,2000})"/m.exec(text)?.[1]
})

const ofGoMod = (text: string): Found => ({ name: /^module[ \t]+(\S{1,300})/m.exec(text)?.[1]?.split("/").at(-1) })

/** Words alone: no link, picture, mark-up or code. */
const plain = (markdown: string): string =>
  oneLine(
    markdown
      .replace(/!\[[^\]\n]{0,300}\]\([^)\n]{0,1000}\)/g, "")
      .replace(/\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)/g, "$1")
      .replace(/<[^>\n]{0,300}>/g, "")
      .replace(/[*`_]{1,3}([^*`_\n]{1,300})[*`_]{1,3}/g, "$1")
  )

/** The title, and the first paragraph that has words. */
const ofReadme = (text: string): Found => {
  const title = /^#[ \t]+(.{1,300})$/m.exec(text)?.[1]
  const paragraph = text
    .replace(/^```[\s\S]*?^```/gm, "")
    .split(/\n[ \t]*\n/)
    .map((block) => plain(block.replace(/^#.*$/gm, "")))
    .find((words) => words.length >= 20)
  return { name: title === undefined ? undefined : plain(title), description: paragraph }
}

const readers: ReadonlyArray<readonly [RegExp, (text: string) => Found]> = [
  [/^package\.json$/, ofPackageJson],
  [/^(?:pyproject|Cargo)\.toml$/, ofToml],
  [/^go\.mod$/, ofGoMod],
  [/^readme/i, ofReadme]
]

const languages: Readonly<Record<string, string>> = {
  "package.json": "javascript",
  "deno.json": "typescript",
  "pyproject.toml": "python",
  "Cargo.toml": "rust",
  "go.mod": "go",
  "composer.json": "php",
  Gemfile: "ruby",
  "pom.xml": "java",
  "pubspec.yaml": "dart"
}

/** Words that speak for a kind of work, by the name of its code in the platform's list. */
const words: Readonly<Record<string, RegExp>> = {
  "01002": /code review|代码审查/i,
  "02001": /\bdocuments?\b|\bpdf\b|\bdocx\b|文档/i,
  "02002": /\bspreadsheets?\b|\bcsv\b|\bdata(?:set|frame)s?\b|表格|数据处理/i,
  "03001": /\bresearch\b|研究|检索/i,
  "04003": /\bcareers?\b|\br[eé]sum[eé]s?\b|\bjob search\b|简历|求职/i,
  "05001": /\btutor|\blearning assistant\b|\bhomework\b|辅导/i,
  "06001": /\btranslat(?:e|es|or|ion)\b|翻译/i,
  "07001": /\bwriting\b|\bcopywrit|\bprose\b|\bsummari[sz]|写作|文案|摘要/i,
  "07002": /\bproofread|校对|润色/i
}

const unsaid: Readonly<Record<Language, { readonly name: string; readonly description: string }>> = {
  en: { name: "Agent", description: "An agent whose operator has not said yet what it is for." },
  zh: { name: "智能体", description: "运营者还没有说明这个智能体的用途。" }
}

const isName = (name: string | undefined): name is string => name !== undefined && /[\p{L}\p{N}]/u.test(name)

const skillsOf = (files: ReadonlyArray<StudiedFile>): ReadonlyArray<string> =>
  files.flatMap(({ path }) => /^skills?\/([^/]+?)(?:\.md|\/SKILL\.md)$/i.exec(path)?.[1] ?? [])

export const make = (study: Study): Proposal => {
  const found = study.files.flatMap(({ path, text }) =>
    readers.filter(([name]) => name.test(path)).map(([, read]) => read(text))
  )
  const everything = study.files.map(({ text }) => text).join("\n")
  const language = languageOf(found.map(({ description }) => description ?? "").join(" "))
  const packaged = study.files.filter(({ path }) => Object.hasOwn(languages, path))
  const name = [...found.map((one) => one.name && oneLine(one.name)), oneLine(study.folder)].find(isName)
  const description = found.map((one) => one.description && oneLine(one.description)).find((text) => text)
  const codes = Object.entries(words).flatMap(([code, about]) => (about.test(everything) ? [code] : []))
  const known = new Set(SceneTags.all.map(({ code }) => code))
  const tags = [
    ...found.flatMap((one) => one.tags ?? []),
    ...skillsOf(study.files),
    ...packaged.flatMap(({ path }) => languages[path] ?? [])
  ]
  return {
    name: cut(name ?? unsaid[language].name, bounds.name),
    description: cut(description ?? unsaid[language].description, bounds.description),
    avatar: "",
    scene_tags: [...(packaged.length > 0 ? ["01001"] : []), ...codes].filter((code) => known.has(code)).slice(0, 5),
    custom_tags: [...new Set(tags.map((tag) => cut(oneLine(tag), bounds.tag)).filter((tag) => tag !== ""))].slice(0, 8),
    hourly_rate: 0,
    instance_type: 0
  }
}
