/** Files of the host's agent on their way to people: read under the host's policy, put on the platform, shown as links. */
import * as Effect from "effect/Effect"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import type { Attaching } from "../../layers/channel/openclaw/OpenClawAgent.ts"
import type { Log, Sending } from "./host.ts"
import type { File, Speaking } from "./speaking.ts"

/** Bytes of one file. */
const maxFile = 64 * 1024 * 1024

type Policy = { readonly [Key in "mediaAccess" | "mediaLocalRoots" | "mediaReadFile"]: Sending[Key] | undefined }

/** Law confined: which files and addresses may be read is the host's policy, and its loader keeps it. */
export const load = async (url: string, { mediaAccess, mediaLocalRoots, mediaReadFile }: Policy): Promise<File> => {
  const { loadOutboundMediaFromUrl } = await import("openclaw/plugin-sdk/outbound-media")
  const { buffer, fileName } = await loadOutboundMediaFromUrl(url, {
    maxBytes: maxFile,
    mediaAccess,
    mediaLocalRoots,
    mediaReadFile,
    optimizeImages: false
  })
  return { name: fileName ?? "file", bytes: buffer }
}

export interface Options {
  /** As it is now: a reload may have changed it. */
  readonly config: () => Config
  /** Absent until the account runs. */
  readonly speaking: () => Speaking | undefined
  readonly log: Log | undefined
  /** What stands before each line of the log. */
  readonly label: string
}

/** Of an answer, to the one who asked. What is in the way is for the log alone: it may name a folder. */
export const attaching =
  ({ config, label, log, speaking }: Options) =>
  async ({ agentId, index, name, signal, turn, url }: Attaching): Promise<string> => {
    try {
      const { sessionId } = turn
      const speaks = speaking()
      if (sessionId === undefined || speaks === undefined) throw new Error("There is no conversation to put it into.")
      const { getAgentScopedMediaLocalRoots } = await import("openclaw/plugin-sdk/media-local-roots")
      const file = await load(url, {
        mediaAccess: undefined,
        mediaLocalRoots: getAgentScopedMediaLocalRoots(config(), agentId),
        mediaReadFile: undefined
      })
      const named = name === "" ? file : { ...file, name }
      return await Effect.runPromise(speaks.put(named, sessionId, `openclaw-${turn.responseId}-${index}`), { signal })
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause)
      if (!signal.aborted) log?.warn(`[${label}] A file of an answer could not be sent: ${words}`)
      throw cause
    }
  }
