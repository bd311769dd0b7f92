/**
 * The OpenClaw host finds by this name, beside the built plugin, where our configuration may hold secret references: it
 * reads them before it loads any plugin.
 */
export { collectRuntimeConfigAssignments, secretTargetRegistryEntries } from "./programs/openclaw/secrets.ts"
