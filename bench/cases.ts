/** `bar` is what was set out to reach; `holds` whether this run did. Figures are reported as they came out. */
export interface Row {
  readonly case: string
  readonly ours: number
  readonly peer: number
  readonly ratio: number
  readonly bar: string
  readonly holds: boolean
}

export interface Case {
  readonly name: string
  readonly title: string
  readonly run: (rounds: number, say: (line: string) => void) => Promise<ReadonlyArray<Row>>
}

export const row = (
  name: string,
  ours: number,
  peer: number,
  bar: { readonly least?: number; readonly most?: number }
): Row => {
  const ratio = ours / peer
  return {
    case: name,
    ours: Number(ours.toPrecision(4)),
    peer: Number(peer.toPrecision(4)),
    ratio: Number(ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)),
    bar: bar.least === undefined ? `at most ${bar.most}` : `at least ${bar.least}`,
    holds: bar.least === undefined ? ratio <= (bar.most ?? 0) : ratio >= bar.least
  }
}
