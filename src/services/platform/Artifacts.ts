/**
 * Files that agents hand in: on disk under the hash of their content, with a quota per agent, names made here. Readable
 * by the agent, and by the person of the task or session that they are bound to.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Invalid, LimitReached, NotFound, StoreError } from "./PlatformError.ts"

/** Times are milliseconds since the epoch. */
export interface Artifact {
  readonly artifactId: string
  readonly clawId: string
  readonly taskId: string | undefined
  readonly sessionId: string | undefined
  readonly filename: string
  readonly mediaType: string
  readonly size: number
  readonly sha256: string
  readonly createdAt: number
  /** Of an archive: what is in it, the first few hundred. */
  readonly entries: ReadonlyArray<ArchiveEntry> | undefined
}

export interface ArchiveEntry {
  readonly path: string
  /** Bytes, unpacked. */
  readonly size: number
}

export class Artifacts extends Context.Service<
  Artifacts,
  {
    /**
     * Streams to disk; past the bound or the quota it fails and leaves nothing behind. An attempt that was made before
     * gives the artifact of then, without a look at the body.
     */
    readonly store: <E>(
      input: {
        readonly clawId: string
        readonly taskId: string | undefined
        readonly sessionId: string | undefined
        readonly filename: string
        readonly mediaType: string
        /** A zip archive is looked into: no paths out of it, no bomb. */
        readonly archive: boolean
        /** Of the sender; another one of the bytes that came is Invalid. */
        readonly sha256: string | undefined
        readonly attempt: string | undefined
      },
      body: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<Artifact, Invalid | LimitReached | NotFound | StoreError | E>
    readonly find: (artifactId: string) => Effect.Effect<Artifact, NotFound | StoreError>
    /** One of this agent that belongs to nothing yet; one that belongs to just that stays as it is. */
    readonly bind: (
      clawId: string,
      artifactId: string,
      to: { readonly taskId: string | undefined; readonly sessionId: string | undefined }
    ) => Effect.Effect<Artifact, NotFound | StoreError>
    /** Newest first, two hundred at most. */
    readonly ofTask: (taskId: string, clawId: string) => Effect.Effect<ReadonlyArray<Artifact>, StoreError>
    /** Of its agent, where it is no part of what was handed in. */
    readonly remove: (clawId: string, artifactId: string) => Effect.Effect<void, StoreError>
    readonly read: (artifactId: string) => Stream.Stream<Uint8Array, NotFound | StoreError>
  }
>()("clawfiber/platform/Artifacts") {}
