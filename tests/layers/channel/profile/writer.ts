/** A process that saves profiles: `node writer.ts <root> <name> <times>`. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import { ProfileStore } from "../../../../src/services/channel/ProfileStore.ts"
import { profile } from "./profiles.ts"
import * as Layer from "effect/Layer"

const [, , root = "", name = "", times = "0"] = process.argv

const program = Effect.gen(function* () {
  const store = yield* ProfileStore
  for (let count = 1; count <= Number(times); count++) {
    yield* store.save(profile({ name, extra: { count, filler: "x".repeat(20_000) } }))
  }
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(FileProfileStore.layer({ root, lockWait: "20 seconds" }).pipe(Layer.provide(NodeFileSystem.layer)))
  )
)
