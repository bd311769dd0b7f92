/** The platform and its page, without an agent. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Settings from "../../services/channel/Settings.ts"
import type { Common } from "../Cli.ts"
import * as Cli from "../Cli.ts"
import { withSettings } from "../Environment.ts"
import * as Output from "../Output.ts"
import * as serve from "./serve.ts"

export const run = (input: serve.Input & Common) =>
  withSettings({ json: input.json, ignore: Settings.allBut(...serve.settingNames) }, (settings) =>
    Effect.gen(function* () {
      yield* serve.dataFolder(input.data)
      yield* Cli.serving
      return yield* Effect.gen(function* () {
        const url = yield* serve.url
        if (input.json) yield* Output.event({ event: "ready", url })
        else {
          const lines = ["The platform is up.", `  Page      ${url}`, `  Data      ${serve.place(input, settings)}`]
          const caution = serve.caution(input)
          if (caution !== undefined) lines.push(`  Note      ${caution}`)
          lines.push(`  Try       clawfiber connect --url ${url}, in another folder, to put an agent on the line`)
          yield* Output.line([...lines, "Ctrl-C ends it."].join("\n"))
        }
        return yield* Effect.never
      }).pipe(Effect.provide(serve.layer(input, settings)), Effect.catchTag("StoreError", serve.inWords))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
