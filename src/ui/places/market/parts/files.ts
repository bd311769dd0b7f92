/** Files of tasks need the person's token, so the browser cannot fetch them by itself: they are fetched here. */
import type { Http } from "../../../api/http.ts"

/** Only doors of this platform: the address came over the wire. */
const checked = (path: string): string => {
  if (!/^\/(?:artifacts|files)\/[^/?#]+$/.test(path)) throw new Error("this is no address of a file here")
  return path
}

export const fetchFile = (http: Http, path: string): Promise<Blob> => http.blob(checked(path))

/** To the person's disk; the name is theirs to keep, and never a path. */
export const saveFile = async (http: Http, path: string, name: string): Promise<void> => {
  const url = URL.createObjectURL(await fetchFile(http, path))
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  // The browser has begun to read it by then; a download is not told when it is over.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
