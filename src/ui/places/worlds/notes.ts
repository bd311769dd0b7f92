/** A sentence for the view that opens next: what was just done stands where the person arrives. */
const notes = new Map<string, { readonly words: string }>()

export const leaveNote = (id: string, words: string): void => void notes.set(id, { words })

export const takeNote = (id: string): string | undefined => {
  const note = notes.get(id)
  // Not at once: a strict renderer asks twice. And no other one that was left there meanwhile.
  if (note !== undefined) setTimeout(() => notes.get(id) === note && notes.delete(id), 1_000)
  return note?.words
}
