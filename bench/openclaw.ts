// What our channel adds in the real OpenClaw: from the person's message to the first delta that the person reads, against
// the moment at which the host tells its own clients of the first words of the same turn.
import { existsSync } from "node:fs"
import * as timers from "node:timers/promises"
import { Gateway } from "../tests/openclaw/Gateway.ts"
import { Model } from "../tests/openclaw/Model.ts"
import { Person } from "../tests/openclaw/Person.ts"
import { Platform } from "../tests/openclaw/Platform.ts"
import { type Case, row } from "./cases.ts"
import { median } from "./mainJob.ts"

const installed = existsSync(new URL("../tests/openclaw/node_modules/openclaw/openclaw.mjs", import.meta.url))

/** Of the first words a turn, in milliseconds since it was asked. */
interface First {
  readonly ours: number
  readonly host: number
}

/** The host's own event of what its agent says, as its own chat shows it. */
const isWords = (event: string, payload: unknown): boolean =>
  event === "chat" && typeof payload === "object" && payload !== null && "state" in payload && payload.state === "delta"

const measure = async (turns: number): Promise<ReadonlyArray<First>> => {
  const model = await Model.start()
  const platform = await Platform.start()
  const keys = await platform.register("Bench")
  const gateway = await Gateway.make({
    modelUrl: model.url,
    channel: {
      enabled: true,
      wsUrl: platform.url,
      appKey: keys.app_key,
      appSecret: keys.app_secret,
      dmPolicy: "open"
    }
  })
  try {
    await gateway.start()
    await platform.online(keys.claw_id)
    const person = await Person.on(platform, "Ada", keys)
    const session = await person.begin()
    // The rest of the answer comes later: what is measured is how the first words alone are handed on.
    model.otherwise = () => ({ pieces: ["The first words, ", "and later the rest."], gate: timers.setTimeout(300) })
    await person.ask(session, "Is anybody there?")
    let begun = 0
    let host: number | undefined
    gateway.listen((event, payload) => {
      if (isWords(event, payload)) host ??= performance.now() - begun
    })
    const { sessions } = (await gateway.call("sessions.list")) as { readonly sessions: ReadonlyArray<{ key: string }> }
    for (const { key } of sessions) await gateway.call("sessions.messages.subscribe", { key })
    const seen: Array<First> = []
    for (let turn = 0; turn < turns; turn++) {
      let ours: number | undefined
      host = undefined
      begun = performance.now()
      const answered = await person.ask(session, `Turn ${turn}`, {
        onDelta: () => (ours ??= performance.now() - begun)
      })
      if (answered.failure !== undefined) throw new Error(`the host answered: ${answered.failure.message}`)
      // The first turns pay for what the host loads once.
      if (turn >= 3 && ours !== undefined && host !== undefined) seen.push({ ours, host })
    }
    if (seen.length === 0) throw new Error("the host told nothing of what its agent says")
    return seen
  } finally {
    await gateway.stop()
    await platform.stop()
    await model.stop()
    gateway.remove()
  }
}

export const openclaw: Case = {
  name: "openclaw",
  title: "first delta at the person through the real OpenClaw, p50 in ms",
  run: async (rounds, say) => {
    if (!installed) {
      say("not measured: the host is installed by npm run test:openclaw")
      return []
    }
    const turns = await measure(3 + rounds * 5)
    const ours = median(turns.map((turn) => turn.ours))
    const host = median(turns.map((turn) => turn.host))
    say(`${turns.length} turns: at the person ${ours.toFixed(1)} ms, from the host ${host.toFixed(1)} ms`)
    return [row("openclaw: p50 ms of the first delta against the host's own first words", ours, host, { most: 1.1 })]
  }
}
