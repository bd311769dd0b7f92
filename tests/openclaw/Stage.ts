/** What these tests stand on: a model server, our platform with people on it, and the gateway. Taken down in one go. */
import { Gateway, type Options } from "./Gateway.ts"
import { Model } from "./Model.ts"
import { type Keys, Platform } from "./Platform.ts"

type Given = Omit<Options, "modelUrl" | "channel">

export class Stage {
  readonly model: Model
  /** A test may take it down and put up another one. */
  platform: Platform
  private made: Gateway | undefined

  private constructor(model: Model, platform: Platform) {
    this.model = model
    this.platform = platform
  }

  /** `data`: the folder of the platform; in memory where absent. Takes itself down where the rest of it fails. */
  static async set(make: (stage: Stage) => Promise<void>, data?: string): Promise<Stage> {
    const stage = new Stage(await Model.start(), await Platform.start(0, data))
    try {
      await make(stage)
      return stage
    } catch (cause) {
      const log = stage.log()
      await stage.strike()
      throw new Error(`The stage could not be set.\n${log}`, { cause })
    }
  }

  get gateway(): Gateway {
    if (this.made === undefined) throw new Error("there is no gateway yet")
    return this.made
  }

  /** The host with `channels.instaclaw` as given; not started, so that its configuration can be changed before. */
  async host(channel: object, given: Given = {}): Promise<Gateway> {
    this.made = await Gateway.make({ ...given, modelUrl: this.model.url, channel })
    return this.made
  }

  /** One account that anybody may talk to, on the line. */
  async open(name: string, given: Given = {}): Promise<Keys> {
    const keys = await this.platform.register(name)
    const gateway = await this.host(
      {
        enabled: true,
        wsUrl: this.platform.url,
        appKey: keys.app_key,
        appSecret: keys.app_secret,
        dmPolicy: "open",
        allowFrom: ["*"]
      },
      given
    )
    await gateway.start()
    await this.platform.online(keys.claw_id)
    return keys
  }

  /** What the host said last, for a test that failed. */
  log(): string {
    return this.made?.output.slice(-80).join("") ?? ""
  }

  async strike(): Promise<void> {
    await this.made?.stop()
    await this.platform.stop()
    await this.model.stop()
    this.made?.remove()
  }
}
