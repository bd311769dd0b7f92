/** What the properties of this room draw from. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { ReplyLog, type ReplyHead, type Step } from "../../../src/services/protocol/ReplyLog.ts"
import type { Failure, FailureCode, Usage } from "../../../src/services/protocol/ResponseEvent.ts"

/** Each of these has broken some chunker or some JSON template. */
const shards = [
  "a",
  " ",
  "hello, world. ",
  "x".repeat(49),
  "y".repeat(120),
  "\r\n",
  "\n",
  '"',
  "\\",
  '\\"',
  "</script>",
  "\u0000",
  "\u001f",
  "\u007f",
  "\u2028",
  "\ufeff",
  // Halves of code points: alone, and about to meet.
  "\ud83d",
  "\ude00",
  "\u200d",
  "\ufe0f",
  "\u0301",
  "e\u0301",
  "z" + "\u0301\u0327".repeat(40),
  "\u00a9",
  "👍",
  "🏿",
  "👍🏿",
  "👨‍👩‍👧‍👦",
  "👩🏽‍🚀",
  "🏳️‍🌈",
  "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
  "🇩🇪",
  "🇯🇵",
  "🇨",
  "1️⃣",
  "〰️",
  "㊙️",
  "漢字仮名",
  "你好，世界。",
  "か\u3099",
  "한국어",
  "\u1112\u1161\u11ab",
  "क्षि",
  "நி",
  "ก็",
  "\u0644\u0627"
] as const

export const shard: Arbitrary.Arbitrary<string> = Arbitrary.schema(
  Schema.Union([Schema.Literals(shards), Schema.Literals(shards), Schema.String])
)

export const pieces = Arbitrary.array(shard, { maxLength: 40 })
export const text = Arbitrary.map(pieces, (all) => all.join(""))
/** Text that says something. */
export const words = Arbitrary.map(Arbitrary.array(shard, { minLength: 1, maxLength: 8 }), (all) => all.join("") + ".")
export const id = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Literals(["m", "7", "-", "é", '"', "\\", "漢", "__proto__", "/"])), {
    minLength: 1,
    maxLength: 4
  }),
  (all) => all.join("")
)
export const optionalId = Arbitrary.flatMap(Arbitrary.schema(Schema.Boolean), (some) =>
  some ? id : Arbitrary.Constant<string | undefined>(undefined)
)

const codes: ReadonlyArray<FailureCode> = [
  "INVALID_REQUEST",
  "RATE_LIMIT",
  "SDK_ERROR",
  "CALLBACK_ERROR",
  "TIMEOUT",
  "CANCELLED",
  "INTERRUPTED"
]
export const failure: Arbitrary.Arbitrary<Failure> = Arbitrary.all({
  code: Arbitrary.schema(Schema.Literals(codes)),
  message: words
})

/**
 * No key that JSON has to escape: JSON.parse of Node 24 to 26 now and then reads such a property name wrong (after
 * enough other objects, `{"-":"","\"":""}` comes back with the key `\`), which is not ours to mend and not ours to test.
 */
const key = Arbitrary.map(id, (name) => name.replaceAll(/["\\]/g, "k"))

export const metadata: Arbitrary.Arbitrary<Readonly<Record<string, string>>> = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([key, text]), { maxLength: 4 }),
  (entries) => Object.fromEntries(entries)
)

export const head: Arbitrary.Arbitrary<ReplyHead> = Arbitrary.all({
  responseId: id,
  itemId: id,
  createdAt: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000 }))),
  model: words,
  metadata
})

export const usage: Usage = {
  input_tokens: 3,
  output_tokens: 5,
  total_tokens: 8,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens_details: { reasoning_tokens: 0 }
}

/** One whole reply: what the runtime gave, push by push, and how it ended. */
export interface Reply {
  readonly head: ReplyHead
  readonly pushes: ReadonlyArray<ReadonlyArray<string>>
  readonly failure: Failure | undefined
}

export const reply: Arbitrary.Arbitrary<Reply> = Arbitrary.all({
  head,
  pushes: Arbitrary.array(pieces, { maxLength: 5 }),
  failure: Arbitrary.flatMap(Arbitrary.schema(Schema.Boolean), (failed) =>
    failed ? failure : Arbitrary.Constant<Failure | undefined>(undefined)
  )
})

export const endedAt = 1_800_000_000

export const stepsOf = (reply: Reply, maxDelta?: number): ReadonlyArray<Step> => {
  const log = new ReplyLog({ maxDelta })
  const steps: Array<Step> = [log.open()]
  for (const push of reply.pushes) {
    const step = log.push(push)
    if (step !== undefined) steps.push(step)
  }
  return [...steps, ...(reply.failure === undefined ? log.complete(endedAt, usage) : log.fail(endedAt, reply.failure))]
}

export const textOf = (reply: Reply): string => reply.pushes.flat().join("")

export const deltasOf = (steps: ReadonlyArray<Step>): ReadonlyArray<string> =>
  steps.flatMap((step) => (step._tag === "Deltas" ? step.deltas : []))
