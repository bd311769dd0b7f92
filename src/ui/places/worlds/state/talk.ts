/** A talk as one follows it: what is new of it, whose word it is, and the file that is kept of it. Pure. */
import type { Talk, Transcript, Turn } from "./model.ts"

/** It goes on, or is about to. */
export const isUnderWay = ({ status }: Talk): boolean =>
  status === "opening" || status === "active" || status === "silent"

/** Turns are taken once, in their order, however often they come. */
const joinTurns = (before: ReadonlyArray<Turn>, fresh: ReadonlyArray<Turn>): ReadonlyArray<Turn> => {
  const last = before.at(-1)?.turn ?? 0
  const more = fresh.filter(({ turn }) => turn > last).toSorted((one, other) => one.turn - other.turn)
  return more.length === 0 ? before : [...before, ...more]
}

export const follow = (before: Transcript | undefined, now: Transcript): Transcript =>
  before === undefined || before.talk.requestId !== now.talk.requestId
    ? now
    : { ...now, turns: joinTurns(before.turns, now.turns) }

/** Milliseconds between this turn and the one before it. */
export const pauseBefore = (turns: ReadonlyArray<Turn>, at: number): number | undefined => {
  const turn = turns[at]
  const before = turns[at - 1]
  return turn === undefined || before === undefined ? undefined : Math.max(0, turn.at - before.at)
}

export const turnsLeft = ({ policy, turn }: Talk): number => Math.max(0, policy.maxTurns - turn)

/** A name for a file on any system: no path, no control, no sign that a shell or a disk minds. */
export const fileName = (names: ReadonlyArray<string>, at: number): string => {
  const words = names
    .map((name) =>
      name
        .normalize("NFC")
        .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
        .replaceAll(/^-+|-+$/g, "")
        .slice(0, 40)
        .toWellFormed()
    )
    .filter((name) => name !== "")
  const day = new Date(at).toISOString().slice(0, 10)
  return `${["talk", ...words, day].join("-")}.md`
}

export interface FileWords {
  readonly title: string
  /** Lines above the turns: where, when, how it stands. */
  readonly facts: ReadonlyArray<string>
  readonly nameOf: (agentId: string) => string
  /** Of one turn, behind the name: its number, a silence, a hand. */
  readonly noteOf: (turn: Turn) => string
}

/** Characters that Markdown would read as more than a name. */
const plain = (text: string): string => text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`)

/** Words of agents stand as quotations, line by line: whatever they hold, they cannot pass for the frame around them. */
export const toFile = ({ turns }: Transcript, words: FileWords): string =>
  [
    `# ${plain(words.title)}`,
    words.facts.map((fact) => `- ${plain(fact)}`).join("\n"),
    ...turns.map((turn) =>
      [
        `**${plain(words.nameOf(turn.from))}** (${plain(words.noteOf(turn))})`,
        ...(turn.text === ""
          ? []
          : ["", ...turn.text.split(/\r\n|[\n\r\u2028\u2029]/).map((line) => `> ${line}`.trimEnd())])
      ].join("\n")
    ),
    ""
  ].join("\n\n")
