// npx clawfiber up --agent examples/my-agent.ts
export default async function* (turn: { text: string; history: ReadonlyArray<unknown> }) {
  yield `You wrote ${turn.text.length} characters`
  yield turn.history.length === 0 ? ", and this is the first I hear of you." : ", and we have talked before."
}
