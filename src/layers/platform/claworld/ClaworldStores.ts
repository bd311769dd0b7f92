/**
 * Claworld's stores together, over the database of `Stores` (whose layer runs the migrations first): `WorldAgents`,
 * `WorldCatalog` and `Talks`. The default worlds are there when it is built.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import type { StoreError } from "../../../services/platform/PlatformError.ts"
import type { Talks } from "../../../services/platform/Talks.ts"
import { type WorldAgents, WorldCatalog } from "../../../services/platform/Worlds.ts"
import * as SqlTalks from "./SqlTalks.ts"
import * as SqlWorldAgents from "./SqlWorldAgents.ts"
import * as SqlWorldCatalog from "./SqlWorldCatalog.ts"
import type * as talkOptions from "./talkOptions.ts"

export type ClaworldStores = WorldAgents | WorldCatalog | Talks

export interface Options {
  readonly agents?: SqlWorldAgents.Options | undefined
  readonly talks?: talkOptions.Options | undefined
  /** Whether the default worlds are put there. True by default. */
  readonly seed?: boolean | undefined
}

const seeding = Layer.effectDiscard(Effect.flatMap(WorldCatalog, ({ seed }) => seed))

export const layer = (
  options: Options = {}
): Layer.Layer<ClaworldStores, StoreError, SqlClient.SqlClient | SecureRandom.SecureRandom> =>
  Layer.mergeAll(SqlTalks.layer(options.talks), options.seed === false ? Layer.empty : seeding).pipe(
    // Fresh: built layers are shared by identity, and two platforms in one process are two databases.
    Layer.provideMerge(Layer.fresh(SqlWorldCatalog.layer)),
    Layer.provideMerge(SqlWorldAgents.layer(options.agents))
  )
