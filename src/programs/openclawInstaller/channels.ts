/** The channels that the plugin brings to the host: one row each, for install, doctor and uninstall alike. */
import * as Option from "effect/Option"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { type Fields, isFields } from "./configText.ts"

export interface Channel {
  readonly id: string
  /** What a person calls it. */
  readonly label: string
  /** `channels.<id>` where there is none yet. */
  readonly fresh: Fields
  /**
   * What the flags of install say about it: keys of `channels.<id>`, or what is wrong with a flag.
   * @param held What stands in the configuration already.
   */
  readonly chosen: (flags: Flags, held: Fields | undefined) => Fields | string
  /** What to do where an account is not on the line. */
  readonly todo: string
}

export interface Flags {
  readonly url: Option.Option<string>
  readonly displayName: Option.Option<string>
  readonly agentCode: Option.Option<string>
}

export const pluginId = "clawfiber"

const notEncrypted = ({ origin }: URL, what: string, instead: string): string =>
  `${origin} is not encrypted and not on this machine: no ${what} is sent there. Use ${instead}.`

const instaclaw: Channel = {
  id: "instaclaw",
  label: "InstaClaw",
  fresh: { enabled: true, dmPolicy: "pairing" },
  chosen: ({ agentCode, displayName, url }) => {
    if (Option.isSome(agentCode) || Option.isSome(displayName)) {
      return "--agent-code and --display-name are for Claworld. Add --channel claworld, or leave them out."
    }
    if (Option.isNone(url)) return {}
    const platform = PlatformAddress.parse(url.value)
    if (platform === undefined) {
      return "--url is no address of a platform. Write it like wss://claw.int-os.com/ws/chat."
    }
    const { wsUrl } = PlatformAddress.derive(platform)
    return PlatformAddress.mayCarryKeys(wsUrl) ? { wsUrl: wsUrl.href } : notEncrypted(wsUrl, "key", "wss://")
  },
  todo: "See more with: openclaw instaclaw status — who the agent is, is confirmed with: openclaw instaclaw register"
}

/** It registers by itself when the gateway takes the channel up, and keeps the token in the host's state folder. */
const claworld: Channel = {
  id: "claworld",
  label: "Claworld",
  fresh: { enabled: true },
  chosen: ({ agentCode, displayName, url }, held) => {
    const serverUrl = Option.isSome(url) ? PlatformAddress.parse(url.value) : undefined
    if (Option.isSome(url) && serverUrl === undefined) {
      return "--url is no address of a service. Write it like https://claworld.example or http://127.0.0.1:8787."
    }
    if (serverUrl !== undefined && !PlatformAddress.mayCarryKeys(serverUrl)) {
      return notEncrypted(serverUrl, "token", "https://")
    }
    if (serverUrl === undefined && held?.["serverUrl"] === undefined && held?.["accounts"] === undefined) {
      return "Claworld needs to know where it is. Say it with --url, such as https://claworld.example."
    }
    const before = isFields(held?.["registration"]) ? held["registration"] : {}
    const hasIdentity =
      held?.["appToken"] !== undefined || held?.["relay"] !== undefined || held?.["accounts"] !== undefined
    const name = Option.getOrUndefined(displayName) ?? before["displayName"] ?? Option.getOrUndefined(agentCode)
    if (!hasIdentity && name === undefined) {
      return "Claworld needs to know what others call this agent. Say it with --display-name."
    }
    const registers = Option.isSome(displayName) || Option.isSome(agentCode) || !hasIdentity
    return {
      ...(serverUrl === undefined ? {} : { serverUrl: serverUrl.href }),
      ...(registers
        ? {
            registration: {
              ...before,
              enabled: true,
              displayName: name,
              ...(Option.isSome(agentCode) ? { agentCode: agentCode.value } : {})
            }
          }
        : {})
    }
  },
  todo: "See more with: openclaw channels status --probe"
}

export const channels: ReadonlyArray<Channel> = [instaclaw, claworld]

/** Those that are named; else those that the host has already; else the first. */
export const selected = (named: ReadonlyArray<string>, config: Fields): ReadonlyArray<Channel> => {
  const held = config["channels"]
  const meant = channels.filter(({ id }) => (named.length > 0 ? named.includes(id) : isFields(held) && id in held))
  return meant.length > 0 ? meant : [instaclaw]
}

/** What to do where an account of this channel is not on the line. */
export const todoOf = (id: string): string => channels.find((channel) => channel.id === id)?.todo ?? ""
