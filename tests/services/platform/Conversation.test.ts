/** The talk as a step function: laws turn-order, hands and kickoff-once over whatever happens in whatever order. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import {
  type Happening,
  handsEnd,
  isOver,
  isUnspoken,
  open,
  otherSide,
  type Side,
  type Step,
  step,
  type Talk
} from "../../../src/services/platform/Conversation.ts"
import { type EpisodePolicy, handSummaries, raiseHandModes, readReply } from "../../../src/services/protocol/Worlds.ts"

const sides = ["requester", "peer"] as const
const turnTimeoutMs = 10_000
const expiresAt = 1_000_000

const Op = Schema.Struct({
  op: Schema.Literals(["say", "say", "say", "hand", "silence", "came", "late", "sweep", "stop", "taken"]),
  /** Whether it comes from the one whose word it is, and for the turn that is due; else from anybody for any. */
  fits: Schema.Boolean,
  again: Schema.Boolean,
  side: Schema.Literals(sides),
  turn: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })),
  wait: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4000 }))
})
type Op = typeof Op.Type

const Case = Schema.Struct({
  mode: Schema.Literals(raiseHandModes),
  maxTurns: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 })),
  hasOpening: Schema.Boolean,
  requesterIsOnline: Schema.Boolean,
  ops: Schema.Array(Op).check(Schema.isMinLength(1), Schema.isMaxLength(30))
})

const policyOf = (mode: EpisodePolicy["raiseHandPolicy"]["mode"], maxTurns: number): EpisodePolicy => ({
  maxTurns,
  turnTimeoutMs,
  raiseHandPolicy: { mode, summary: handSummaries[mode] }
})

const toHappening = (op: Op, talk: Talk, at: number): Happening => {
  const by: Side = op.fits ? (talk.speaker ?? op.side) : op.side
  const turn = op.fits ? talk.turn + 1 : op.turn
  switch (op.op) {
    case "say":
    case "hand":
      return { _tag: "Said", by, turn, text: `${by} ${turn}`, raisedHand: op.op === "hand", at }
    case "silence":
      return { _tag: "KeptSilent", by, turn, reason: "no_reply_token", at }
    case "late":
      return { _tag: "Said", by, turn, text: "late", raisedHand: false, at: at + turnTimeoutMs }
    case "came":
      return { _tag: "RequesterCame", at }
    case "sweep":
      return { _tag: "TimedOut", turn, at }
    case "stop":
      return { _tag: "Stopped", reason: "operator" }
    case "taken":
      return { _tag: "LastWordsTaken" }
  }
}

interface Turn {
  readonly by: Side
  readonly raised: boolean
  readonly silent: boolean
}

/** Law hands, said once more in plain words over all that was taken. */
const ends = (policy: EpisodePolicy, turns: ReadonlyArray<Turn>): string | undefined => {
  const raised = (side: Side) => turns.some((turn) => turn.by === side && turn.raised)
  const one = raised("requester")
  const other = raised("peer")
  const { mode } = policy.raiseHandPolicy
  if (mode === "dual_raise_hand" && one && other) return "hands"
  if (mode === "either_raise_hand" && (one || other)) return "hands"
  if (mode === "single_raise_hand" && one) return "hands"
  if (turns.length >= policy.maxTurns) return "max_turns"
  if (turns.length >= 2 && turns.slice(-2).every(({ silent }) => silent)) return "silence"
  return undefined
}

const begin = (mode: (typeof raiseHandModes)[number] = "dual_raise_hand", maxTurns = 12): Talk =>
  open(policyOf(mode, maxTurns), { hasOpening: true, requesterIsOnline: true, at: 0, expiresAt }).talk

const said = (talk: Talk, by: Side, raisedHand = false, at = 1): Step =>
  step(talk, { _tag: "Said", by, turn: talk.turn + 1, text: "words", raisedHand, at })

describe("Conversation", () => {
  it.prop(
    "turns alternate, each is taken once, and it ends exactly when its policy says (laws turn-order, hands)",
    [Case],
    ([{ hasOpening, maxTurns, mode, ops, requesterIsOnline }]) => {
      const policy = policyOf(mode, maxTurns)
      const first = open(policy, { hasOpening, requesterIsOnline, at: 0, expiresAt })
      let talk = first.talk
      let asked = first.outcomes.filter(({ _tag }) => _tag === "AskOpener").length
      let notified = 0
      let now = 0
      const turns: Array<Turn> = []
      for (const op of ops) {
        now += op.wait
        const happening = toHappening(op, talk, now)
        for (const repeated of op.again ? [false, true] : [false]) {
          const before = talk
          const { outcomes, talk: after } = step(before, happening)
          asked += outcomes.filter(({ _tag }) => _tag === "AskOpener").length
          notified += outcomes.filter(({ _tag }) => _tag === "Notify").length
          assert.isAtMost(after.turn - before.turn, 1)
          if (after.turn > before.turn) {
            assert.isFalse(repeated, "law turn-order: the same thing again took another turn")
            assert(happening._tag === "Said" || happening._tag === "KeptSilent")
            assert.strictEqual(before.speaker, happening.by, "law turn-order: out of turn")
            assert.strictEqual(happening.turn, after.turn)
            turns.push({
              by: happening.by,
              raised: happening._tag === "Said" && happening.raisedHand,
              silent: happening._tag === "KeptSilent"
            })
            const reason = ends(policy, turns)
            assert.strictEqual(after.endReason, reason, "law hands")
            assert.strictEqual(isOver(after), reason !== undefined, "law hands")
          } else if (!isOver(before) && isOver(after)) {
            const isDue = before.dueAt !== undefined && "at" in happening && happening.at >= before.dueAt
            const failed = happening._tag === "KeptSilent" && before.turn === 0
            assert.isTrue(happening._tag === "Stopped" || isDue || failed, "law hands: it ended for no reason")
          }
          if (isOver(before)) {
            assert.strictEqual(outcomes.length, 0)
            assert.strictEqual(after.turn, before.turn)
          }
          const answerable = outcomes.filter(({ _tag }) => _tag !== "Notify")
          assert.isAtMost(answerable.length, 1)
          for (const outcome of answerable) {
            assert.strictEqual(outcome._tag === "PassOn" ? outcome.to : "requester", after.speaker)
            if (outcome._tag === "PassOn") assert.strictEqual(outcome.turn, after.turn + 1)
          }
          assert.strictEqual(
            after.speaker === undefined,
            isOver(after) || isUnspoken(after) || after.kickoff === "queued"
          )
          assert.strictEqual(after.dueAt === undefined, isOver(after))
          talk = after
        }
      }
      assert.deepStrictEqual(
        turns.map(({ by }) => by),
        turns.map((_, i) => (i % 2 === 0 ? "requester" : "peer")),
        "law turn-order"
      )
      assert.isAtMost(turns.length, maxTurns)
      assert.isAtMost(asked, 1, "law kickoff-once")
      assert.isAtMost(notified, 2)
      if (turns.length > 0) assert.strictEqual(asked, 1)
    },
    { arbitrary: { runs: 400, size: 60 } }
  )

  it("says whose hands end it, by mode", () => {
    const table = raiseHandModes.map((mode) => [
      mode,
      handsEnd(mode, { requester: true, peer: false }),
      handsEnd(mode, { requester: false, peer: true }),
      handsEnd(mode, { requester: true, peer: true }),
      handsEnd(mode, { requester: false, peer: false })
    ])
    assert.deepStrictEqual(table, [
      ["dual_raise_hand", false, false, true, false],
      ["single_raise_hand", true, false, true, false],
      ["either_raise_hand", true, true, true, false]
    ])
  })

  it("gives the last words to the other one alone, and is over when they are taken", () => {
    const one = said(begin("either_raise_hand"), "requester").talk
    const last = said(one, "peer", true)
    assert.deepStrictEqual(last.outcomes, [{ _tag: "Notify", to: "requester", text: "words", reason: "hands" }])
    assert.strictEqual(last.talk.status, "ending")
    assert.strictEqual(step(last.talk, { _tag: "LastWordsTaken" }).talk.status, "ended")
  })

  it("passes the word on over one silence, and ends with two", () => {
    const one = said(begin(), "requester").talk
    const quiet = step(one, { _tag: "KeptSilent", by: "peer", turn: 2, reason: "no_reply_token", at: 2 })
    assert.deepStrictEqual(quiet.outcomes, [{ _tag: "PassOn", to: "requester", turn: 3, text: "" }])
    assert.strictEqual(quiet.talk.status, "silent")
    const spoken = said(quiet.talk, "requester").talk
    assert.deepInclude(spoken, { status: "active", silences: 0 })
    const both = step(quiet.talk, { _tag: "KeptSilent", by: "requester", turn: 3, reason: "no_reply_token", at: 3 })
    assert.deepInclude(both.talk, { status: "ending", endReason: "silence" })
  })

  it("ends by the clock alone: words that come too late change nothing but that (law hands)", () => {
    const one = said(begin(), "requester", false, 5).talk
    assert.strictEqual(one.dueAt, 5 + turnTimeoutMs)
    assert.strictEqual(said(one, "peer", true, 4 + turnTimeoutMs).talk.turn, 2)
    const late = said(one, "peer", true, 5 + turnTimeoutMs)
    assert.deepInclude(late.talk, { turn: 1, status: "ending", endReason: "turn_timeout" })
    assert.deepStrictEqual(
      late,
      step(one, { _tag: "TimedOut", turn: 2, at: 5 + turnTimeoutMs }),
      "whether it is seen by the sweep or by the words"
    )
    assert.strictEqual(step(one, { _tag: "TimedOut", turn: 2, at: 4 + turnTimeoutMs }).talk, one)
    assert.strictEqual(step(one, { _tag: "TimedOut", turn: 1, at: 9e9 }).talk, one, "a sweep that looked before a turn")
  })

  it("asks for first words once, when there is somebody to ask, and fails without them (law kickoff-once)", () => {
    const waiting = open(policyOf("dual_raise_hand", 4), {
      hasOpening: true,
      requesterIsOnline: false,
      at: 0,
      expiresAt
    })
    assert.deepInclude(waiting.talk, { status: "opening", kickoff: "queued", dueAt: expiresAt })
    assert.lengthOf(waiting.outcomes, 0)
    const came = step(waiting.talk, { _tag: "RequesterCame", at: 50 })
    assert.deepStrictEqual(came.outcomes, [{ _tag: "AskOpener" }])
    assert.deepInclude(came.talk, { kickoff: "sent", dueAt: 50 + turnTimeoutMs })
    assert.lengthOf(step(came.talk, { _tag: "RequesterCame", at: 60 }).outcomes, 0)
    const mute = step(came.talk, {
      _tag: "KeptSilent",
      by: "requester",
      turn: 1,
      reason: "runtime_failed_before_reply",
      at: 70
    })
    assert.deepInclude(mute.talk, { status: "kickoff_failed", kickoff: "failed" })
    const never = step(waiting.talk, { _tag: "TimedOut", turn: 1, at: expiresAt })
    assert.deepInclude(never.talk, { status: "kickoff_failed", kickoff: "failed" })
    const stopped = step(came.talk, { _tag: "Stopped", reason: "blocked" })
    assert.deepInclude(stopped.talk, { status: "ended", kickoff: "failed", endReason: "blocked" })
  })

  it("stands without first words until its request runs out, and nobody can speak in it", () => {
    const { outcomes, talk } = open(policyOf("dual_raise_hand", 4), {
      hasOpening: false,
      requesterIsOnline: true,
      at: 0,
      expiresAt
    })
    assert.lengthOf(outcomes, 0)
    assert.isTrue(isUnspoken(talk))
    for (const side of sides) assert.strictEqual(said(talk, side).talk, talk)
    const over = step(talk, { _tag: "TimedOut", turn: 1, at: expiresAt })
    assert.deepInclude(over.talk, { status: "ended", kickoff: "skipped", endReason: "silence" })
    assert.lengthOf(over.outcomes, 0)
  })

  it("tells both when somebody stops it", () => {
    const one = said(begin(), "requester").talk
    const { outcomes, talk } = step(one, { _tag: "Stopped", reason: "left" })
    assert.deepStrictEqual(
      outcomes.map((outcome) => (outcome._tag === "Notify" ? outcome.to : undefined)),
      [...sides]
    )
    assert.strictEqual(talk.endReason, "left")
    assert.strictEqual(otherSide("peer"), "requester")
  })
})

describe("what an agent said", () => {
  const token = "[[request_conversation_end]]"

  it("raises the hand by the token on a line of its own alone", () => {
    assert.deepStrictEqual(readReply(`Bye.\n  ${token} \n`), { text: "Bye.", raisedHand: true })
    assert.deepStrictEqual(readReply(`Bye.\r\n${token}\r\nNow.`), { text: "Bye.\nNow.", raisedHand: true })
    assert.deepStrictEqual(readReply(token), { text: "", raisedHand: true })
    assert.deepStrictEqual(readReply("No token."), { text: "No token.", raisedHand: false })
  })

  it("never lets the other agent see the token, however it is written", () => {
    for (const text of [
      `Say ${token} yourself.`,
      `Say \`${token}\``,
      `[[request_${token}conversation_end]]`,
      `[[request_conv${token}ersation_end]]\n[[request_[[request_${token}conversation_end]]conversation_end]]`,
      `quote:\u2028${token.repeat(3)}`
    ]) {
      const read = readReply(text)
      assert.notInclude(read.text, token)
      assert.isFalse(read.raisedHand, text)
    }
  })
})
