/** Files of messages: readable by the session's people and its agent, nobody else. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Invalid, LimitReached, NotFound, StoreError } from "./PlatformError.ts"

export interface FileMeta {
  readonly fileId: string
  readonly userId: string
  /** Set when a message of the session first names the file. */
  readonly sessionId: string | undefined
  readonly filename: string
  readonly mediaType: string
  readonly size: number
  readonly sha256: string
  readonly createdAt: number
}

export class Files extends Context.Service<
  Files,
  {
    /** Streams to disk; fails past the size limit and leaves nothing behind. */
    readonly store: <E>(
      input: { readonly userId: string; readonly filename: string; readonly mediaType: string },
      body: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<FileMeta, Invalid | LimitReached | StoreError | E>
    /** Files of this person become part of the session; a foreign or unknown id is NotFound. */
    readonly bind: (
      userId: string,
      sessionId: string,
      fileIds: ReadonlyArray<string>
    ) => Effect.Effect<void, NotFound | StoreError>
    readonly find: (fileId: string) => Effect.Effect<FileMeta, NotFound | StoreError>
    readonly read: (fileId: string) => Stream.Stream<Uint8Array, NotFound | StoreError>
  }
>()("clawfiber/platform/Files") {}
