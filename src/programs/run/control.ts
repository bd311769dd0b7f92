/**
 * The operator's page, on this machine alone and behind a token: beside a program that has no port of its own, or on
 * the port of the platform that runs in the same program.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as ControlDesk from "../../layers/channel/ControlDesk.ts"
import * as ControlRoutes from "../../layers/channel/ControlRoutes.ts"
import * as ControlServer from "../../layers/channel/ControlServer.ts"
import * as ControlToken from "../../layers/channel/ControlToken.ts"
import * as Methods from "../../layers/channel/Methods.ts"
import { Accounts } from "../../services/channel/Accounts.ts"
import type { Working } from "../../services/channel/Working.ts"
import type { InWorlds } from "../../services/worlds/InWorlds.ts"
import { Failure } from "../Failure.ts"
import { version } from "../version.ts"
import * as settingViews from "./settingViews.ts"

export interface Options {
  /** Where the token is kept. */
  readonly root: string
  /** 0 = any free one. Where it is in use another one is taken. */
  readonly port: number
  readonly settings: settingViews.Options
}

export interface Page {
  readonly url: string
  /** With the token: whoever has it steers the agents. */
  readonly link: string
}

/**
 * Made before the platform listens, so that its routes are there from the beginning; `attach` when there are accounts.
 * `link`: the page of the platform at this address.
 */
export const mounted = Effect.fnUntraced(
  function* (options: Omit<Options, "port">) {
    const token = yield* ControlToken.load(options.root).pipe(Effect.provide(SecureRandom.layerWebCrypto))
    const desk = yield* ControlDesk.make({ version, settings: settingViews.make(options.settings) })
    return {
      routes: ControlRoutes.layer({ desk, token }),
      attach: (accounts: Accounts["Service"], working?: Working["Service"], worlds?: InWorlds["Service"]) =>
        desk.attach(accounts, Methods.make(accounts, working, worlds).call, working, worlds),
      link: (url: string) => ControlServer.linkOf(url, token)
    }
  },
  Effect.mapError(({ message }) => new Failure({ message }))
)
export type Mounted = Effect.Success<ReturnType<typeof mounted>>

/** As long as the scope lives. */
export const serve = Effect.fnUntraced(
  function* (options: Options, working?: Working["Service"], worlds?: InWorlds["Service"]) {
    const accounts = yield* Accounts
    const token = yield* ControlToken.load(options.root).pipe(Effect.provide(SecureRandom.layerWebCrypto))
    const desk = yield* ControlDesk.make({ version, settings: settingViews.make(options.settings) })
    desk.attach(accounts, Methods.make(accounts, working, worlds).call, working, worlds)
    const { url } = yield* ControlServer.make({ desk, token, port: options.port, orAnother: true })
    const page: Page = { url, link: ControlServer.linkOf(url, token) }
    return page
  },
  Effect.mapError(({ message }) => new Failure({ message }))
)
