/** A sentence for the view that opens next: what was just done stands where the person arrives. */
const notes = new Map<string, string>()

export const leaveNote = (id: string, words: string): void => void notes.set(id, words)

export const takeNote = (id: string): string | undefined => {
  const words = notes.get(id)
  // Not at once: a strict renderer asks twice.
  if (words !== undefined) setTimeout(() => notes.delete(id), 1_000)
  return words
}
