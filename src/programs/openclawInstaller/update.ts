/** `clawfiber openclaw update`: plugin and configuration as this clawfiber has them, taken up by the gateway; ends with doctor. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import type { Common } from "../Cli.ts"
import { channels, pluginId } from "./channels.ts"
import * as doctor from "./doctor.ts"
import * as gatewayLook from "./gatewayLook.ts"
import { lastWords } from "./Host.ts"
import * as install from "./install.ts"
import { own } from "./ownPackage.ts"
import * as surroundings from "./surroundings.ts"

export const run = (input: install.Input & Common) =>
  Effect.gen(function* () {
    const { host, where } = yield* install.apply(input)
    const plugin = yield* gatewayLook.plugin(host, pluginId)
    if (plugin !== undefined && plugin.origin !== "config" && plugin.version !== own.version) {
      yield* surroundings.tell(
        input,
        { event: "other_version", installed: plugin.version, own: own.version },
        `OpenClaw keeps a copy of its own, ${plugin.version}. Replace it by this one with: clawfiber openclaw update --from ${own.folder}`
      )
    }
    const looked = yield* gatewayLook.look(host, channels, where)
    if (looked._tag === "runs") {
      const ran = yield* host.run(["plugins", "reload", pluginId], "180 seconds")
      yield* ran.code === 0
        ? surroundings.tell(
            input,
            { event: "reloaded" },
            "The gateway runs the plugin anew, with the code that lies there now."
          )
        : surroundings.tell(
            input,
            { event: "restart_needed", reason: lastWords(ran) },
            `The gateway did not reload the plugin (${lastWords(ran)}). Restart it with: openclaw gateway restart`
          )
    }
    yield* doctor.reported(input)
  }).pipe(Effect.provide(NodeServices.layer))
