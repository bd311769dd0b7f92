/**
 * Sums as people type them: + - * / ^ % and brackets, also × ÷ −, with thousands separated by commas. Recursive
 * descent, bounded in depth; nothing is ever evaluated as code.
 */
export type Outcome =
  | { readonly _tag: "Value"; readonly value: number }
  | { readonly _tag: "DivisionByZero" }
  /** The result is beyond what a double holds. */
  | { readonly _tag: "OutOfRange" }

const maxLength = 500
const maxDepth = 50

class NotASum extends Error {}
class ByZero extends Error {}

const tokens = (text: string): ReadonlyArray<string> => {
  const plain = text
    .normalize("NFKC")
    .replaceAll("×", "*")
    .replaceAll("÷", "/")
    .replaceAll("−", "-")
    .replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, "")
    .replaceAll(/(?<=[\d)\s])[xX](?=[\d(\s])/g, "*")
    .replaceAll("**", "^")
  const found = plain.match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+|[-+*/^%()]|\S/g) ?? []
  return found
}

class Parser {
  private readonly tokens: ReadonlyArray<string>
  private at = 0
  private depth = 0
  operators = 0

  constructor(tokens: ReadonlyArray<string>) {
    this.tokens = tokens
  }

  whole(): number {
    const value = this.sum()
    if (this.at !== this.tokens.length) throw new NotASum()
    return value
  }

  private taken(...operators: ReadonlyArray<string>): string | undefined {
    const token = this.tokens[this.at]
    if (token === undefined || !operators.includes(token)) return undefined
    this.at++
    return token
  }

  private sum(): number {
    let value = this.product()
    for (;;) {
      const operator = this.taken("+", "-")
      if (operator === undefined) return value
      this.operators++
      const right = this.product()
      value = operator === "+" ? value + right : value - right
    }
  }

  private product(): number {
    let value = this.signed()
    for (;;) {
      const operator = this.taken("*", "/", "%")
      if (operator === undefined) return value
      this.operators++
      const right = this.signed()
      if (operator !== "*" && right === 0) throw new ByZero()
      value = operator === "*" ? value * right : operator === "/" ? value / right : value % right
    }
  }

  /** The sign binds weaker than the power: -2^2 is -4. */
  private signed(): number {
    const sign = this.taken("+", "-")
    if (sign === undefined) return this.power()
    if (++this.depth > maxDepth) throw new NotASum()
    const value = this.signed()
    this.depth--
    return sign === "-" ? -value : value
  }

  private power(): number {
    const base = this.atom()
    if (this.taken("^") === undefined) return base
    this.operators++
    if (++this.depth > maxDepth) throw new NotASum()
    const exponent = this.signed()
    this.depth--
    return base ** exponent
  }

  private atom(): number {
    if (this.taken("(") !== undefined) {
      if (++this.depth > maxDepth) throw new NotASum()
      const value = this.sum()
      if (this.taken(")") === undefined) throw new NotASum()
      this.depth--
      return value
    }
    const token = this.tokens[this.at++]
    if (token === undefined || !/^[\d.]/.test(token)) throw new NotASum()
    return Number(token)
  }
}

/** Undefined where the text is no sum; a lone number is none. */
export const evaluate = (text: string): Outcome | undefined => {
  if (text.length > maxLength) return undefined
  const parser = new Parser(tokens(text))
  try {
    const value = parser.whole()
    if (parser.operators === 0) return undefined
    return Number.isFinite(value) ? { _tag: "Value", value } : { _tag: "OutOfRange" }
  } catch (cause) {
    if (cause instanceof ByZero) return { _tag: "DivisionByZero" }
    if (cause instanceof NotASum) return undefined
    throw cause
  }
}

/** Without the noise of binary fractions: 0.1 + 0.2 is 0.3. */
export const formatted = (value: number): string => String(Number(value.toPrecision(14)))
