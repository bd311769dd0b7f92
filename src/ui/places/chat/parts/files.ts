/** Files of messages need the person's token, so an <img src> cannot fetch them: they become blob addresses here. */
import { useEffect, useState } from "react"
import { useApp } from "../../../app.ts"
import type { Http } from "../../../api/http.ts"

const fetched = new Map<string, Promise<string>>()
const KEPT = 200

const addressOf = (http: Http, fileId: string): Promise<string> => {
  const known = fetched.get(fileId)
  if (known !== undefined) return known
  const address = http.blob(`/files/${encodeURIComponent(fileId)}`).then((blob) => URL.createObjectURL(blob))
  fetched.set(fileId, address)
  address.catch(() => fetched.delete(fileId))
  const oldest = fetched.keys().next().value
  if (fetched.size > KEPT && oldest !== undefined) forget(oldest)
  return address
}

const forget = (fileId: string) => {
  const address = fetched.get(fileId)
  fetched.delete(fileId)
  address?.then(
    (url) => URL.revokeObjectURL(url),
    () => undefined
  )
}

/** Signing out: nothing of the person stays in memory. */
export const forgetFiles = (): void => {
  for (const fileId of fetched.keys()) forget(fileId)
}

export type Fetched =
  | { readonly state: "loading" }
  | { readonly state: "failed" }
  | { readonly state: "ready"; readonly url: string }

export const useFile = (fileId: string): Fetched => {
  const { http } = useApp()
  const [file, setFile] = useState<Fetched>({ state: "loading" })
  useEffect(() => {
    let current = true
    addressOf(http, fileId).then(
      (url) => current && setFile({ state: "ready", url }),
      () => current && setFile({ state: "failed" })
    )
    return () => {
      current = false
    }
  }, [http, fileId])
  return file
}

export const download = async (http: Http, fileId: string, filename: string): Promise<void> => {
  const link = document.createElement("a")
  link.href = await addressOf(http, fileId)
  link.download = filename
  link.click()
}
