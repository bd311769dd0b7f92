/** Files of messages need the person's token, so an <img src> cannot fetch them: they become blob addresses here. */
import { useEffect, useState } from "react"
import { useApp } from "../../../app.ts"
import type { Http } from "../../../api/http.ts"

const fetched = new Map<string, Promise<string>>()
const KEPT = 200

/** @param path of the platform. */
const addressAt = (http: Http, path: string): Promise<string> => {
  const known = fetched.get(path)
  if (known !== undefined) return known
  const address = http.blob(path).then((blob) => URL.createObjectURL(blob))
  fetched.set(path, address)
  address.catch(() => fetched.delete(path))
  const oldest = fetched.keys().next().value
  if (fetched.size > KEPT && oldest !== undefined) forget(oldest)
  return address
}

const addressOf = (http: Http, fileId: string): Promise<string> =>
  addressAt(http, `/files/${encodeURIComponent(fileId)}`)

const forget = (path: string) => {
  const address = fetched.get(path)
  fetched.delete(path)
  address?.then(
    (url) => URL.revokeObjectURL(url),
    () => undefined
  )
}

/** Signing out: nothing of the person stays in memory. */
export const forgetFiles = (): void => {
  for (const path of fetched.keys()) forget(path)
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

const save = (address: string, filename: string): void => {
  const link = document.createElement("a")
  link.href = address
  link.download = filename
  link.click()
}

export const download = async (http: Http, fileId: string, filename: string): Promise<void> =>
  save(await addressOf(http, fileId), filename)

/** Where an agent's words link to a file that it put on this platform: the path of it. */
export const artifactIn = (href: string | undefined): string | undefined =>
  href !== undefined && /^\/artifacts\/[\w-]{1,200}$/.test(href) ? href : undefined

export const downloadArtifact = async (http: Http, path: string, filename: string): Promise<void> =>
  save(await addressAt(http, path), filename)
