/** The files of a task while it is written: taken, uploaded with their progress, removed. */
import { useCallback, useEffect, useRef, useState } from "react"
import { bounds } from "../../../../services/protocol/MarketWords.ts"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { bytes } from "../../../lib/format.ts"
import { useReason } from "../../../shell/failure.ts"

/** Bytes of one file, as the platform takes it. */
export const maxFile = 20 * 1024 * 1024

export interface Input {
  readonly key: string
  readonly name: string
  readonly size: number
  /** Bytes that have gone out. */
  readonly sent: number
  /** Once it is there. */
  readonly fileId: string | undefined
}

let keys = 0

const idIn = (data: unknown): string => {
  const id = typeof data === "object" && data !== null && "file_id" in data ? data.file_id : undefined
  if (typeof id !== "string") throw new Error("no file id")
  return id
}

export const useInputs = (initial: () => ReadonlyArray<Input>) => {
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  const [inputs, setInputs] = useState(initial)
  const [faults, setFaults] = useState<ReadonlyArray<string>>([])
  const uploads = useRef(new Map<string, AbortController>())

  useEffect(() => {
    const running = uploads.current
    return () => {
      for (const upload of running.values()) upload.abort()
    }
  }, [])

  const change = useCallback(
    (key: string, patch: Partial<Input>) =>
      setInputs((before) => before.map((input) => (input.key === key ? { ...input, ...patch } : input))),
    []
  )
  const drop = useCallback((key: string) => setInputs((before) => before.filter((input) => input.key !== key)), [])

  const upload = async (key: string, file: File) => {
    const abort = new AbortController()
    uploads.current.set(key, abort)
    const body = new FormData()
    body.set("file", file, file.name)
    try {
      const data = await http.upload("/api/files", body, {
        signal: abort.signal,
        onProgress: (sent, total) => change(key, { sent: total === 0 ? 0 : Math.floor((file.size * sent) / total) })
      })
      change(key, { fileId: idIn(data), sent: file.size })
    } catch (cause) {
      if (abort.signal.aborted) return
      drop(key)
      setFaults((before) => [...before, t("market.form.uploadFailed", { name: file.name, reason: reason(cause) })])
    } finally {
      uploads.current.delete(key)
    }
  }

  const add = (files: ReadonlyArray<File>) => {
    const refused: Array<string> = []
    const room = bounds.inputFiles - inputs.length
    const taken: Array<File> = []
    for (const file of files) {
      if (file.size === 0) refused.push(t("market.form.emptyFile", { name: file.name }))
      else if (file.size > maxFile) {
        refused.push(t("market.form.tooLarge", { name: file.name, limit: bytes(maxFile, language) }))
      } else if (taken.length >= room) refused.push(t("market.form.tooMany", { limit: bounds.inputFiles }))
      else taken.push(file)
    }
    setFaults([...new Set(refused)])
    const fresh = taken.map((file) => ({ key: `input-${++keys}`, file }))
    setInputs((before) => [
      ...before,
      ...fresh.map(({ file, key }) => ({ key, name: file.name, size: file.size, sent: 0, fileId: undefined }))
    ])
    for (const { file, key } of fresh) void upload(key, file)
  }

  const remove = (key: string) => {
    uploads.current.get(key)?.abort()
    drop(key)
  }

  return { inputs, faults, add, remove, isWaiting: inputs.some(({ fileId }) => fileId === undefined) }
}

export type Inputs = ReturnType<typeof useInputs>
