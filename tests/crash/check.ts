/** The laws, asked after everything is quiet: what people saw, what is stored and what the agents did must agree. */
import { readdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import type { Message } from "./Ledger.ts"
import type { Exchange, Run, Stage } from "./Stage.ts"

const increasing = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))

const groupBy = <A>(all: Iterable<A>, key: (one: A) => string): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const one of all) {
    const group = groups.get(key(one))
    if (group === undefined) groups.set(key(one), [one])
    else group.push(one)
  }
  return groups
}

const checkStored = (stage: Stage, session: string, stored: ReadonlyArray<Exchange>): void => {
  const { ledger } = stage
  const byId = groupBy(stored, ({ message_id }) => message_id)
  for (const message of ledger.messages.values()) {
    if (message.session !== session) continue
    const found = byId.get(message.id) ?? []
    if (found.length > 1) ledger.break("once", `stored ${found.length} times`, message)
    const [exchange] = found
    if (exchange === undefined) {
      if (message.accepted || message.terminal !== undefined)
        ledger.break("one-terminal", "accepted, and lost", message)
      continue
    }
    ledger.accepted(message, exchange.response_id, "stored as")
    if (exchange.status !== "completed" && exchange.status !== "failed") {
      ledger.break("drain", `still ${exchange.status} after everything was quiet`, message)
      continue
    }
    if (message.terminal === undefined && message.accepted) {
      ledger.break("drain", `${exchange.status}, but its person was never told`, message)
    }
    const { error, reply_text } = exchange
    ledger.ended(message, { text: reply_text, code: error?.code, words: error?.message }, "stored")
    if (exchange.ended_at === null) ledger.break("one-terminal", "ended at no time", message)
  }
  for (const { message_id } of stored) {
    if (!ledger.messages.has(message_id)) ledger.break("once", `${message_id} is stored and nobody sent it`)
  }
}

const checkRuns = (stage: Stage, runs: ReadonlyArray<Run>): void => {
  const { ledger } = stage
  const byMessage = groupBy(runs, ({ message }) => message)
  for (const message of ledger.messages.values()) {
    const count = byMessage.get(message.id)?.length ?? 0
    if (count > 1) {
      const processes = byMessage.get(message.id)?.map(({ process }) => process)
      ledger.break("once", `the agent ran ${count} times, in the processes ${processes?.join(", ")}`, message)
    }
    if (count === 0 && message.terminal !== undefined && message.terminal.code === undefined) {
      ledger.break("once", "completed although no agent ran", message)
    }
  }
}

const checkOrder = (stage: Stage, stored: ReadonlyArray<Exchange>, runs: ReadonlyArray<Run>): void => {
  const { ledger } = stage
  const known = (id: string): ReadonlyArray<Message> => {
    const message = ledger.messages.get(id)
    return message === undefined || message.refused ? [] : [message]
  }
  const sent = stored.flatMap(({ message_id }) => known(message_id))
  if (!increasing(sent.map(({ number }) => number))) {
    const at = sent.findIndex(({ number }, index) => number < (sent[index - 1]?.number ?? -1))
    ledger.break("order", `stored after ${sent[at - 1]?.id}, which was sent later`, sent[at])
  }
  const ordinals = new Map(stored.map(({ message_id, ordinal }) => [message_id, ordinal]))
  let last: Run | undefined
  for (const run of runs) {
    if ((ordinals.get(run.message) ?? 0) < (ordinals.get(last?.message ?? "") ?? 0)) {
      ledger.break("order", `run after ${last?.message}, which came later`, ledger.messages.get(run.message))
    }
    last = run
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

/** While the platform still answers. */
export const checkAnswers = async (stage: Stage): Promise<void> => {
  const runs = stage.runs()
  checkRuns(stage, runs)
  const bySession = groupBy(runs, ({ session }) => session)
  for (const session of stage.sessions.keys()) {
    const stored = await stage.history(session)
    checkStored(stage, session, stored)
    checkOrder(stage, stored, bySession.get(session) ?? [])
  }
}

/** After everything was stopped. */
export const checkLeftovers = async (stage: Stage): Promise<void> => {
  const { ledger } = stage
  for (const { options, output, pid, surprises } of stage.programs) {
    for (const surprise of surprises) ledger.break("start", surprise)
    if (pid !== undefined) ledger.break("stop", `${options.name} still runs`)
    ledger.shown(`the output of ${options.name}`, output)
    if (/failed in a way it should not/.test(output)) ledger.break("start", `${options.name} failed by its own fault`)
  }
  const port = Number(new URL(stage.url).port)
  if (await listens(port)) ledger.break("stop", `port ${port} is still listened on`)
  for (const { options } of stage.programs) {
    for (const file of readdirSync(options.folder, { recursive: true, encoding: "utf8" })) {
      if (/\.lock(\.|$)/.test(file)) ledger.break("stop", `${join(options.name, file)} was left behind`)
    }
  }
}
