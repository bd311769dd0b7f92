/** Edits of a JSON5 text: what is edited changes, and not one character more. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as configText from "../../../src/programs/openclawInstaller/configText.ts"

const apply = (text: string, ...edits: ReadonlyArray<configText.Edit>): string => {
  const done = configText.apply(text, edits)
  if (Result.isFailure(done)) throw new Error(done.failure)
  return done.success
}

const add = (path: string, item: string): configText.Edit => ({ _tag: "add", path: path.split("."), item })
const drop = (path: string, item: string): configText.Edit => ({ _tag: "drop", path: path.split("."), item })
const set = (path: string, value: unknown): configText.Edit => ({ _tag: "set", path: path.split("."), value })
const remove = (path: string): configText.Edit => ({ _tag: "remove", path: path.split(".") })

describe("edits of a configuration's text", () => {
  it("keep comments, order, quotes and spaces, and follow the file's manner", () => {
    const text = `// my gateway
{
  gateway: { mode: 'local', port: 0x4a38, }, // keep
  plugins: {
    allow: ["telegram"], /* those I trust */
    // more below
  },
  'odd key': +Infinity
}
// end
`
    const edited = apply(
      text,
      add("plugins.allow", "clawfiber"),
      set("plugins.entries.clawfiber.enabled", true),
      set("channels.instaclaw", { enabled: true })
    )
    assert.strictEqual(
      edited,
      `// my gateway
{
  gateway: { mode: 'local', port: 0x4a38, }, // keep
  plugins: {
    allow: ["telegram", "clawfiber"], /* those I trust */
    entries: {
      clawfiber: {
        enabled: true
      }
    },
    // more below
  },
  'odd key': +Infinity,
  channels: {
    instaclaw: {
      enabled: true
    }
  }
}
// end
`
    )
    const undone = apply(edited, drop("plugins.allow", "clawfiber"), remove("plugins.entries"), remove("channels"))
    assert.strictEqual(undone, text)
  })

  for (const [name, text, expected] of [
    ["strict JSON stays strict", `{\n\t"a": 1\n}\n`, `{\n\t"a": 1,\n\t"b": {\n\t\t"c": true\n\t}\n}\n`],
    ["one line stays one line", `{"a":1}`, `{"a":1, "b": { "c": true }}`],
    ["an empty object", `{}`, `{ "b": { "c": true } }`],
    ["CRLF", `{\r\n  a: 1\r\n}\r\n`, `{\r\n  a: 1,\r\n  b: {\r\n    c: true\r\n  }\r\n}\r\n`],
    ["a line comment after the last value", `{\n  a: 1 // why\n}`, `{\n  a: 1, // why\n  b: {\n    c: true\n  }\n}`],
    ["a comment alone", `{\n  // nothing yet\n}`, `{\n  // nothing yet\n  "b": {\n    "c": true\n  }\n}`],
    ["a comma at the end", `{\n  a: 1,\n}`, `{\n  a: 1,\n  b: {\n    c: true\n  },\n}`]
  ] as const) {
    it(`${name}`, () => {
      assert.strictEqual(apply(text, set("b.c", true)), expected)
    })
  }

  it("says with line and column what cannot be read", () => {
    const read = configText.read("{\n  a: \n}")
    assert.isTrue(Result.isFailure(read))
    assert.match(Result.isFailure(read) ? read.failure : "", /3:1/)
    assert.isTrue(Result.isFailure(configText.read("[1]")))
    assert.isTrue(Result.isFailure(configText.read("")))
  })

  it("refuses what it would damage: a name that stands twice", () => {
    assert.isTrue(Result.isFailure(configText.apply(`{ a: 1, a: 2 }`, [remove("a")])))
  })

  it("of any text, by any edit: the value says what it should, and what is added costs no comment", () => {
    for (let seed = 1; seed <= 4_000; seed++) {
      const chance = chanceOf(seed)
      const text = textOf(chance)
      const before = configText.read(text)
      if (Result.isFailure(before)) throw new Error(`seed ${seed}: ${before.failure}\n${text}`)
      const edit = editOf(chance)
      const done = configText.apply(text, [edit])
      if (Result.isFailure(done)) throw new Error(`seed ${seed}: ${done.failure} ${JSON.stringify(edit)}\n${text}`)
      const after = configText.read(done.success)
      assert.isTrue(Result.isSuccess(after))
      if (Result.isFailure(after)) continue
      const back = configText.apply(done.success, configText.between(after.success, before.success))
      assert.isTrue(Result.isSuccess(back), `seed ${seed}`)
      // A value that goes takes the comments within it along.
      const held = edit.path.map((_, depth) => edit.path.slice(0, depth + 1).reduce<unknown>(at, before.success))
      const goes = held.find((value) => value !== undefined && !configText.isFields(value)) ?? held.at(-1)
      if (goes !== undefined && !(edit._tag === "add" && Array.isArray(held.at(-1)))) continue
      assert.strictEqual(commentsIn(done.success), commentsIn(text), `seed ${seed}: ${text}\n${done.success}`)
    }
  })
})

const at = (held: unknown, name: string): unknown => (configText.isFields(held) ? held[name] : undefined)

type Chance = <A>(...choices: ReadonlyArray<A> & readonly [A, ...ReadonlyArray<A>]) => A

/** The same for the same seed (mulberry32). */
const chanceOf = (seed: number): Chance => {
  let state = seed
  return (...choices) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return choices[((mixed ^ (mixed >>> 14)) >>> 0) % choices.length] ?? choices[0]
  }
}

const commentsIn = (text: string): number => [...text.matchAll(/c\d+/g)].length

/** A text of random manner with numbered comments. */
const textOf = (one: Chance): string => {
  let comments = 0
  const gap = (): string =>
    one("", "", " ", "\n", "\n  ", "BLOCK", "LINE")
      .replace("BLOCK", () => ` /* c${comments++} */ `)
      .replace("LINE", () => ` // c${comments++}\n`)
  const object = (depth: number): string =>
    block("{", "}", (index) => {
      const name = one(`k${index}`, `"k${index}"`, `'k${index}'`)
      return `${name}${gap()}:${gap()}${value(depth + 1)}`
    })
  const block = (open: string, close: string, item: (index: number) => string): string => {
    const items = Array.from({ length: one(0, 1, 2, 3) }, (_, index) => item(index))
    const comma = items.length > 0 ? one("", `,${gap()}`) : ""
    return `${open}${gap()}${items.map((text) => `${text}${gap()}`).join(`,${gap()}`)}${comma}${close}`
  }
  const value = (depth: number): string => {
    const kind = depth > 2 ? "leaf" : one("leaf", "object", "object", "list")
    if (kind === "object") return object(depth)
    if (kind === "list") return block("[", "]", (index) => one(`"a${index}"`, `'b${index}'`))
    return one("1", "true", "'x\\'y'", '"z // none"', "null", "0x1F", ".5")
  }
  return `${gap()}${object(0)}${gap()}`
}

const editOf = (one: Chance): configText.Edit => {
  const name = () => one("k0", "k1", "k2", "new")
  const path = one<ReadonlyArray<string>>([name()], [name(), name()], [name(), name(), name()])
  const item = one("a0", "b1", "fresh")
  return one<configText.Edit>(
    { _tag: "set", path, value: { deep: ["x"] } },
    { _tag: "remove", path },
    { _tag: "add", path, item },
    { _tag: "drop", path, item }
  )
}
