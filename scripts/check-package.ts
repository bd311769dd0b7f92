// Packs the project as the registry would get it, installs it in an empty folder and uses it there: `npx clawfiber
// up`, one chat, a clean stop, and a TypeScript program over its types. Everything runs in temporary folders and on a
// free port.
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "clawfiber-package-"))
const env = { ...process.env, NO_COLOR: "1", OPENAI_API_KEY: "" }

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
  if (result.status !== 0)
    throw new Error(`"${[command, ...args].join(" ")}" ended with code ${result.status}\n${result.stdout}`)
  return result.stdout
}

const assert = (holds: boolean, sentence: string) => {
  if (!holds) throw new Error(sentence)
}

try {
  run(process.cwd(), "npm", "pack", "--pack-destination", folder)
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"))
  assert(archive !== undefined, "npm pack made no archive")
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
  run(folder, "npm", "install", "--no-audit", "--no-fund", `./${archive}`)

  const up = spawn("npx", ["--no", "clawfiber", "up", "--json", "--port", "0"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let out = ""
      let ready: string | undefined
      up.stdout.on("data", (chunk: Buffer) => {
        out += String(chunk)
        for (const line of out.split("\n").slice(0, -1)) {
          const event = JSON.parse(line) as { event: string; url?: string }
          if (event.event === "ready") ready = event.url
          if (event.event === "connected" && ready !== undefined) resolve(ready)
        }
      })
      up.once("exit", (code) => reject(new Error(`clawfiber up ended with code ${code}\n${out}`)))
      setTimeout(() => reject(new Error(`clawfiber up was not ready within a minute\n${out}`)), 60_000).unref()
    })
    const page = await (await fetch(url)).text()
    assert(page.includes("<script"), "the page is missing from the package")
    const reply = run(folder, "npx", "--no", "clawfiber", "chat", "--url", url, "help")
    assert(reply.trim().length > 0, "the agent of the package gave an empty answer")
    writeFileSync(
      join(folder, "library.mjs"),
      `import { defineAgent } from "clawfiber"; if (typeof defineAgent !== "function") process.exit(1)`
    )
    run(folder, "node", "library.mjs")
    const ended = new Promise<number | null>((resolve) => up.once("exit", resolve))
    process.kill(-up.pid!, "SIGINT")
    // npx itself may end by the signal that it passed on.
    assert([0, 130, null].includes(await ended), "clawfiber up did not end well on SIGINT")
  } finally {
    try {
      process.kill(-up.pid!, "SIGKILL")
    } catch {
      // It has ended already.
    }
  }

  // What an editor and a compiler see: every declaration resolves, and wrong use is an error.
  const modules = ["services", "layers"].flatMap((room) =>
    readdirSync(join(folder, "node_modules/clawfiber/dist", room), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".d.ts"))
      .map((name) => `clawfiber/${room}/${name.slice(0, -".d.ts".length).replaceAll("\\", "/")}`)
  )
  assert(modules.length > 50, "declarations are missing from the package")
  writeFileSync(
    join(folder, "consumer.ts"),
    [
      `import { defineAgent, type AgentDefinition } from "clawfiber"`,
      ...modules.map((name, index) => `import type * as M${index} from "${name}"`),
      `export type All = [${modules.map((_, index) => `typeof M${index}`).join(", ")}]`,
      `export const agent: AgentDefinition = defineAgent({ name: "Echo", async *reply(turn) { yield turn.text } })`,
      `// @ts-expect-error an agent without a reply is none`,
      `defineAgent({ name: "Mute" })`
    ].join("\n")
  )
  const options = { module: "nodenext", target: "es2024", types: ["node"], strict: true, noEmit: true }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...options, typeRoots: [join(process.cwd(), "node_modules/@types")] },
      files: ["consumer.ts"]
    })
  )
  run(folder, process.execPath, join(process.cwd(), "node_modules/typescript/bin/tsc"), "-p", ".")
  console.log("The package installs in an empty folder, serves its page, answers, stops, and has its types.")
} finally {
  rmSync(folder, { recursive: true, force: true })
}
