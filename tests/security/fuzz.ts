/**
 * Throws bent frames and bodies at a real platform, by a seed, for a bounded number of rounds or seconds, and checks
 * after each round that it lives, that nobody else was hurt, and that no answer is a fault of its own (500).
 *
 * `node tests/security/fuzz.ts --seconds 60 --seed 7` runs it longer; what it prints at a fault runs that round again.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { connect } from "node:net"
import { parseArgs } from "node:util"
import { WebSocket } from "ws"
import * as Server from "../../src/layers/platform/Server.ts"

export interface Options {
  readonly seed: number
  /** Rounds of `perRound` bent things each. */
  readonly rounds?: number | undefined
  readonly seconds?: number | undefined
}

export interface Outcome {
  readonly rounds: number
  readonly frames: number
  readonly bodies: number
  readonly raw: number
  readonly faults: ReadonlyArray<string>
}

/** A small generator of our own, so that a seed means the same everywhere (mulberry32). */
const chance = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  const of = <A>(all: ReadonlyArray<A>): A => all[below(all.length)] as A
  return { next, below, of }
}

type Chance = ReturnType<typeof chance>

const oddTexts = [
  "",
  "\u0000",
  "\ud800",
  "\u202e",
  "__proto__",
  "constructor",
  "a".repeat(5_000),
  "长".repeat(300),
  "'; DROP TABLE sessions; --",
  "../../etc/passwd",
  "<script>",
  "%s%n",
  "${7*7}",
  "\r\nx: y"
]
const oddValues: ReadonlyArray<unknown> = [
  null,
  true,
  -1,
  0,
  1e308,
  Number.MAX_SAFE_INTEGER + 2,
  0.1,
  [],
  {},
  [[[[[]]]]],
  { __proto__: null, toString: 1 },
  { then: 1 },
  ...oddTexts
]

/** Replaces, removes, doubles or nests one thing somewhere in a value. */
const bend = (value: unknown, random: Chance, depth = 0): unknown => {
  if (random.next() < 0.15 || depth > 6) return random.of(oddValues)
  if (Array.isArray(value)) {
    if (value.length === 0) return random.next() < 0.5 ? value : [random.of(oddValues)]
    const at = random.below(value.length)
    const copy = [...value]
    const way = random.next()
    if (way < 0.2) copy.splice(at, 1)
    else if (way < 0.35) for (let count = 0; count < 50; count++) copy.push(copy[at])
    else copy[at] = bend(copy[at], random, depth + 1)
    return copy
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) return { [random.of(oddTexts)]: random.of(oddValues) }
    const at = random.below(entries.length)
    const [key, held] = entries[at] as [string, unknown]
    const way = random.next()
    if (way < 0.2) entries.splice(at, 1)
    else if (way < 0.3) entries.push([random.of(oddTexts), random.of(oddValues)])
    else entries[at] = [random.next() < 0.1 ? random.of(oddTexts) : key, bend(held, random, depth + 1)]
    return Object.fromEntries(entries)
  }
  return random.of(oddValues)
}

/** Cuts into the text itself. */
const cut = (text: string, random: Chance): string => {
  const at = random.below(text.length + 1)
  const junk = random.of([
    "",
    "{",
    "}",
    "[",
    '"',
    ",",
    "\\",
    "\\u0000",
    "\\ud800",
    "1e999",
    "//",
    "NaN",
    "\u0000",
    "{}{}"
  ])
  return text.slice(0, at) + junk + text.slice(at + random.below(8))
}

const written = (value: unknown, random: Chance): string => {
  const text = JSON.stringify(value) ?? "undefined"
  return random.next() < 0.3 ? cut(text, random) : text
}

const personFrames = (session: string): ReadonlyArray<object> => [
  {
    stream: true,
    input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
    metadata: { session_id: session, message_id: "fuzz" }
  },
  { input: [{ type: "input_file", file_id: "file_x", filename: "a" }], metadata: { session_id: session } },
  { type: "response.cancel", response_id: "resp_x" },
  { type: "response.resume", response_id: "resp_x", starting_after: 3 },
  { type: "session.bind", session_id: session }
]

const responseFrames = (model: string): ReadonlyArray<object> => [
  { type: "response.create", model, input: "hi", background: true },
  { type: "response.create", response: { model, input: [{ role: "user", content: "hi" }] }, stream_id: "a" },
  { type: "response.cancel", response_id: "resp_x" }
]

const agentFrames = (session: string): ReadonlyArray<object> => [
  { type: "session.bind", session_id: session },
  { type: "response.created", response: { id: "r", metadata: { session_id: session, message_id: "fuzz" } } },
  { type: "response.output_text.delta", response_id: "r", delta: "x", sequence_number: 3 },
  { type: "response.completed", response: { id: "r", output_text: "x", metadata: { message_id: "fuzz" } } },
  { type: "response.failed", response: { id: "r", error: { code: "X", message: "y" } } },
  {
    type: "MESSAGE",
    headers: { topic: "/v1.0/im/bot/messages", "message-id": "fuzz", "session-id": session },
    data: JSON.stringify({ type: "response.output_text.delta", delta: "x" })
  }
]

const bodies = (ids: { readonly claw: string; readonly session: string }) =>
  [
    [
      "POST",
      "/profiles/create",
      { name: "A", description: "d", scene_tags: ["07001"], hourly_rate: 1, instance_type: 0 }
    ],
    ["POST", "/profiles/rotate", { grace_seconds: 1 }],
    ["POST", "/api/sign-in", { name: "Ann" }],
    ["POST", "/api/keys", { name: "k" }],
    ["POST", "/api/activations", {}],
    ["PATCH", `/api/agents/${ids.claw}`, { name: "B", custom_tags: ["y"], dialect: "gateway" }],
    ["POST", "/api/ticket", {}],
    ["POST", "/api/session/create", { claw_id: ids.claw }],
    ["POST", "/api/session/list", {}],
    ["PATCH", `/api/session/${ids.session}`, { title: "t" }],
    [
      "POST",
      "/v1/responses",
      { model: ids.claw, input: "hi", background: true, metadata: { session_id: ids.session } }
    ],
    [
      "POST",
      "/v1/responses",
      { model: ids.claw, input: [{ role: "user", content: [{ type: "input_text", text: "x" }] }] }
    ]
  ] as const

const queries = ["", "?limit=1e9", "?limit=-1", "?before=NaN", "?after=%00", "?a=%", "?stream=true&starting_after=x"]

const rawPieces = [
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n{}",
  "GET /ws/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n",
  "\u0000\u0001\u0002\u0003",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n"
]

const call = async (url: string, method: string, path: string, body: string | undefined, headers: object) => {
  const response = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body })
  })
  return { status: response.status, text: await response.text() }
}

const open = (url: string, path: string, headers: Record<string, string>) =>
  new Promise<WebSocket>((resolve, reject) => {
    const ws = new WebSocket(url.replace("http", "ws") + path, { headers })
    ws.on("open", () => resolve(ws))
    ws.on("error", reject)
  })

/** Sends, and waits until the platform has read it all: it answers pings in order. */
const send = (ws: WebSocket, frames: ReadonlyArray<string | Buffer>): Promise<void> =>
  new Promise((resolve) => {
    ws.removeAllListeners("error")
    ws.on("error", () => {})
    ws.once("close", () => resolve())
    ws.once("pong", () => resolve())
    for (const frame of frames) ws.send(frame, () => {})
    ws.ping(undefined, undefined, () => {})
  })

const rawly = (port: number, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes))
    socket.on("data", () => {})
    socket.on("error", () => {})
    socket.on("close", () => resolve())
    socket.setTimeout(2_000, () => socket.destroy())
  })

const perRound = 40

export const run = (options: Options): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const faults: Array<string> = []
    // A defect that nobody explained is logged by the platform as an error: here that is a fault.
    const watch = Logger.make(({ cause, logLevel, message }) => {
      if (logLevel === "Error" || logLevel === "Fatal") faults.push(`logged: ${String(message)} ${String(cause)}`)
    })
    const context = yield* Layer.buildWithScope(
      Server.layer({ port: 0, connections: { handshakeTimeout: 1_000 } }),
      scope
    ).pipe(Effect.provide(Logger.layer([watch])), Effect.orDie)
    const { port, url } = Context.get(context, Server.Server)
    const outcome = yield* Effect.promise(() => rounds(options, url, port, faults))
    yield* Scope.close(scope, Exit.void)
    return { ...outcome, faults }
  })

const rounds = async (options: Options, url: string, port: number, faults: Array<string>) => {
  const json = async (method: string, path: string, body: unknown, headers = {}) =>
    JSON.parse((await call(url, method, path, JSON.stringify(body), headers)).text).data
  const { token } = await json("POST", "/api/sign-in", { name: "Fuzz" })
  const bearer = { authorization: `Bearer ${token}` }
  const keys = await json("POST", "/profiles/create", { name: "Fuzzed" })
  const session = (await json("POST", "/api/session/create", { claw_id: keys.claw_id }, bearer)).session_id
  const ids = { claw: String(keys.claw_id), session: String(session) }
  const keyHeaders = { "x-app-key": String(keys.app_key), "x-app-secret": String(keys.app_secret) }

  // Somebody calm, who must notice nothing.
  const calm = await json("POST", "/api/sign-in", { name: "Calm" })
  const bystander = await open(url, "/ws/chat", { authorization: `Bearer ${calm.token}` })
  bystander.on("message", (data) => {
    if (/"error"|fuzz/.test(String(data))) faults.push(`the bystander got ${String(data).slice(0, 300)}`)
  })
  let isCalm = true
  bystander.on("close", () => (isCalm = false))

  const count = { rounds: 0, frames: 0, bodies: 0, raw: 0 }
  const until = options.seconds === undefined ? undefined : performance.now() + options.seconds * 1000
  while (until === undefined ? count.rounds < (options.rounds ?? 1) : performance.now() < until) {
    const seed = options.seed + count.rounds
    const random = chance(seed)
    const fault = (what: string): void => void faults.push(`seed ${seed}: ${what}`)
    const sockets = [
      ["/ws/chat", bearer, personFrames(session)],
      ["/ws/chat", keyHeaders, agentFrames(session)],
      ["/v1/responses", bearer, responseFrames(ids.claw)]
    ] as const
    for (const [path, headers, frames] of sockets) {
      const ws = await open(url, path, headers)
      const bent = Array.from({ length: perRound }, () =>
        random.next() < 0.03
          ? Buffer.from(written(random.of(frames), random))
          : written(random.next() < 0.9 ? bend(random.of(frames), random) : random.of(frames), random)
      )
      await send(ws, bent)
      count.frames += bent.length
      ws.terminate()
    }
    for (let index = 0; index < perRound; index++) {
      const [method, path, body] = random.of(bodies(ids))
      const text = written(random.next() < 0.9 ? bend(body, random) : body, random)
      const signed =
        random.next() < 0.8 ? bearer : { authorization: `Bearer ${random.of(["x", "ck_x", "a.b.c", token.slice(1)])}` }
      try {
        const { status, text: said } = await call(url, method, path + random.of(queries), text, signed)
        // 503: the agent is away; that is no fault.
        if (status >= 500 && status !== 503) fault(`${method} ${path} ${text.slice(0, 500)} → ${status} ${said}`)
        if (/node_modules|\.ts:\d+/.test(said)) fault(`${method} ${path} tells of the inside: ${said.slice(0, 300)}`)
      } catch (error) {
        fault(`${method} ${path} ${text.slice(0, 500)} → ${String(error)}`)
      }
      count.bodies++
    }
    for (let index = 0; index < 5; index++) {
      await rawly(port, Buffer.from(cut(random.of(rawPieces), random), "latin1"))
      count.raw++
    }
    if ((await call(url, "GET", "/readyz", undefined, {})).status !== 200) fault("the platform is not ready any more")
    if (!isCalm) {
      fault("the bystander's socket ended")
      break
    }
    count.rounds++
    if (faults.length > 20) break
  }
  bystander.removeAllListeners()
  bystander.terminate()
  return count
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split("/").at(-1) ?? " ")) {
  const { values } = parseArgs({
    options: { seconds: { type: "string", default: "30" }, seed: { type: "string" }, rounds: { type: "string" } }
  })
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed)
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  const outcome = await Effect.runPromise(
    run({ seed, rounds, seconds: rounds === undefined ? Number(values.seconds) : undefined })
  )
  console.log(
    `fuzz: seed ${seed}, ${outcome.rounds} rounds, ${outcome.frames} frames, ${outcome.bodies} bodies, ${outcome.raw} raw connections, ${outcome.faults.length} faults`
  )
  for (const fault of outcome.faults) console.log(fault)
  process.exit(outcome.faults.length === 0 ? 0 : 1)
}
