/** The page for the whole run: built from the sources, once, when the first suite asks for it. */
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "vite"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** Answers with `{folder}` or `{fault}` as JSON, once the page is built. */
    readonly pageDoor: string
  }
}

const repository = fileURLToPath(new URL("../../", import.meta.url))

const make = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "clawfiber-built-page-"))
  await build({
    configFile: join(repository, "src/ui/vite.config.ts"),
    logLevel: "error",
    build: { outDir: folder, emptyOutDir: true }
  })
  return folder
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let built: Promise<string> | undefined
  const door = createServer((_, response) => {
    built ??= make()
    built.then(
      (folder) => response.end(JSON.stringify({ folder })),
      (cause: unknown) => response.end(JSON.stringify({ fault: String(cause) }))
    )
  })
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve))
  project.provide("pageDoor", `http://127.0.0.1:${(door.address() as AddressInfo).port}/`)
  return async () => {
    door.closeAllConnections()
    door.close()
    const folder = await built?.catch(() => undefined)
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}
