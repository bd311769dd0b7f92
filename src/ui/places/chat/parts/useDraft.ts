import { useCallback, useState, useSyncExternalStore } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { bytes } from "../../../lib/format.ts"
import { useReason } from "../../../shell/failure.ts"
import type { Draft, Refusal } from "../state/drafts.ts"
import { MAX_FILE_BYTES, MAX_FILES, admit, emptyDraft, makeDrafts } from "../state/drafts.ts"

/** One per page: a draft outlives the conversation's being on the screen. */
const drafts = makeDrafts()
let keys = 0

const pictures = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"])

export const useDraft = (key: string) => {
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  const draft = useSyncExternalStore(drafts.subscribe, () => drafts.get(key))
  const [faults, setFaults] = useState<ReadonlyArray<string>>([])

  const words = useCallback(
    (refusal: Refusal): string => {
      switch (refusal.reason) {
        case "too-large":
          return t("composer.tooLarge", { name: refusal.name, limit: bytes(MAX_FILE_BYTES, language) })
        case "empty":
          return t("composer.emptyFile", { name: refusal.name })
        case "too-many":
          return t("composer.tooMany", { limit: MAX_FILES })
      }
    },
    [t, language]
  )

  const update = useCallback((change: (draft: Draft) => Draft) => drafts.update(key, change), [key])

  const detach = useCallback(
    (attachment: string) =>
      update((before) => {
        const gone = before.attachments.find((other) => other.key === attachment)
        if (gone?.preview !== undefined) URL.revokeObjectURL(gone.preview)
        return { ...before, attachments: before.attachments.filter((other) => other.key !== attachment) }
      }),
    [update]
  )

  const upload = useCallback(
    async (id: string, file: File, name: string) => {
      const body = new FormData()
      body.set("file", file, name)
      try {
        const data = (await http.form("/api/files", body)) as { readonly file_id?: unknown } | null
        const fileId = data?.file_id
        if (typeof fileId !== "string") throw new Error("no file id")
        update((before) => ({
          ...before,
          attachments: before.attachments.map((other) => (other.key === id ? { ...other, fileId } : other))
        }))
      } catch (cause) {
        detach(id)
        setFaults((before) => [...before, t("composer.uploadFailed", { name, reason: reason(cause) })])
      }
    },
    [http, t, reason, update, detach]
  )

  const attach = useCallback(
    (files: ReadonlyArray<File>) => {
      const { taken, refused } = admit(files, drafts.get(key).attachments.length)
      setFaults([...new Set(refused.map(words))])
      for (const file of taken) {
        const picture = pictures.has(file.type)
        const id = `file-${++keys}`
        const name = file.name === "" ? t("file.nameless") : file.name
        update((before) => ({
          ...before,
          attachments: [
            ...before.attachments,
            {
              key: id,
              name,
              size: file.size,
              kind: picture ? "image" : "file",
              preview: picture ? URL.createObjectURL(file) : undefined,
              fileId: undefined
            }
          ]
        }))
        void upload(id, file, name)
      }
    },
    [key, t, words, update, upload]
  )

  return {
    draft,
    faults,
    setText: useCallback(
      (text: string) => {
        setFaults([])
        update((before) => ({ ...before, text }))
      },
      [update]
    ),
    attach,
    detach,
    say: useCallback((fault: string) => setFaults([fault]), []),
    clear: useCallback(() => {
      for (const { preview } of drafts.get(key).attachments) if (preview !== undefined) URL.revokeObjectURL(preview)
      setFaults([])
      update(() => emptyDraft)
    }, [key, update])
  }
}

export type DraftHandle = ReturnType<typeof useDraft>
