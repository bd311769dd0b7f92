/** What an account runs by: the settings of the environment, with what the channel's configuration says over them. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import * as Settings from "../../services/channel/Settings.ts"
import { Failure } from "../Failure.ts"
import * as proposals from "../run/proposals.ts"
import { type Account, channel, isFields } from "./config.ts"

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** The platform's own settings are not read where the configuration names a platform. */
export const settingsOf = Effect.fnUntraced(function* (account: Account) {
  const platform = account.wsUrl === undefined ? undefined : PlatformAddress.parse(account.wsUrl)
  if (account.wsUrl !== undefined && platform === undefined) {
    return yield* fail(
      `channels.${channel}.wsUrl is no address of a platform. Write it like wss://claw.int-os.com/ws/chat.`
    )
  }
  const loaded = yield* Settings.load({ ignore: platform === undefined ? [] : ["wsUrl", "profileCreateUrl"] }).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(process.env))
  )
  const addresses =
    platform === undefined
      ? { wsUrl: loaded.wsUrl, profileCreateUrl: loaded.profileCreateUrl }
      : PlatformAddress.derive(platform)
  const settings: Settings.Settings = {
    ...loaded,
    wsUrl: addresses.wsUrl,
    profileCreateUrl: addresses.profileCreateUrl,
    dialect: account.dialect ?? loaded.dialect,
    systemPrompt: account.systemPrompt ?? loaded.systemPrompt
  }
  if (!PlatformAddress.mayCarryKeys(settings.wsUrl)) {
    return yield* fail(
      `${settings.wsUrl.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`
    )
  }
  return settings
})

/** The identity that is written in the configuration; without one the account registers itself. */
export const profileOf = (account: Account, wsUrl: URL): Profile | undefined =>
  account.appKey === undefined || account.appSecret === undefined
    ? undefined
    : {
        app_key: account.appKey,
        app_secret: Redacted.make(account.appSecret, { label: "app_secret" }),
        claw_id: account.accountId,
        ...proposals.named(account.name ?? ""),
        origin: PlatformAddress.originOf(wsUrl),
        extra: {}
      }

/** Where the host's agents work: what they study when they introduce themselves. */
export const workspaceOf = (cfg: Config): string => {
  const agents: unknown = cfg.agents
  const defaults = isFields(agents) ? agents["defaults"] : undefined
  const workspace = isFields(defaults) ? defaults["workspace"] : undefined
  return typeof workspace === "string" ? workspace : "."
}
