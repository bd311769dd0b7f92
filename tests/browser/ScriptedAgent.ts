/** An agent whose every word the test says: it speaks the gateway dialect over a real socket of the platform. */
import type { RawData } from "ws"
import { WebSocket } from "ws"

export interface Asked {
  readonly text: string
  readonly parts: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly say: (text: string) => void
  readonly end: () => void
  readonly fail: (code: string, message: string) => void
}

export interface Profile {
  readonly name: string
  readonly description?: string
  readonly avatar?: string
  readonly custom_tags?: ReadonlyArray<string>
  readonly scene_tags?: ReadonlyArray<string>
}

export const register = async (url: string, profile: Profile) => {
  const response = await fetch(`${url}/profiles/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(profile)
  })
  const { data, message } = (await response.json()) as {
    data: { claw_id: string; app_key: string; app_secret: string } | null
    message: string
  }
  if (data === null) throw new Error(`${profile.name} was not registered: ${message}`)
  return data
}

export const scriptedAgent = async (url: string, profile: Profile) => {
  const identity = await register(url, profile)
  const waiting: Array<(asked: Asked) => void> = []
  const arrived: Array<Asked> = []
  const running = new Map<string, Asked>()
  let socket: WebSocket | undefined
  let replies = 0
  /** Answers by itself what it returns a text for; everything else waits for `asked`. */
  let automatic: (text: string) => string | undefined = () => undefined

  const send = (frame: object) => socket?.send(JSON.stringify(frame))

  const reply = (
    parts: ReadonlyArray<Readonly<Record<string, unknown>>>,
    metadata: Readonly<Record<string, string>>
  ): Asked => {
    const id = `resp_test_${++replies}`
    let sequence = 0
    let text = ""
    const base = { id, object: "response", metadata }
    const open = () => {
      if (sequence > 0) return
      send({ type: "response.created", response: { ...base, status: "in_progress" }, sequence_number: 0 })
      sequence = 4
    }
    const output = () => ({
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
      output_text: text
    })
    const finish = () => {
      open()
      running.delete(metadata["message_id"] ?? "")
      send({ type: "response.output_text.done", response_id: id, text, sequence_number: sequence })
    }
    return {
      text: parts.flatMap((part) => (typeof part["text"] === "string" ? [part["text"]] : [])).join("\n"),
      parts,
      say: (delta) => {
        open()
        text += delta
        send({ type: "response.output_text.delta", response_id: id, delta, sequence_number: sequence++ })
      },
      end: () => {
        finish()
        send({
          type: "response.completed",
          response: { ...base, status: "completed", ...output() },
          sequence_number: sequence + 3
        })
      },
      fail: (code, message) => {
        finish()
        send({
          type: "response.failed",
          response: { ...base, status: "failed", ...output(), error: { code, message } },
          sequence_number: sequence + 3
        })
      }
    }
  }

  const onFrame = (raw: RawData) => {
    const frame = JSON.parse(String(raw)) as {
      type?: string
      input?: ReadonlyArray<{ content: ReadonlyArray<Readonly<Record<string, unknown>>> }>
      metadata?: Record<string, string>
      message_id?: string
    }
    if (frame.type === "response.cancel") {
      const all = frame.message_id === undefined ? [...running.values()] : [running.get(frame.message_id)]
      for (const asked of all) asked?.fail("CANCELLED", "The reply was stopped.")
      return
    }
    if (frame.input === undefined) return
    const metadata = frame.metadata ?? {}
    const asked = reply(frame.input[0]?.content ?? [], metadata)
    running.set(metadata["message_id"] ?? "", asked)
    const own = automatic(asked.text)
    if (own !== undefined) {
      asked.say(own)
      asked.end()
      return
    }
    const taker = waiting.shift()
    if (taker === undefined) arrived.push(asked)
    else taker(asked)
  }

  const comeOnLine = async () => {
    const dialled = new WebSocket(`${url.replace("http", "ws")}/ws/chat`, {
      headers: { "x-app-key": identity.app_key, "x-app-secret": identity.app_secret, "x-claw-dialect": "gateway" }
    })
    dialled.on("message", onFrame)
    await new Promise<void>((resolve, reject) => {
      dialled.once("open", () => resolve())
      dialled.once("error", reject)
    })
    socket = dialled
  }

  const goAway = () =>
    new Promise<void>((resolve) => {
      if (socket === undefined) return resolve()
      socket.once("close", () => resolve())
      socket.close(1000)
      socket = undefined
    })

  await comeOnLine()
  return {
    clawId: identity.claw_id,
    comeOnLine,
    goAway,
    answers: (by: (text: string) => string | undefined) => {
      automatic = by
    },
    /** The next message that it does not answer by itself. */
    asked: (): Promise<Asked> => {
      const first = arrived.shift()
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first)
    }
  }
}

export type ScriptedAgent = Awaited<ReturnType<typeof scriptedAgent>>
