/**
 * Edits of a JSON5 text that leave everything else as it is, comments, order and spaces included: only the characters of
 * the edited values change. The parser says where each value stands; what is written follows the file's own manner
 * (indentation, quotes around names, trailing commas, one line or several).
 */
import {
  type ArrayNode,
  evaluate,
  type MemberNode,
  type ObjectNode,
  parse,
  type Token,
  type ValueNode
} from "@humanwhocodes/momoa"
import { isDeepStrictEqual } from "node:util"
import * as Result from "effect/Result"

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `path` names objects from the root on; those that are missing are made. */
export type Edit =
  | { readonly _tag: "set"; readonly path: ReadonlyArray<string>; readonly value: unknown }
  | { readonly _tag: "remove"; readonly path: ReadonlyArray<string> }
  /** One item of a list of strings; the list is made where it is missing. */
  | { readonly _tag: "add"; readonly path: ReadonlyArray<string>; readonly item: string }
  | { readonly _tag: "drop"; readonly path: ReadonlyArray<string>; readonly item: string }

interface Parsed {
  readonly text: string
  readonly root: ObjectNode
  readonly tokens: ReadonlyArray<Token>
}

const parsed = (text: string): Parsed | string => {
  try {
    const document = parse(text, { mode: "json5", tokens: true })
    return document.body.type === "Object"
      ? { text, root: document.body, tokens: document.tokens ?? [] }
      : "It holds no object."
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What the text says, or what is wrong with it, with line and column. */
export const read = (text: string): Result.Result<Fields, string> => {
  const found = parsed(text)
  if (typeof found === "string") return Result.fail(found)
  const value: unknown = evaluate(found.root)
  return isFields(value) ? Result.succeed(value) : Result.fail("It holds no object.")
}

/** What has a place in the text. */
type Placed = Pick<Token, "loc">

const rangeOf = ({ loc }: Placed): readonly [from: number, to: number] => [loc.start.offset, loc.end.offset]

const nameOf = (member: MemberNode): string => (member.name.type === "String" ? member.name.value : member.name.name)

/** Of names that stand twice the last one counts, as for every reader of JSON. */
const memberOf = (object: ObjectNode, name: string): MemberNode | undefined =>
  object.members.findLast((member) => nameOf(member) === name)

/** The value at the path, as far as objects lead there, and the names that are left over. */
const descend = (root: ObjectNode, path: ReadonlyArray<string>) => {
  let holder = root
  let depth = 0
  let member: MemberNode | undefined
  for (; depth < path.length; depth++) {
    member = memberOf(holder, path[depth] ?? "")
    if (member === undefined || depth === path.length - 1) break
    if (member.value.type !== "Object") break
    holder = member.value
  }
  return { holder, member, rest: path.slice(depth) }
}

const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1

const indentAt = (text: string, at: number): string => /^[ \t]*/.exec(text.slice(lineStart(text, at)))?.[0] ?? ""

const startsLine = (text: string, at: number): boolean => text.slice(lineStart(text, at), at).trim() === ""

/** What the file is written like. */
const mannerOf = ({ root, text }: Parsed) => {
  const first = root.members[0]
  const at = first === undefined ? undefined : rangeOf(first)[0]
  const unit = at !== undefined && startsLine(text, at) ? indentAt(text, at) : ""
  return {
    unit: unit === "" ? "  " : unit,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
    bare: first?.name.type === "Identifier",
    lines: text.trim().includes("\n")
  }
}
type Manner = ReturnType<typeof mannerOf>

const written = (value: unknown, manner: Manner, indent: string, oneLine: boolean): string => {
  const name = (key: string) => (manner.bare && /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key))
  const inner = `${indent}${manner.unit}`
  const block = (items: ReadonlyArray<string>, [open, close]: readonly [string, string]): string => {
    if (items.length === 0) return `${open}${close}`
    if (oneLine) return open === "{" ? `{ ${items.join(", ")} }` : `[${items.join(", ")}]`
    return `${open}${manner.eol}${items.map((item) => `${inner}${item}`).join(`,${manner.eol}`)}${manner.eol}${indent}${close}`
  }
  if (Array.isArray(value))
    return block(
      value.map((item) => written(item, manner, inner, oneLine)),
      ["[", "]"]
    )
  if (isFields(value)) {
    return block(
      Object.entries(value).map(([key, item]) => `${name(key)}: ${written(item, manner, inner, oneLine)}`),
      ["{", "}"]
    )
  }
  return JSON.stringify(value ?? null)
}

const commaBetween = (tokens: ReadonlyArray<Token>, from: number, to: number): number | undefined => {
  const comma = tokens.find((token) => token.type === "Comma" && rangeOf(token)[0] >= from && rangeOf(token)[1] <= to)
  return comma === undefined ? undefined : rangeOf(comma)[0]
}

/** Past the comments that begin on this line: they belong to what stands before them. */
const afterLine = ({ text, tokens }: Parsed, from: number, limit: number): number => {
  let at = from
  for (;;) {
    const spaces = /^[ \t]*/.exec(text.slice(at, limit))?.[0].length ?? 0
    const comment = tokens.find(
      (token) => token.type.endsWith("Comment") && rangeOf(token)[0] === at + spaces && rangeOf(token)[1] <= limit
    )
    if (comment === undefined) return at
    at = rangeOf(comment)[1]
  }
}

const splice = (text: string, from: number, to: number, inserted: string): string =>
  `${text.slice(0, from)}${inserted}${text.slice(to)}`

/** Puts one more item at the end of an object or a list. `render` gets the indentation, and whether it is one line. */
const append = (
  file: Parsed,
  node: ObjectNode | ArrayNode,
  manner: Manner,
  render: (indent: string, oneLine: boolean) => string
): string => {
  const { text, tokens } = file
  const [start, end] = rangeOf(node)
  const items: ReadonlyArray<Placed> = node.type === "Object" ? node.members : node.elements
  const last = items.at(-1)
  const close = end - 1
  const outer = indentAt(text, start)
  if (last === undefined) {
    const held = text.slice(start + 1, close)
    const indent = `${outer}${manner.unit}`
    if (held.trim() === "") {
      return manner.lines
        ? splice(text, start + 1, close, `${manner.eol}${indent}${render(indent, false)}${manner.eol}${outer}`)
        : splice(text, start + 1, close, node.type === "Object" ? ` ${render("", true)} ` : render("", true))
    }
    const at = start + 1 + held.trimEnd().length
    return /\n/.test(held)
      ? splice(text, at, close, `${manner.eol}${indent}${render(indent, false)}${manner.eol}${outer}`)
      : splice(text, at, close, ` ${render("", true)} `)
  }
  const [lastStart, lastEnd] = rangeOf(last)
  const comma = commaBetween(tokens, lastEnd, close)
  if (!startsLine(text, lastStart)) {
    const added = render(outer, true)
    return comma === undefined
      ? splice(text, lastEnd, lastEnd, `, ${added}`)
      : splice(text, comma + 1, comma + 1, ` ${added},`)
  }
  const indent = indentAt(text, lastStart)
  const at = afterLine(file, comma === undefined ? lastEnd : comma + 1, close)
  const added = `${manner.eol}${indent}${render(indent, false)}${comma === undefined ? "" : ","}`
  // A closing bracket on the last item's own line goes to one of its own only where a line comment forces it to.
  const withItem = splice(text, at, at, added)
  return comma === undefined ? splice(withItem, lastEnd, lastEnd, ",") : withItem
}

/** Takes one item out of an object or a list, with its comma, and its line where nothing else stands there. */
const takeOut = ({ text, tokens }: Parsed, node: ObjectNode | ArrayNode, item: Placed): string => {
  const [, end] = rangeOf(node)
  const [from, to] = rangeOf(item)
  const after = commaBetween(tokens, to, end)
  const items: ReadonlyArray<Placed> = node.type === "Object" ? node.members : node.elements
  const index = items.indexOf(item)
  const before = items[index - 1]
  const next = items[index + 1]
  let cut = text
  let stop = to
  if (after !== undefined) stop = after + 1
  const tail = /^[ \t]*(?:\r?\n|$)/.exec(cut.slice(stop))
  if (startsLine(cut, from) && tail !== null) {
    cut = splice(cut, lineStart(cut, from), stop + tail[0].length, "")
  } else if (next !== undefined && after !== undefined) {
    const spaces = /^[ \t]*/.exec(cut.slice(stop))?.[0].length ?? 0
    cut = splice(cut, from, stop + spaces, "")
  } else if (before !== undefined) {
    const gap = rangeOf(before)[1]
    const held = cut.slice(gap, from)
    cut = splice(cut, /^\s*,\s*$/.test(held) ? gap : from, after === undefined ? to : stop, "")
    if (/^\s*,\s*$/.test(held)) return after === undefined ? cut : splice(cut, gap, gap, ",")
  } else {
    cut = splice(cut, from, stop, "")
  }
  // The comma before the last item goes too where the file ends its lists without one.
  if (next === undefined && after === undefined && before !== undefined) {
    const comma = commaBetween(tokens, rangeOf(before)[1], from)
    if (comma !== undefined) cut = splice(cut, comma, comma + 1, "")
  }
  const left = items.length === 1
  if (!left) return cut
  const [start] = rangeOf(node)
  const close = end - (text.length - cut.length) - 1
  return cut.slice(start + 1, close).trim() === "" ? splice(cut, start + 1, close, "") : cut
}

const nest = (path: ReadonlyArray<string>, value: unknown): unknown =>
  path.reduceRight<unknown>((held, name) => ({ [name]: held }), value)

const setIn = (file: Parsed, path: ReadonlyArray<string>, value: unknown): string => {
  const manner = mannerOf(file)
  const { holder, member, rest } = descend(file.root, path)
  if (member !== undefined) {
    const [from, to] = rangeOf(member.value)
    const replaced = rest.length > 1 ? nest(rest.slice(1), value) : value
    const oneLine = !startsLine(file.text, rangeOf(member)[0])
    return splice(file.text, from, to, written(replaced, manner, indentAt(file.text, from), oneLine))
  }
  const [name = "", ...inner] = rest
  return append(
    file,
    holder,
    manner,
    (indent, oneLine) =>
      // `{ name: value }` without its braces: one item as `written` would write it.
      `${manner.bare && /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${written(nest(inner, value), manner, indent, oneLine)}`
  )
}

const listAt = (file: Parsed, path: ReadonlyArray<string>): ArrayNode | undefined => {
  const { member, rest } = descend(file.root, path)
  return rest.length === 1 && member?.value.type === "Array" ? member.value : undefined
}

const isString = (node: ValueNode, text: string): boolean => node.type === "String" && node.value === text

const one = (file: Parsed, edit: Edit): string => {
  switch (edit._tag) {
    case "set":
      return setIn(file, edit.path, edit.value)
    case "remove": {
      const { holder, member, rest } = descend(file.root, edit.path)
      return member === undefined || rest.length > 1 ? file.text : takeOut(file, holder, member)
    }
    case "add": {
      const list = listAt(file, edit.path)
      if (list === undefined) return setIn(file, edit.path, [edit.item])
      if (list.elements.some(({ value }) => isString(value, edit.item))) return file.text
      return append(file, list, mannerOf(file), () => JSON.stringify(edit.item))
    }
    case "drop": {
      const list = listAt(file, edit.path)
      const element = list?.elements.find(({ value }) => isString(value, edit.item))
      return list === undefined || element === undefined ? file.text : takeOut(file, list, element)
    }
  }
}

/** The same edits on the value alone: what the edited text has to say. */
export const onValue = (value: Fields, edit: Edit): Fields => {
  const [name = "", ...rest] = edit.path
  const held = value[name]
  if (rest.length > 0) {
    if (edit._tag !== "set" && edit._tag !== "add" && !isFields(held)) return value
    return { ...value, [name]: onValue(isFields(held) ? held : {}, { ...edit, path: rest }) }
  }
  switch (edit._tag) {
    case "set":
      return { ...value, [name]: edit.value }
    case "remove":
      return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))
    case "add": {
      const list: ReadonlyArray<unknown> = Array.isArray(held) ? held : []
      return { ...value, [name]: list.includes(edit.item) ? list : [...list, edit.item] }
    }
    case "drop": {
      if (!Array.isArray(held)) return value
      const index = held.indexOf(edit.item)
      return index < 0 ? value : { ...value, [name]: held.filter((_, at) => at !== index) }
    }
  }
}

/**
 * The text with the edits. Fails with what is wrong with the text, and where the result would say anything else than the
 * edits on the value do (a name that stands twice, say), so that no file is ever written that was not understood.
 */
export const apply = (text: string, edits: ReadonlyArray<Edit>): Result.Result<string, string> => {
  let current = text
  for (const edit of edits) {
    const before = parsed(current)
    if (typeof before === "string") return Result.fail(before)
    current = one(before, edit)
    const wanted = onValue(evaluated(before), edit)
    const after = parsed(current)
    if (typeof after === "string" || !isDeepStrictEqual(plain(evaluated(after)), plain(wanted))) {
      return Result.fail(`${edit.path.join(".")} is written in a way that cannot be edited safely.`)
    }
  }
  return Result.succeed(current)
}

const evaluated = (file: Parsed): Fields => {
  const value: unknown = evaluate(file.root)
  return isFields(value) ? value : {}
}

/** Without prototypes and the order of names. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, held]) => [key, plain(held)])
  )
}

/** What leads from one value to another. Lists of strings change item by item, others as a whole. */
export const between = (from: Fields, to: Fields, path: ReadonlyArray<string> = []): ReadonlyArray<Edit> => {
  const edits: Array<Edit> = []
  for (const name of Object.keys(from)) {
    if (!(name in to)) edits.push({ _tag: "remove", path: [...path, name] })
  }
  for (const [name, value] of Object.entries(to)) {
    const at = [...path, name]
    const held = from[name]
    if (isDeepStrictEqual(plain(held), plain(value)) && name in from) continue
    if (isFields(held) && isFields(value)) edits.push(...between(held, value, at))
    else if (isStrings(held) && isStrings(value) && new Set(held).size === held.length) {
      const dropped = held.filter((item) => !value.includes(item))
      const added = value.filter((item) => !held.includes(item))
      const kept = [...held.filter((item) => value.includes(item)), ...added]
      if (!isDeepStrictEqual(kept, value)) edits.push({ _tag: "set", path: at, value })
      else {
        edits.push(...dropped.map((item): Edit => ({ _tag: "drop", path: at, item })))
        edits.push(...added.map((item): Edit => ({ _tag: "add", path: at, item })))
      }
    } else edits.push({ _tag: "set", path: at, value })
  }
  return edits
}

const isStrings = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((item) => typeof item === "string")
