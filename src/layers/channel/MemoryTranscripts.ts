/** Transcripts for the life of the process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Said, Transcripts } from "../../services/channel/Transcripts.ts"
import { bounded, type Bounds, defaultBounds } from "./TranscriptBounds.ts"

export interface Options extends Partial<Bounds> {
  /** Sessions kept; past it the ones not used for the longest time go. 1,000 by default. */
  readonly maxSessions?: number | undefined
}

export const make = (options: Options = {}): Transcripts["Service"] => {
  const bounds: Bounds = { ...defaultBounds, ...options }
  const maxSessions = options.maxSessions ?? 1000
  // A Map keeps the order of insertion: the first key is the one written longest ago.
  const sessions = new Map<string, ReadonlyArray<Said>>()
  return Transcripts.of({
    load: (sessionKey) => Effect.sync(() => sessions.get(sessionKey) ?? []),
    append: (sessionKey, said) =>
      Effect.sync(() => {
        const before = sessions.get(sessionKey) ?? []
        sessions.delete(sessionKey)
        sessions.set(sessionKey, bounded([...before, ...said], bounds))
        for (const oldest of sessions.keys()) {
          if (sessions.size <= maxSessions) break
          sessions.delete(oldest)
        }
      }),
    forget: (sessionKey) => Effect.sync(() => void sessions.delete(sessionKey))
  })
}

export const layerWith = (options: Options): Layer.Layer<Transcripts> => Layer.sync(Transcripts, () => make(options))

export const layer: Layer.Layer<Transcripts> = layerWith({})
