/** The texts that stand in a source file: what its string literals say, and its templates with `{{}}` for each value. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseSync } from "vite"

const root = fileURLToPath(new URL("../../", import.meta.url))

const isNode = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const cookedOf = (quasi: unknown): string => {
  const value = isNode(quasi) ? quasi["value"] : undefined
  const cooked = isNode(value) ? value["cooked"] : undefined
  return typeof cooked === "string" ? cooked : ""
}

/** `path` from the root of the repository. */
export const textsOf = (path: string): ReadonlyArray<string> => {
  const { errors, program } = parseSync(path, readFileSync(`${root}${path}`, "utf8"))
  if (errors.length > 0) throw new Error(`${path} cannot be read`)
  const texts: Array<string> = []
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk)
    if (!isNode(node) || node["type"] === "ImportDeclaration") return
    const { quasis, type, value } = node
    if (type === "Literal" && typeof value === "string") texts.push(value)
    if (type === "TemplateLiteral" && Array.isArray(quasis)) texts.push(quasis.map(cookedOf).join("{{}}"))
    for (const child of Object.values(node)) walk(child)
  }
  walk(program)
  return texts
}

/** What a person could read: several words that end as a sentence does. */
export const isSentence = (text: string): boolean =>
  /\s/.test(text.trim()) &&
  /[a-z]/.test(text) &&
  /[.?!]$/.test(text) &&
  !/^(?:SELECT|UPDATE|INSERT|DELETE)\b/.test(text)

export const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
