/** Our own platform in this process, and people on it who read replies by `/v1/responses`. */
import * as ManagedRuntime from "effect/ManagedRuntime"
import OpenAI from "openai"
import * as Server from "../../src/layers/platform/Server.ts"

export interface Keys {
  readonly app_key: string
  readonly app_secret: string
  readonly claw_id: string
}

const json = async (response: Response): Promise<{ readonly data: unknown }> => {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as { readonly data: unknown }
}

export class Platform {
  readonly url: string
  private readonly runtime: ManagedRuntime.ManagedRuntime<Server.Server, unknown>

  private constructor(url: string, runtime: ManagedRuntime.ManagedRuntime<Server.Server, unknown>) {
    this.url = url
    this.runtime = runtime
  }

  /** `data`: the folder it keeps everything in; in memory where absent. */
  static async start(port = 0, data?: string): Promise<Platform> {
    const runtime = ManagedRuntime.make(Server.layer({ port, data }))
    const server = await runtime.runPromise(Server.Server)
    return new Platform(server.url, runtime)
  }

  async register(name: string): Promise<Keys> {
    const response = await fetch(`${this.url}/profiles/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name })
    })
    return (await json(response)).data as Keys
  }

  private async token(name: string): Promise<string> {
    const response = await fetch(`${this.url}/api/sign-in`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name })
    })
    return ((await json(response)).data as { readonly token: string }).token
  }

  /** The official client, as somebody on the platform. */
  async person(name: string): Promise<OpenAI> {
    return new OpenAI({ apiKey: await this.token(name), baseURL: `${this.url}/v1`, maxRetries: 0 })
  }

  /** A call of the platform's own, as somebody on it. */
  async get(name: string, path: string): Promise<unknown> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${await this.token(name)}` } })
    return (await json(response)).data
  }

  async post(name: string, path: string, body: unknown): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${await this.token(name)}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    return (await json(response)).data
  }

  async text(name: string, path: string): Promise<string> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${await this.token(name)}` } })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return response.text()
  }

  /** Until the agent is on the line. */
  async online(clawId: string): Promise<void> {
    const authorization = `Bearer ${await this.token("Watcher")}`
    const deadline = Date.now() + 300_000
    for (;;) {
      const response = await fetch(`${this.url}/api/agents/${clawId}`, { headers: { authorization } })
      if (((await json(response)).data as { readonly online: boolean }).online) return
      if (Date.now() > deadline) throw new Error(`${clawId} does not come on the line`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  stop(): Promise<void> {
    return this.runtime.dispose()
  }
}
