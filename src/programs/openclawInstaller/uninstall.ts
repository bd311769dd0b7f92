/**
 * `clawfiber openclaw uninstall`: the configuration as it was before, where nobody has changed it since; else without
 * our keys and with all else. What the agent has (its key, its journal) stays in the host's state folder.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { homedir } from "node:os"
import * as Effect from "effect/Effect"
import type { Common } from "../Cli.ts"
import { Failure } from "../Failure.ts"
import { channels, pluginId } from "./channels.ts"
import * as configFile from "./configFile.ts"
import * as configPlan from "./configPlan.ts"
import * as configText from "./configText.ts"
import * as gatewayLook from "./gatewayLook.ts"
import { lastWords } from "./Host.ts"
import { isOurs } from "./ownPackage.ts"
import * as surroundings from "./surroundings.ts"

export const run = (input: surroundings.Asking & Common) =>
  Effect.gen(function* () {
    const { environment, host } = yield* surroundings.begin(input)
    const file = yield* surroundings.readConfig(host)
    const former = yield* configFile.former(file)
    const plugin = yield* gatewayLook.plugin(host, pluginId)
    const isHosts = plugin !== undefined && plugin.origin !== "config"
    const edits = configPlan.uninstall(file.value, {
      isOurs: (written) => isOurs(configPlan.folderOf(file.path, written, homedir())),
      channels
    })
    const text = former?.text ?? (yield* configFile.edited(file, edits))
    if (text === file.text && !isHosts) {
      return yield* surroundings.tell(
        input,
        { event: "unchanged", path: file.path },
        `${file.path} has nothing of clawfiber in it. Nothing was changed.`
      )
    }
    yield* configFile.writable(file, environment)
    yield* surroundings.show(input, file, text)
    yield* surroundings.confirmed(
      input,
      former === undefined ? "Take clawfiber out of OpenClaw so?" : "Put the configuration back as it was?"
    )
    let now = file
    let last = text
    if (isHosts) {
      const ran = yield* host.run(["plugins", "uninstall", pluginId, "--force"], "120 seconds")
      if (ran.code !== 0) {
        return yield* new Failure({ message: `OpenClaw could not take the plugin out: ${lastWords(ran)}.` })
      }
      yield* surroundings.tell(input, { event: "uninstalled" }, "OpenClaw has taken the plugin out.")
      now = yield* configFile.read(file.path)
      // What the host changed beside that, over the text with its comments.
      const hosts = yield* configFile.edited(file, configText.between(file.value, now.value))
      const left = configText.read(hosts)
      const rest = left._tag === "Success" ? left.success : now.value
      last =
        former?.text ??
        (yield* configFile.edited(
          { ...now, text: hosts, value: rest },
          configPlan.uninstall(rest, {
            isOurs: (path) => isOurs(configPlan.folderOf(file.path, path, homedir())),
            channels
          })
        ))
    }
    if (former !== undefined) {
      yield* configFile.restore(now, { ...former, text: last })
      yield* surroundings.tell(
        input,
        { event: "restored", path: file.path },
        `${file.path} is as it was before clawfiber.`
      )
    } else if (last !== now.text) {
      const backup = yield* configFile.write(now, last, file.text)
      yield* surroundings.tell(
        input,
        { event: "written", path: file.path, backup },
        `${file.path} has nothing of clawfiber in it any more. What it was, keys included, lies in ${backup}.`
      )
    }
    const looked = yield* gatewayLook.look(host, channels, { config: file.value, environment })
    yield* surroundings.tell(
      input,
      { event: "gateway", running: looked._tag === "runs" },
      looked._tag === "runs"
        ? "The gateway takes the change up by itself. The agent's key and journal stay in OpenClaw's state folder, in clawfiber/; delete that folder if nobody needs them."
        : "No gateway runs. The agent's key and journal stay in OpenClaw's state folder, in clawfiber/; delete that folder if nobody needs them."
    )
  }).pipe(Effect.provide(NodeServices.layer))
