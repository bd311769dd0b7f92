/** When a talk is over, by its policy and the turns that were taken: as the rules say it, and as nobody's code does. */

export interface Policy {
  readonly maxTurns: number
  readonly turnTimeoutMs: number
  readonly raiseHandPolicy: { readonly mode: string }
}

export interface TurnRow {
  readonly conversation_id: string
  readonly turn: number
  readonly from_id: string
  readonly text: string
  readonly raised_hand: number
  readonly silence: string | null
  readonly at: number
}

export interface Ended {
  /** The one with which it ended. */
  readonly turn: number
  readonly reason: "hands" | "max_turns" | "silence"
}

/** How many hands, and of whom, are enough. */
const enough: Readonly<Record<string, (raised: ReadonlySet<string>, requester: string) => boolean>> = {
  dual_raise_hand: (raised) => raised.size === 2,
  either_raise_hand: (raised) => raised.size > 0,
  single_raise_hand: (raised, requester) => raised.has(requester)
}

/** `undefined`: nothing that was said has ended it. */
export const endOf = (policy: Policy, requester: string, turns: ReadonlyArray<TurnRow>): Ended | undefined => {
  const raised = new Set<string>()
  for (const [index, { from_id, raised_hand, silence, turn }] of turns.entries()) {
    if (raised_hand === 1) raised.add(from_id)
    if (enough[policy.raiseHandPolicy.mode]?.(raised, requester) === true) return { turn, reason: "hands" }
    if (turn >= policy.maxTurns) return { turn, reason: "max_turns" }
    if (silence !== null && (turns[index - 1]?.silence ?? null) !== null) return { turn, reason: "silence" }
  }
  return undefined
}
