// For a checkout that is not built: the OpenClaw host looks for this name in the plugin's folder.
export { collectRuntimeConfigAssignments, secretTargetRegistryEntries } from "./src/secret-contract-api.ts"
