/** The channels that the plugin brings to the host: one row each, for install, doctor and uninstall alike. */
import * as Option from "effect/Option"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"

export interface Channel {
  readonly id: string
  /** What a person calls it. */
  readonly label: string
  /** `channels.<id>` where there is none yet. */
  readonly fresh: Readonly<Record<string, unknown>>
  /** What a flag of install says about it: keys of `channels.<id>`, or what is wrong with the flag. */
  readonly chosen: (flags: Flags) => Readonly<Record<string, unknown>> | string
  /** The host's command that says how its accounts are, with --json. */
  readonly status: string
}

export interface Flags {
  readonly url: Option.Option<string>
}

export const pluginId = "clawfiber"

export const channels: ReadonlyArray<Channel> = [
  {
    id: "instaclaw",
    label: "InstaClaw",
    fresh: { enabled: true, dmPolicy: "pairing" },
    chosen: ({ url }) => {
      if (Option.isNone(url)) return {}
      const platform = PlatformAddress.parse(url.value)
      if (platform === undefined) {
        return "--url is no address of a platform. Write it like wss://claw.int-os.com/ws/chat."
      }
      const { wsUrl } = PlatformAddress.derive(platform)
      return PlatformAddress.mayCarryKeys(wsUrl)
        ? { wsUrl: wsUrl.href }
        : `${wsUrl.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`
    },
    status: "instaclaw status"
  }
]
