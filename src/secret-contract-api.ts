/**
 * The OpenClaw host finds by this name, beside the built plugin, where our configuration may hold secret references: it
 * reads them before it loads any plugin.
 */
import * as instaclaw from "./programs/openclaw/secrets.ts"
import * as claworld from "./programs/openclaw/worlds/secrets.ts"

type Collecting = Parameters<typeof instaclaw.collectRuntimeConfigAssignments>[0]

export const secretTargetRegistryEntries = [
  ...instaclaw.secretTargetRegistryEntries,
  ...claworld.secretTargetRegistryEntries
]

/** The host asks once for each channel, with the same context: the answer is the same, and is given once. */
const asked = new WeakSet<object>()

export const collectRuntimeConfigAssignments = (collecting: Collecting): void => {
  const { context } = collecting
  if (typeof context === "object" && context !== null) {
    if (asked.has(context)) return
    asked.add(context)
  }
  instaclaw.collectRuntimeConfigAssignments(collecting)
  claworld.collectRuntimeConfigAssignments(collecting)
}
