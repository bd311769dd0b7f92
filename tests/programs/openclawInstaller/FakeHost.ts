/** A stand-in for OpenClaw's command line, for what the real one cannot be made to do. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Ended, folder, run } from "../cli.ts"

export interface Behaviour {
  readonly version?: string
  /** What `plugins list` gives. */
  readonly plugin?: object
  /** JavaScript that `plugins list` runs first: somebody else at work in the meantime. `config` is the file's path. */
  readonly meanwhile?: string
  /** Issues that `config validate` gives. */
  readonly issues?: ReadonlyArray<{ readonly path: string; readonly message: string }>
  /** What `plugins install` makes of the configuration: JavaScript over `value`. It loses comments, as the real one. */
  readonly installing?: string
}

const script = (config: string, behaviour: Behaviour): string => `
import { readFileSync, writeFileSync, appendFileSync } from "node:fs"
import { evaluate, parse } from ${JSON.stringify(import.meta.resolve("@humanwhocodes/momoa"))}
const config = ${JSON.stringify(config)}
const behaviour = ${JSON.stringify(behaviour)}
const args = process.argv.slice(2)
appendFileSync(config + ".calls", args.join(" ") + "\\n")
const read = () => evaluate(parse(readFileSync(config, "utf8"), { mode: "json5" }))
const say = (value) => console.log(JSON.stringify(value))
const rewrite = (code) => {
  const value = read()
  new Function("value", code)(value)
  writeFileSync(config, JSON.stringify(value, undefined, 2))
}
const called = args.slice(0, 2).join(" ")
if (called === "--version") console.log("OpenClaw " + (behaviour.version ?? "2026.9.6") + " (abc)")
else if (called === "config file") say({ path: config })
else if (called === "config validate") say({ valid: (behaviour.issues ?? []).length === 0, issues: behaviour.issues })
else if (called === "plugins list") {
  if (behaviour.meanwhile) new Function("config", "fs", behaviour.meanwhile)(config, { appendFileSync })
  say({ plugins: behaviour.plugin === undefined ? [] : [{ id: "clawfiber", ...behaviour.plugin }] })
} else if (called === "plugins install" && behaviour.installing) rewrite(behaviour.installing)
else if (called === "channels status") say({ gatewayReachable: false, error: "Gateway not reachable." })
else { console.error("no such command: " + called); process.exit(1) }
`

export class FakeHost {
  readonly home: string
  readonly config: string
  readonly remove: () => void
  private readonly bin: string

  constructor(text: string | undefined, behaviour: Behaviour = {}) {
    const own = folder()
    this.home = own.path
    this.remove = own.remove
    this.config = join(own.path, "openclaw.json")
    this.bin = join(own.path, "openclaw.mjs")
    if (text !== undefined) writeFileSync(this.config, text, { mode: 0o600 })
    this.behave(behaviour)
  }

  behave(behaviour: Behaviour): void {
    writeFileSync(this.bin, script(this.config, behaviour))
  }

  run(...args: ReadonlyArray<string>): Promise<Ended> {
    return this.runWith({}, ...args)
  }

  runWith(env: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>): Promise<Ended> {
    return run(["openclaw", ...args], { cwd: this.home, env: { OPENCLAW_BIN: this.bin, ...env } })
  }

  get text(): string {
    return readFileSync(this.config, "utf8")
  }

  /** Commands that the host was given. */
  get calls(): ReadonlyArray<string> {
    return readFileSync(`${this.config}.calls`, "utf8").trim().split("\n")
  }
}

/** A folder with commands, for a PATH that holds nothing else. */
export const commands = (home: string, scripts: Readonly<Record<string, string>>): string => {
  const path = join(home, "bin")
  mkdirSync(path, { recursive: true })
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(path, name), 0o755)
  }
  return path
}
