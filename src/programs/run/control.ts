/** The operator's page beside a program that has no port of its own: on this machine alone, behind a token. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as ControlDesk from "../../layers/channel/ControlDesk.ts"
import * as ControlServer from "../../layers/channel/ControlServer.ts"
import * as ControlToken from "../../layers/channel/ControlToken.ts"
import * as Methods from "../../layers/channel/Methods.ts"
import { Accounts } from "../../services/channel/Accounts.ts"
import type { Variables } from "../Environment.ts"
import { Failure } from "../Failure.ts"
import { version } from "../version.ts"
import * as settingViews from "./settingViews.ts"

export interface Options {
  /** Where the token is kept. */
  readonly root: string
  /** 0 = any free one. Where it is in use another one is taken. */
  readonly port: number
  readonly variables: Variables
}

export interface Page {
  readonly url: string
  /** With the token: whoever has it steers the agents. */
  readonly link: string
}

/** As long as the scope lives. */
export const serve = Effect.fnUntraced(
  function* (options: Options) {
    const accounts = yield* Accounts
    const token = yield* ControlToken.load(options.root).pipe(Effect.provide(SecureRandom.layerWebCrypto))
    const desk = yield* ControlDesk.make({ version, settings: settingViews.make(options.variables) })
    desk.attach(accounts, Methods.make(accounts).call)
    const { url } = yield* ControlServer.make({ desk, token, port: options.port, orAnother: true })
    const page: Page = { url, link: ControlServer.linkOf(url, token) }
    return page
  },
  Effect.mapError(({ message }) => new Failure({ message }))
)
