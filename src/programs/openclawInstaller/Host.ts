/**
 * The OpenClaw of this machine: where it is, which version it is, and its commands. Looked for at `--openclaw`,
 * `OPENCLAW_BIN`, the PATH and npm's global folder, in this order.
 */
import { delimiter, dirname, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Variables } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import { own } from "./ownPackage.ts"

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Host {
  /** The file that is run. */
  readonly bin: string
  readonly version: string
  readonly run: (args: ReadonlyArray<string>, patience?: `${number} seconds`) => Effect.Effect<Ran, Failure>
  /** What a command says with --json; undefined where it said none. */
  readonly json: (args: ReadonlyArray<string>, patience?: `${number} seconds`) => Effect.Effect<unknown, Failure>
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** Output of a command that is kept. The longest that is read here, the list of plugins, has some 200 KB. */
const maxOutput = 8_000_000

const execute = Effect.fnUntraced(function* (
  command: readonly [string, ...ReadonlyArray<string>],
  environment: Variables,
  patience: `${number} seconds`
) {
  const spawner = yield* ChildProcessSpawner
  const [file, ...args] = command
  const handle = yield* spawner.spawn(
    ChildProcess.make(file, args, {
      env: { ...environment, NO_COLOR: "1" },
      stdin: "ignore",
      forceKillAfter: "2 seconds",
      // On Windows what npm installs is a script of the shell.
      shell: process.platform === "win32"
    })
  )
  const collect = (bytes: typeof handle.stdout) =>
    Stream.runFold(
      Stream.decodeText(bytes),
      () => "",
      (all, text) => (all.length < maxOutput ? all + text : all)
    )
  const [code, stdout, stderr] = yield* Effect.all([handle.exitCode, collect(handle.stdout), collect(handle.stderr)], {
    concurrency: "unbounded"
  }).pipe(Effect.timeout(patience))
  const ran: Ran = { code: Number(code), stdout, stderr }
  return ran
}, Effect.scoped)

/** A file alone is run by the Node that runs us; a command by what its first line says. */
const commandOf = (bin: string): readonly [string, ...ReadonlyArray<string>] =>
  /\.[cm]?js$/.test(bin) ? [process.execPath, bin] : [bin]

const names = process.platform === "win32" ? ["openclaw.cmd", "openclaw.exe"] : ["openclaw"]

const isFile = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* Effect.option(fs.stat(path))
  return Option.isSome(found) && found.value.type === "File"
})

const firstFile = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  for (const path of paths) if (yield* isFile(path)) return path
  return undefined
})

const npmFolder = Effect.fnUntraced(function* (what: "prefix" | "root", environment: Variables) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const ran = yield* Effect.option(execute([npm, what, "-g"], environment, "20 seconds"))
  const path = Option.isSome(ran) && ran.value.code === 0 ? ran.value.stdout.trim() : ""
  return path === "" ? undefined : path
})

const Manifest = Schema.fromJsonString(
  Schema.Struct({ name: Schema.String, version: Schema.String, bin: Schema.optionalKey(Schema.Unknown) })
)
const decodeManifest = Schema.decodeUnknownOption(Manifest)

/** The empty package that npm gives to whoever has a Node too old for the real one: no command is in it. */
const placeholder = Effect.fnUntraced(function* (folders: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  for (const folder of folders) {
    const text = yield* Effect.option(fs.readFileString(join(folder, "openclaw", "package.json")))
    const manifest = Option.flatMap(text, decodeManifest)
    if (Option.isSome(manifest) && manifest.value.name === "openclaw" && manifest.value.bin === undefined) {
      return { version: manifest.value.version, folder: join(folder, "openclaw") }
    }
  }
  return undefined
})

const install = `npm install -g openclaw@latest`

const locate = Effect.fnUntraced(function* (asked: string | undefined, environment: Variables) {
  const named = asked ?? ((environment["OPENCLAW_BIN"] ?? "") === "" ? undefined : environment["OPENCLAW_BIN"])
  if (named !== undefined) {
    const path = resolve(named)
    if (yield* isFile(path)) return path
    const inside = yield* firstFile(["openclaw.mjs", ...names].map((name) => join(path, name)))
    if (inside !== undefined) return inside
    return yield* fail(
      `${asked === undefined ? "OPENCLAW_BIN" : "--openclaw"} names ${path}, and no OpenClaw is there.`
    )
  }
  const folders = (environment["PATH"] ?? environment["Path"] ?? "").split(delimiter).filter((folder) => folder !== "")
  const onPath = yield* firstFile(folders.flatMap((folder) => names.map((name) => join(folder, name))))
  if (onPath !== undefined) return onPath
  const prefix = yield* npmFolder("prefix", environment)
  const inPrefix =
    prefix === undefined
      ? undefined
      : yield* firstFile(names.map((name) => join(prefix, process.platform === "win32" ? "." : "bin", name)))
  if (inPrefix !== undefined) return inPrefix
  const root = yield* npmFolder("root", environment)
  const empty = yield* placeholder([...(root === undefined ? [] : [root]), resolve("node_modules")])
  if (empty !== undefined) {
    return yield* fail(
      `What lies in ${empty.folder} is not OpenClaw but npm's empty placeholder (${empty.version}): npm takes it where Node is too old for the real one. Install Node 24 or later, then: ${install}`
    )
  }
  return yield* fail(
    `OpenClaw was not found, neither on the PATH nor where npm installs commands. Install it (with Node 24 or later) with: ${install} — or say where it is with --openclaw.`
  )
})

/** Parts of a version of the host, which counts by dates: 2026.9.6, 2026.9.6-1, 2026.10.0-beta.2. */
const partsOf = (version: string): ReadonlyArray<number> =>
  (/^\D*(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map(Number)

export const isAtLeast = (version: string, minimum: string): boolean => {
  const [has, needs] = [partsOf(version), partsOf(minimum)]
  if (has.length === 0) return false
  for (const [index, part] of needs.entries()) {
    const held = has[index] ?? 0
    if (held !== part) return held > part
  }
  return true
}

/** The last thing a program said, for a sentence. */
export const lastWords = ({ code, stderr, stdout }: Ran): string => {
  const lines = `${stdout}\n${stderr}`
    .split("\n")
    .map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim())
    .filter((line) => line !== "")
  return lines.length === 0 ? `it ended with ${code} and said nothing` : lines.slice(-3).join(" / ").slice(0, 600)
}

/** The JSON in an output that may have lines of a log before it. */
const jsonIn = (text: string): unknown => {
  for (const found of text.matchAll(/^[{[]/gm)) {
    try {
      const value: unknown = JSON.parse(text.slice(found.index))
      return value
    } catch {
      // A line of the log that begins like it.
    }
  }
  return undefined
}

/** Found, and recent enough. */
export const find = Effect.fnUntraced(function* (options: {
  readonly asked: string | undefined
  readonly environment: Variables
}): Effect.fn.Return<Host, Failure, FileSystem.FileSystem | ChildProcessSpawner> {
  const { environment } = options
  const bin = yield* locate(options.asked, environment)
  const services = yield* Effect.context<ChildProcessSpawner>()
  // Its own folder first: there is the Node that it was installed with.
  const path = [dirname(bin), environment["PATH"] ?? ""].join(delimiter)
  const run: Host["run"] = (args, patience = "60 seconds") =>
    execute([...commandOf(bin), ...args] as [string, ...Array<string>], { ...environment, PATH: path }, patience).pipe(
      Effect.mapError((error) =>
        error._tag === "TimeoutError"
          ? new Failure({ message: `openclaw ${args.join(" ")} did not end within ${patience}.` })
          : new Failure({ message: `${bin} cannot be run: ${error.message}` })
      ),
      Effect.provideContext(services)
    )
  const told = yield* run(["--version"], "30 seconds")
  const version = /\b(\d+\.\d+\.\d+(?:-[\w.]+)?)\b/.exec(told.stdout)?.[1]
  if (told.code !== 0 || version === undefined) {
    return yield* fail(
      `${bin} is there but does not say its version: ${lastWords(told)}. If it asks for another Node, install Node 24 or later; else install it anew with: ${install}`
    )
  }
  if (!isAtLeast(version, own.minHostVersion)) {
    return yield* fail(
      version.startsWith("0.0.")
        ? `${bin} is npm's placeholder (${version}), not OpenClaw. Install Node 24 or later, then: ${install}`
        : `OpenClaw ${version} at ${bin} is too old: clawfiber needs ${own.minHostVersion} or later. Update it with: openclaw update`
    )
  }
  return {
    bin,
    version,
    run,
    json: (args, patience) => Effect.map(run(args, patience), ({ stdout }) => jsonIn(stdout))
  }
})
