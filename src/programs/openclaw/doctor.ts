/** What `openclaw doctor` and `openclaw security audit` say of our part. */
import { type Account, channel } from "./config.ts"
import * as status from "./status.ts"

export const doctor = { dmAllowFromMode: "topOnly", ...status.doctor }

export const collectWarnings = ({ account }: { readonly account: Account }): Array<string> => {
  const own = `channels.${channel} (account ${account.accountId})`
  if (account.dmPolicy === "open") {
    return [
      `- ${own}: dmPolicy is open, so anybody of the platform talks to your agent. It has no tools there. Set dmPolicy to pairing or allowlist to choose who may.`
    ]
  }
  return account.dmPolicy === "allowlist" && account.allowFrom.length === 0
    ? [`- ${own}: dmPolicy is allowlist and allowFrom is empty, so nobody may talk to your agent.`]
    : []
}
