/** What is being written, per conversation: text and files wait here while another conversation is on the screen. */

export const MAX_FILE_BYTES = 20 * 1024 * 1024
export const MAX_FILES = 10
/** Code units. The platform takes frames of 1 MiB; a Chinese character is three bytes of it. */
export const MAX_TEXT = 200_000

export interface Attachment {
  readonly key: string
  readonly name: string
  readonly size: number
  readonly kind: "image" | "file"
  /** A blob address of this page, for pictures. */
  readonly preview: string | undefined
  readonly fileId: string | undefined
}

export interface Draft {
  readonly text: string
  readonly attachments: ReadonlyArray<Attachment>
}

export const emptyDraft: Draft = { text: "", attachments: [] }

export interface Drafts {
  readonly get: (key: string) => Draft
  readonly update: (key: string, change: (draft: Draft) => Draft) => void
  readonly subscribe: (listener: () => void) => () => void
}

export const makeDrafts = (): Drafts => {
  const drafts = new Map<string, Draft>()
  const listeners = new Set<() => void>()
  return {
    get: (key) => drafts.get(key) ?? emptyDraft,
    update: (key, change) => {
      drafts.set(key, change(drafts.get(key) ?? emptyDraft))
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

export type Refusal = { readonly reason: "too-large" | "empty" | "too-many"; readonly name: string }

/** What of a choice of files can go, and in which words the rest is refused. Nothing of what is refused is sent. */
export const admit = <F extends { readonly name: string; readonly size: number }>(
  files: ReadonlyArray<F>,
  already: number
): { readonly taken: ReadonlyArray<F>; readonly refused: ReadonlyArray<Refusal> } => {
  const taken: Array<F> = []
  const refused: Array<Refusal> = []
  for (const file of files) {
    if (file.size > MAX_FILE_BYTES) refused.push({ reason: "too-large", name: file.name })
    else if (file.size === 0) refused.push({ reason: "empty", name: file.name })
    else if (already + taken.length >= MAX_FILES) refused.push({ reason: "too-many", name: file.name })
    else taken.push(file)
  }
  return { taken, refused }
}
