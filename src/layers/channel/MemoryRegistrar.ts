/** A Registrar without a disk and without a platform: the same machine over stores in memory. For tests and hosts that keep keys elsewhere. */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import type { Registrar } from "../../services/channel/Registrar.ts"
import * as LoopRegistrar from "./LoopRegistrar.ts"
import * as MemoryProfileApi from "./MemoryProfileApi.ts"
import * as MemoryProfileStore from "./MemoryProfileStore.ts"

export interface Options extends LoopRegistrar.Options, MemoryProfileStore.Options {
  /** Of the platform that registers everyone. */
  readonly origin?: string | undefined
}

export const layer = (options: Options = {}): Layer.Layer<Registrar, never, SecureRandom.SecureRandom> =>
  LoopRegistrar.layer(options).pipe(
    Layer.provide([
      MemoryProfileStore.layer(options),
      MemoryProfileApi.layer({ origin: options.origin ?? "https://platform.example" })
    ])
  )
