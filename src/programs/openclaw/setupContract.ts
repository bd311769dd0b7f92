/**
 * `openclaw channels add --channel instaclaw …` without questions. The fields stand in package.json as well
 * (`openclaw.channel.setup.fields`): the host shows them before it loads us.
 */
import { defineChannelSetupContract } from "openclaw/plugin-sdk/channel-setup"
import { resolveAccount } from "./config.ts"
import { type Applying, applyAccountConfig, fields, validateInput } from "./setupInput.ts"
import { probeAccount } from "./status.ts"

const afterAccountConfigWritten = async ({
  accountId,
  cfg,
  runtime
}: Applying & { readonly runtime: { readonly log: (line: string) => void } }): Promise<void> => {
  const account = resolveAccount(cfg, accountId)
  const { error, keys, platform } = await probeAccount({ account, cfg, timeoutMs: 5_000 })
  if (error !== undefined) runtime.log(error)
  else if (keys === "accepted") runtime.log(`${platform} answers and takes the key.`)
  else if (keys === "none") {
    runtime.log(
      `${platform} answers. Without a key the agent proposes who it is once the gateway runs; you confirm that.`
    )
  }
}

export const setupContract = defineChannelSetupContract({
  fields,
  adapter: {
    // The base is an account of its own, also beside named ones.
    configPromotion: "preserve-root",
    singleAccountKeysToMove: [],
    applyAccountConfig,
    validateInput,
    afterAccountConfigWritten
  }
})
