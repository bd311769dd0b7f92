/** What `--version` says. */
export { version } from "../layers/version.ts"
